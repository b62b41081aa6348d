package sync_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pop2imap/pop2imap/internal/imap"
	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/pop3"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const user, password = "alice", "open sesame"

var key = state.Key{From: "alice@pop.example", To: "alice@imap.example"}

// A world is a maildrop, a destination, and the memory of what came from the one to the other.
type world struct {
	*testing.T
	pop    *lab.POP3
	imap   *lab.IMAP
	state  string // the file
	folder string
	heard  int // commands that the maildrop had heard before the last run
	seen   int // commands that the destination had seen before the last run
}

// create starts both servers with mail in the maildrop.
func create(t *testing.T, p lab.POP3Options, i lab.IMAPOptions, mail ...lab.Mail) *world {
	t.Helper()
	p.User, p.Password, i.User, i.Password = user, password, user, password
	w := &world{T: t, state: filepath.Join(t.TempDir(), "state.db"), folder: "INBOX"}
	var err error
	if w.pop, err = lab.StartPOP3(p); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.pop.Close)
	if w.imap, err = lab.StartIMAP(i); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.imap.Close)
	w.pop.SetMail(mail)
	return w
}

// server is how package wire is told of a server of the lab.
func server(at interface{ Addr() (string, int) }) wire.Server {
	host, port := at.Addr()
	return wire.Server{Host: host, Port: port, Security: wire.Cleartext, Timeout: 20 * time.Second}
}

// options are those of a run, as cmd/pop2imap makes them.
func (w *world) options() sync.Options {
	return sync.Options{
		From: func(ctx context.Context) (sync.Source, error) {
			s, err := pop3.Dial(ctx, server(w.pop), pop3.Login{User: user, Password: password})
			if err != nil {
				return nil, err
			}
			return s, nil
		},
		To: func(ctx context.Context) (sync.Destination, error) {
			s, err := imap.Dial(ctx, server(w.imap), imap.Login{User: user, Password: password})
			if err != nil {
				return nil, err
			}
			return s, nil
		},
		Folder: w.folder,
		Settle: time.Millisecond,
	}
}

// run is one run of the program: it opens the state and closes it again.
func (w *world) run(change ...func(*sync.Options)) sync.Report {
	w.Helper()
	return w.runIn(w.Context(), change...)
}

