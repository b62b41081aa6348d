package cuts

import (
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// late is a world in which the answer to the first APPEND is lost, and which stores it only when Commit says so.
func late(t *testing.T, then func()) *world {
	t.Helper()
	appends := 0
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: func(_ int, command string) lab.Fate {
		if !strings.HasPrefix(command, "APPEND") {
			return lab.Execute
		}
		if appends++; appends == 1 {
			return lab.CutLate
		}
		then()
		return lab.Execute
	}}, three...)
	if r := w.Run(); r.InDoubt != 1 || sync.ClassOf(r.Err) != sync.Temporary {
		t.Fatalf("the first run: %+v", r)
	}
	return w
}

// commit stores what is late when the n-th wait of a run begins.
func (w *world) commit(n int) {
	w.Helper()
	waits := 0
	w.OnNotice = func(text string) {
		if !strings.Contains(text, "waiting") {
			return
		}
		if waits++; waits == n {
			if err := w.IMAP.Commit(); err != nil {
				w.Error(err)
			}
		}
	}
}

// The server stores what it had when the line died while the next run waits for it.
func TestLateCommitWithinASettle(t *testing.T) {
	w := late(t, func() {})
	w.commit(1)
	w.ends(w.Run())
	w.Holds(three...)
	w.changesNothing()
}

// As something else came into the folder, the run waits for one more settle.
func TestLateCommitWithinTwoSettles(t *testing.T) {
	w := late(t, func() {})
	other := mail("of another client")
	if _, err := w.IMAP.Put(folder, other.Raw, nil, time.Time{}); err != nil {
		t.Fatal(err)
	}
	w.commit(2)
	w.ends(w.Run())
	w.Holds(append([]lab.Mail{other}, three...)...)
	w.changesNothing()
}

// This is the limit of the promise: a server that stores a message after we have waited for it, and after it was sent once
// more, has it twice. Nothing is lost, the copies of the records are proved, and no further run makes it worse.
func TestLateCommitAfterSettlingIsADuplicate(t *testing.T) {
	var w *world
	w = late(t, func() {
		if err := w.IMAP.Commit(); err != nil {
			t.Error(err)
		}
	})
	w.ends(w.Run())
	w.Holds(append(three[:1:1], three...)...)
	for _, rec := range w.Records() {
		if rec.Phase != state.PhaseVerified || rec.UID <= 1 {
			t.Errorf("the record of %q is %v at UID %d, want the one that was sent last", rec.UIDL, rec.Phase, rec.UID)
		}
	}
	w.changesNothing()
}

// The kernel of a program that died goes on sending: what it had arrives while the next run waits.
func TestOctetsThatArriveAfterTheSenderDied(t *testing.T) {
	t.Parallel()
	const delay = 100 * time.Millisecond
	k, l := imapKinds[0], line{imap: true, way: lab.Up, drain: true}
	whole := octets(t, k, l)
	doubts := 0
	for after := whole / 2; after < whole; after += whole / 10 {
		w, _ := lined(t, k, l, nil)
		w.To = w.proxy(w.IMAP, lab.ProxyOptions{Delay: delay, Break: &lab.Break{Way: lab.Up, After: after, Drain: true}})
		patient := func(o *sync.Options) { o.Settle = 10 * delay }
		r := w.Run(patient)
		w.fails(r)
		doubts += r.InDoubt
		w.To = w.IMAP
		w.ends(w.Run(patient))
		w.Holds(three...)
		w.changesNothing()
	}
	if doubts == 0 {
		t.Error("no cut left anything in doubt")
	}
}
