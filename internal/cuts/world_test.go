package cuts

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
	"github.com/pop2imap/pop2imap/sync"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const folder = "INBOX"

// A world is one of package trial, and what these tests want of it.
type world struct{ *trial.World }

// create starts both servers with mail in the maildrop. A run settles for long enough for an embedded server to store what
// has come to it, also where others work.
func create(t *testing.T, p lab.POP3Options, i lab.IMAPOptions, mail ...lab.Mail) *world {
	t.Helper()
	w := &world{trial.Start(t, t.TempDir(), p, i, mail...)}
	w.Always = []func(*sync.Options){func(o *sync.Options) { o.Settle = 200 * time.Millisecond }}
	return w
}

// proxy puts a line in front of a server.
func (w *world) proxy(to trial.Place, o lab.ProxyOptions) *lab.Proxy {
	w.Helper()
	host, port := to.Addr()
	p, err := lab.StartProxy(fmt.Sprintf("%s:%d", host, port), o)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(p.Close)
	return p
}

// ends checks that a run ended well.
func (w *world) ends(r sync.Report) {
	w.Helper()
	if r.Err != nil || r.InDoubt+r.Left+r.Refused+r.Vanished+r.Missing != 0 {
		w.Errorf("the run ended with %v: %+v", r.Err, r)
	}
}

// fails checks that a run ended because of something that passes, or did not notice it.
func (w *world) fails(r sync.Report) {
	w.Helper()
	if r.Err != nil && sync.ClassOf(r.Err) != sync.Temporary {
		w.Errorf("the run ended with %v, of class %d: %+v", r.Err, sync.ClassOf(r.Err), r)
	}
}

// changesNothing is a run after which all is as before.
func (w *world) changesNothing() {
	w.Helper()
	before := w.There()
	r := w.Run()
	w.ends(r)
	appends, after := w.Told("APPEND"), w.There()
	if r.New != 0 || r.Deleted != 0 || len(appends) != 0 || !slices.Equal(after, before) {
		w.Errorf("one more run: %+v, %d appended, %d messages", r, len(appends), len(after))
	}
}

// noneTwice checks that there are no more copies of a content than occurrences in the maildrop.
func (w *world) noneTwice(mail ...lab.Mail) {
	w.Helper()
	left := map[string]int{}
	for _, m := range mail {
		left[string(m.Raw)]++
	}
	for _, raw := range w.There() {
		if left[raw]--; left[raw] < 0 {
			w.Errorf("once too often: %.100q", raw)
		}
	}
}

// mail is a small message of its own kind: its UIDL is its name. It has a line that begins with a dot.
func mail(name string) lab.Mail {
	return lab.Mail{UIDL: name, Raw: []byte("Message-ID: <" + name + "@x>\r\nDate: 3 Mar 2025 10:00:00 +0100\r\n\r\n.\r\n..x\r\n")}
}