func (w *world) runIn(ctx context.Context, change ...func(*sync.Options)) sync.Report {
	w.Helper()
	w.heard, w.seen = len(w.pop.Commands()), len(w.imap.Commands())
	store, err := state.Open(context.Background(), w.state)
	if err != nil {
		w.Fatal(err)
	}
	defer store.Close()
	o := w.options()
	if o.State, err = store.Account(context.Background(), "alice", key); err != nil {
		w.Fatal(err)
	}
	for _, c := range change {
		c(&o)
	}
	var watch watcher
	if o.Watch == nil {
		o.Watch = &watch
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // no run of a test takes as long
	defer cancel()
	r := sync.Run(ctx, o)
	w.pop.Quiet()
	w.imap.Quiet()
	w.balanced(r)
	if o.Watch == &watch {
		watch.agrees(w.T, r)
	}
	if o.State != nil && !o.DryRun {
		w.remembered(o.State, r)
	}
	return r
}

// balanced holds for every report.
func (w *world) balanced(r sync.Report) {
	w.Helper()
	if r.Listed != r.Known+r.Quarantined+r.New ||
		r.New != r.Copied+r.Recognised+r.Refused+r.InDoubt+r.Vanished+r.Left {
		w.Errorf("the balance is wrong: %+v", r)
	}
	for name, n := range map[string]int{"New": r.New, "Left": r.Left} {
		if n < 0 {
			w.Errorf("%s is %d: %+v", name, n, r)
		}
	}
	if len(r.Refusals) != r.Refused {
		w.Errorf("got %d refusals for Refused %d", len(r.Refusals), r.Refused)
	}
}

// remembered checks that the state has the same report.
func (w *world) remembered(a *state.Account, r sync.Report) {
	w.Helper()
	last, ok, err := a.LastRun(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	if !ok || last.Ended.IsZero() {
		if sync.ClassOf(cmp.Or(r.Err, errors.New(""))) != sync.Temporary { // locked: there was no run
			w.Errorf("the state knows of no run that ended: %+v", last)
		}
		return
	}
	got := sync.Report{Listed: last.Listed, Known: last.Known, New: last.New, Copied: last.Copied,
		Recognised: last.Recognised, Refused: last.Refused, InDoubt: last.InDoubt, Vanished: last.Vanished,
		Left: last.Left, Quarantined: last.Quarantined, Bytes: last.Bytes}
	late := r.Err != nil && sync.ClassOf(r.Err) == sync.Bug // may have shown when all was done and said
	if counts(got) != counts(r) || got.Bytes != r.Bytes || (last.Error != "") != (r.Err != nil) && !late {
		w.Errorf("the state says %s (%q), the report %s (%v)", counts(got), last.Error, counts(r), r.Err)
	}
	if r.Err != nil && sync.ClassOf(r.Err) == sync.Stopped && last.Error != "stopped" {
		w.Errorf("the state says that a stopped run ended with %q", last.Error)
	}
}

// counts spells out what is not zero.
func counts(r sync.Report) string {
	var b strings.Builder
	for _, c := range []struct {
		name string
		n    int
	}{{"listed", r.Listed}, {"known", r.Known}, {"new", r.New}, {"copied", r.Copied}, {"recognised", r.Recognised},
		{"refused", r.Refused}, {"in doubt", r.InDoubt}, {"vanished", r.Vanished}, {"left", r.Left},
		{"quarantined", r.Quarantined}} {
		if c.n != 0 {
			fmt.Fprintf(&b, ", %d %s", c.n, c.name)
		}
	}
	return strings.TrimPrefix(b.String(), ", ")
}

// wants checks a report: its counts, and that it ended well.
func (w *world) wants(r sync.Report, want string) {
	w.Helper()
	if got := counts(r); got != want {
		w.Errorf("got  %s\nwant %s", got, want)
	}
	if r.Err != nil {
		w.Errorf("the run ended early: %v", r.Err)
	}
}

// fails checks a report: its counts, and the class of what ended it.
func (w *world) fails(r sync.Report, class sync.Class, want string) {
	w.Helper()
	if got := counts(r); got != want {
		w.Errorf("got  %s\nwant %s", got, want)
	}
	if r.Err == nil || sync.ClassOf(r.Err) != class {
		w.Errorf("got error %v, want one of class %d", r.Err, class)
	}
}

// holds checks what is in the folder, octet for octet and in order.
func (w *world) holds(mail ...lab.Mail) {
	w.Helper()
	got, err := w.imap.Messages(w.folder)
	if err != nil {
		w.Error(err)
		return
	}
	var have, want []string
	for _, m := range got {
		have = append(have, string(m.Raw))
	}
	for _, m := range mail {
		want = append(want, string(m.Raw))
	}
	if !slices.Equal(have, want) {
		w.Errorf("%s holds %d messages\n%.300q\nwant %d\n%.300q", w.folder, len(have), have, len(want), want)
	}
}

// said gives the commands of the last run that begin so.
func said(all []string, from int, prefix string) (list []string) {
	for _, c := range all[from:] {
		if strings.HasPrefix(strings.ToUpper(c), prefix) {
			list = append(list, c)
		}
	}
	return list
}

// asked gives what the last run said to the maildrop.
func (w *world) asked(verb string) []string { return said(w.pop.Commands(), w.heard, verb) }

// told gives what the last run said to the destination.
func (w *world) told(verb string) []string { return said(w.imap.Commands(), w.seen, verb) }

// silent checks that the last run said nothing of the kind to either server.
func (w *world) silent(verbs ...string) {
	w.Helper()
	for _, v := range verbs {
		if got := append(w.asked(v), w.told(v)...); len(got) != 0 {
			w.Errorf("the run said %q", got)
		}
	}
}

// records gives the whole memory.
func (w *world) records() (list []state.Record) {
	w.Helper()
	store, err := state.OpenReadOnly(w.Context(), w.state)
	if err != nil {
		w.Fatal(err)
	}
	defer store.Close()
	a, err := store.Find(w.Context(), key)
	if err != nil {
		w.Fatal(err)
	}
	for r, err := range a.Records(w.Context()) {
		if err != nil {
			w.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// edit changes the memory behind the program's back: time that passes.
func (w *world) edit(statement string) {
	w.Helper()
	db, err := sql.Open("sqlite", w.state)
	if err != nil {
		w.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(w.Context(), statement); err != nil {
		w.Fatal(err)
	}
}

// A watcher keeps what it is told.
type watcher struct {
	planned, outcomes, moved int
	results                  map[sync.Result]int
	notices                  []string
	doings                   []string
	pauses                   []string           // why; "" where it went on
	done                     func(sync.Outcome) // nil: nothing
	notice                   func(string)       // nil: nothing
}

func (w *watcher) Planned(n int, _ int64) { w.planned = n }
func (w *watcher) Moved(n int)            { w.moved += n }
func (w *watcher) Doing(what string)      { w.doings = append(w.doings, what) }

func (w *watcher) Paused(_ time.Time, why string) { w.pauses = append(w.pauses, why) }
func (w *watcher) Notice(text string) {
	w.notices = append(w.notices, text)
	if w.notice != nil {
		w.notice(text)
	}
}
func (w *watcher) Done(o sync.Outcome) {
	if w.results == nil {
		w.results = map[sync.Result]int{}
	}
	w.results[o.Result]++
	w.outcomes++
	if w.done != nil {
		w.done(o)
	}
}

// agrees checks that what was told along the way comes to the same as the report.
func (w *watcher) agrees(t *testing.T, r sync.Report) {
	t.Helper()
	if w.results == nil {
		return
	}
	w.results[sync.Copied] -= w.results[sync.Missed] // told of as copied before
	for result, n := range map[sync.Result]int{sync.Copied: r.Copied, sync.RefusedOne: r.Refused, sync.Gone: r.Vanished} {
		if w.results[result] != n {
			t.Errorf("told of %d %s, the report says %d", w.results[result], result, n)
		}
	}
}
