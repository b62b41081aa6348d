package cuts

import (
	"context"
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

const user, password, folder = "alice", "open sesame", "INBOX"

var key = state.Key{From: "alice@pop.example", To: "alice@imap.example"}

// settle is long enough for an embedded server to store what has come to it, also where others work.
const settle = 200 * time.Millisecond

// A place is where a server is, or a line to it.
type place interface{ Addr() (string, int) }

// A world is a maildrop, a mailbox, and the memory of what came from the one to the other.
type world struct {
	*testing.T
	pop     *lab.POP3
	imap    *lab.IMAP
	popAt   place // where a run finds the maildrop
	imapAt  place // where a run finds the mailbox
	state   string
	notice  func(string) // hears what a run says; nil: nobody does
	change  func(*sync.Options)
	appends int // what the mailbox had heard before the last run
}

// create starts both servers with mail in the maildrop.
func create(t *testing.T, p lab.POP3Options, i lab.IMAPOptions, mail ...lab.Mail) *world {
	t.Helper()
	p.User, p.Password, i.User, i.Password = user, password, user, password
	pop, err := lab.StartPOP3(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pop.Close)
	pop.SetMail(mail)
	box, err := lab.StartIMAP(i)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(box.Close)
	return &world{T: t, pop: pop, imap: box, popAt: pop, imapAt: box, state: filepath.Join(t.TempDir(), "state.db")}
}

// proxy puts a line in front of a server.
func (w *world) proxy(to place, o lab.ProxyOptions) *lab.Proxy {
	w.Helper()
	host, port := to.Addr()
	p, err := lab.StartProxy(fmt.Sprintf("%s:%d", host, port), o)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(p.Close)
	return p
}

// server is how package wire is told of a place.
func server(at place) wire.Server {
	host, port := at.Addr()
	return wire.Server{Host: host, Port: port, Security: wire.Cleartext, Timeout: 20 * time.Second}
}

// options are those of a run, as cmd/pop2imap makes them. It does not try again by itself.
func (w *world) options() sync.Options {
	return sync.Options{
		From: func(ctx context.Context) (sync.Source, error) {
			s, err := pop3.Dial(ctx, server(w.popAt), pop3.Login{User: user, Password: password})
			if err != nil {
				return nil, err
			}
			return s, nil
		},
		To: func(ctx context.Context) (sync.Destination, error) {
			s, err := imap.Dial(ctx, server(w.imapAt), imap.Login{User: user, Password: password})
			if err != nil {
				return nil, err
			}
			return s, nil
		},
		Folder: folder, Settle: settle, Watch: watcher{w},
	}
}

// run is one run of the program: it opens the state and closes it again.
func (w *world) run(change ...func(*sync.Options)) sync.Report {
	w.Helper()
	w.appends = len(w.told("APPEND"))
	store, err := state.Open(context.Background(), w.state)
	if err != nil {
		w.Fatal(err)
	}
	defer store.Close()
	o := w.options()
	if o.State, err = store.Account(context.Background(), "alice", key); err != nil {
		w.Fatal(err)
	}
	if w.change != nil {
		w.change(&o)
	}
	for _, c := range change {
		c(&o)
	}
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute) // no run of a test takes as long
	defer cancel()
	return sync.Run(ctx, o)
}

// ends checks that a run ended well.
func (w *world) ends(r sync.Report) {
	w.Helper()
	if r.Err != nil || r.InDoubt+r.Left+r.Refused+r.Vanished+r.Missing != 0 {
		w.Errorf("the run ended with %v: %s", r.Err, counts(r))
	}
}

// fails checks that a run ended because of something that passes, or did not notice it.
func (w *world) fails(r sync.Report) {
	w.Helper()
	if r.Err != nil && sync.ClassOf(r.Err) != sync.Temporary {
		w.Errorf("the run ended with %v, of class %d: %s", r.Err, sync.ClassOf(r.Err), counts(r))
	}
}

// changesNothing is a run after which all is as before.
func (w *world) changesNothing() {
	w.Helper()
	before := w.there()
	r := w.run()
	w.ends(r)
	if r.New != 0 || r.Deleted != 0 || len(w.told("APPEND")) != w.appends || !slices.Equal(w.there(), before) {
		w.Errorf("one more run: %s, %d appended, %d messages", counts(r), len(w.told("APPEND"))-w.appends, len(w.there()))
	}
}

// there is what the mailbox holds.
func (w *world) there() (raw []string) {
	w.Helper()
	list, err := w.imap.Messages(folder)
	if err != nil {
		w.Fatal(err)
	}
	for _, m := range list {
		raw = append(raw, string(m.Raw))
	}
	return raw
}

// holds checks what is in the mailbox, octet for octet and in order.
func (w *world) holds(mail ...lab.Mail) {
	w.Helper()
	var want []string
	for _, m := range mail {
		want = append(want, string(m.Raw))
	}
	if got := w.there(); !slices.Equal(got, want) {
		w.Errorf("the mailbox holds %d messages\n%s\nwant %d\n%s", len(got), short(got), len(want), short(want))
	}
}

// short shows the beginning of some messages.
func short(raw []string) string {
	return fmt.Sprintf("%.1000s", fmt.Sprintf("%q", raw))
}

// noneTwice checks that there are no more copies of a content than occurrences in the maildrop.
func (w *world) noneTwice(mail ...lab.Mail) {
	w.Helper()
	left := map[string]int{}
	for _, m := range mail {
		left[string(m.Raw)]++
	}
	for _, raw := range w.there() {
		if left[raw]--; left[raw] < 0 {
			w.Errorf("once too often: %.100q", raw)
		}
	}
}

// told gives what was said to the mailbox that begins so.
func (w *world) told(prefix string) []string { return said(w.imap.Commands(), prefix) }

// asked gives what was said to the maildrop that begins so.
func (w *world) asked(prefix string) []string { return said(w.pop.Commands(), prefix) }

func said(all []string, prefix string) []string {
	return slices.DeleteFunc(all, func(c string) bool { return !strings.HasPrefix(strings.ToUpper(c), prefix) })
}

// counts spells out a report.
func counts(r sync.Report) string {
	return fmt.Sprintf("%d listed, %d known, %d new, %d copied, %d recognised, %d refused, %d in doubt, %d vanished, %d left, "+
		"%d missing, %d deleted", r.Listed, r.Known, r.New, r.Copied, r.Recognised, r.Refused, r.InDoubt, r.Vanished, r.Left,
		r.Missing, r.Deleted)
}

// A watcher passes on the notices.
type watcher struct{ w *world }

func (watcher) Planned(int, int64) {}
func (watcher) Moved(int)          {}
func (watcher) Done(sync.Outcome)  {}
func (watcher) Doing(string)       {}

func (watcher) Paused(time.Time, string) {}
func (v watcher) Notice(text string) {
	if v.w.notice != nil {
		v.w.notice(text)
	}
}

// mail is a small message of its own kind: its UIDL is its name. It has a line that begins with a dot.
func mail(name string) lab.Mail {
	return lab.Mail{UIDL: name, Raw: []byte("Message-ID: <" + name + "@x>\r\nDate: 3 Mar 2025 10:00:00 +0100\r\n\r\n.\r\n..x\r\n")}
}

// as is the same message under another UIDL.
func as(m lab.Mail, uidl string) lab.Mail {
	m.UIDL = uidl
	return m
}
