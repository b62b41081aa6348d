// Package trial is what the tests of whole runs share: a maildrop and a mailbox of package lab, the memory of what came from
// the one to the other, runs of package sync between them, and what must be true after each run, whatever has happened.
package trial

import (
	"context"
	"database/sql"
	"path/filepath"
	"time"

	"github.com/pop2imap/pop2imap/internal/imap"
	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/pop3"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// User and Password log in at both servers.
const User, Password = "alice", "open sesame"

// Key is the account of the runs.
var Key = state.Key{From: "alice@pop.example", To: "alice@imap.example"}

// A T is a test, of package testing or of rapid.
type T interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Error(...any)
	Errorf(string, ...any)
	Fatal(...any)
	Fatalf(string, ...any)
}

// A Place is where a server is, or a line to it.
type Place interface{ Addr() (string, int) }

// A World is a maildrop, a mailbox, and the memory of what came from the one to the other.
type World struct {
	T
	POP      *lab.POP3
	IMAP     *lab.IMAP
	From, To Place                 // where a run finds them
	Dir      string                // of the memory
	Folder   string                // of the mailbox
	Always   []func(*sync.Options) // changes the options of each run
	OnNotice func(string)          // hears what a run says to the user; nil: nobody does

	heard int // commands that the maildrop had heard before the last run
	seen  int // commands that the mailbox had seen before the last run
}

// Start starts both servers, with mail in the maildrop. The directory of the memory need not be there yet.
func Start(t T, dir string, p lab.POP3Options, i lab.IMAPOptions, mail ...lab.Mail) *World {
	t.Helper()
	p.User, p.Password, i.User, i.Password = User, Password, User, Password
	pop, err := lab.StartPOP3(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pop.Close)
	box, err := lab.StartIMAP(i)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(box.Close)
	pop.SetMail(mail)
	return &World{T: t, POP: pop, IMAP: box, From: pop, To: box, Dir: dir, Folder: "INBOX"}
}

// State is the file of the memory.
func (w *World) State() string { return filepath.Join(w.Dir, "state.db") }

// timeout is that of a line on which nothing happens.
const timeout = 20 * time.Second

func server(at Place, timeout time.Duration) wire.Server {
	host, port := at.Addr()
	return wire.Server{Host: host, Port: port, Security: wire.Cleartext, Timeout: timeout}
}

// Mailbox dials the mailbox at a place.
func Mailbox(at Place, timeout time.Duration) func(context.Context) (sync.Destination, error) {
	return func(ctx context.Context) (sync.Destination, error) {
		s, err := imap.Dial(ctx, server(at, timeout), imap.Login{User: User, Password: Password})
		if err != nil {
			return nil, err
		}
		return s, nil
	}
}

// Options are those of a run, as cmd/pop2imap makes them. It does not try again by itself.
func (w *World) Options() sync.Options {
	o := sync.Options{
		From: func(ctx context.Context) (sync.Source, error) {
			s, err := pop3.Dial(ctx, server(w.From, timeout), pop3.Login{User: User, Password: Password})
			if err != nil {
				return nil, err
			}
			return s, nil
		},
		To:     Mailbox(w.To, timeout),
		Folder: w.Folder,
		Settle: time.Millisecond,
	}
	for _, change := range w.Always {
		change(&o)
	}
	return o
}

// Run is one run of the program: it opens the memory and closes it again. What must be true after each run is checked.
func (w *World) Run(change ...func(*sync.Options)) sync.Report {
	w.Helper()
	return w.RunIn(w.Context(), change...)
}

// RunIn is Run with a context of its own.
func (w *World) RunIn(ctx context.Context, change ...func(*sync.Options)) sync.Report {
	w.Helper()
	w.Listen()
	memory, done := w.Memory()
	defer done()
	watch := &Watcher{OnNotice: w.OnNotice}
	o := w.Options()
	o.State, o.Watch = memory, watch
	for _, c := range change {
		c(&o)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // no run of a test takes as long
	defer cancel()
	r := sync.Run(ctx, o)
	w.Balanced(r)
	if o.Watch == watch {
		w.agrees(watch, r)
	}
	if o.State != nil && !o.DryRun {
		w.remembered(o.State, r)
	}
	return r
}

// Memory opens the memory as a run does. It is to be closed with done.
func (w *World) Memory() (a *state.Account, done func()) {
	w.Helper()
	return w.open(state.Open, func(s *state.Store) (*state.Account, error) { return s.Account(w.Context(), User, Key) })
}

// ReadOnly opens the memory for a look, that of the program too, which has one account with another key. It is to be closed
// with done.
func (w *World) ReadOnly() (a *state.Account, done func()) {
	w.Helper()
	return w.open(state.OpenReadOnly, func(s *state.Store) (*state.Account, error) {
		list, err := s.Accounts(w.Context())
		if err != nil || len(list) != 1 {
			w.Fatalf("%d accounts, %v", len(list), err)
		}
		return list[0], nil
	})
}

func (w *World) open(open func(context.Context, string) (*state.Store, error),
	account func(*state.Store) (*state.Account, error)) (*state.Account, func()) {
	w.Helper()
	store, err := open(w.Context(), w.State())
	if err != nil {
		w.Fatal(err)
	}
	a, err := account(store)
	if err != nil {
		w.Fatal(err)
	}
	return a, func() {
		if err := store.Close(); err != nil {
			w.Error(err)
		}
	}
}

// Records gives the whole memory.
func (w *World) Records() (list []state.Record) {
	w.Helper()
	a, done := w.ReadOnly()
	defer done()
	for r, err := range a.Records(w.Context()) {
		if err != nil {
			w.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// Edit changes the memory behind the program's back: time that passes.
func (w *World) Edit(statement string, args ...any) {
	w.Helper()
	db, err := sql.Open("sqlite", w.State())
	if err != nil {
		w.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(w.Context(), statement, args...); err != nil {
		w.Fatal(err)
	}
}
