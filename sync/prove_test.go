package sync_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

func TestReadBack(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		for level, want := range map[sync.Level]string{sync.BySize: "verified size", sync.ByDigest: "verified digest",
			sync.Unproved: "stored "} {
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{Without: v}, mail("a"), anonymous("b"), mail("a"))
			w.wants(w.run(func(o *sync.Options) { o.Verify = level }), "3 listed, 3 new, 3 copied")
			for _, rec := range w.Records() {
				if got := rec.Phase.String() + " " + rec.Proof; got != want || rec.Keep != "" {
					t.Errorf("level %v: got %q, keep %q", level, got, rec.Keep)
				}
			}
			if level == sync.ByDigest && len(w.Told("UID FETCH")) == 0 {
				t.Error("nothing was read")
			}
		}
	})
}

// What an interrupted run did not read back is read back by the next.
func TestReadBackIsMadeUpFor(t *testing.T) {
	var hook trap
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: hook.Fate(lab.Cut)}, mail("a"), mail("b"))
	hook.Set("UID FETCH", 1)
	w.fails(w.run(), sync.Temporary, "2 listed, 2 new, 2 copied")
	w.wants(w.run(), "2 listed, 2 known")
	if got := w.phases(); got != "verified verified" {
		t.Errorf("got records %s", got)
	}
	w.wants(w.run(), "2 listed, 2 known")
	if len(w.Told("LOGIN")) != 0 {
		t.Error("the destination was opened for nothing")
	}
}

// deceived is a world whose server has said OK to two messages and stored nothing, and goes on so until it is honest.
func deceived(t *testing.T, v variant) (*world, *atomic.Bool) {
	t.Helper()
	var honest atomic.Bool
	hook := func(n int, command string) lab.Fate {
		if !honest.Load() {
			return lying(n, command)
		}
		return lab.Execute
	}
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: hook, Without: v}, mail("a"), mail("b"))
	w.wants(w.run(), "2 listed, 2 new, 2 in doubt")
	return w, &honest
}

// A server that says OK and stores nothing: the message is in doubt, and sent again when the user wants it.
func TestAServerThatLies(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		w, honest := deceived(t, v)
		honest.Store(true)
		w.wants(w.run(), "2 listed, 2 new, 2 in doubt")
		w.silent("APPEND")
		w.Holds()
		w.wants(w.run(func(o *sync.Options) { o.Retry = true }), "2 listed, 2 new, 2 copied")
		w.Holds(mail("a"), mail("b"))
		w.wants(w.run(), "2 listed, 2 known")
	})
}

// A filter that moves mail at once is no loss.
func TestMailThatAFilterMoves(t *testing.T) {
	var w *world
	var moved atomic.Bool
	hook := func(_ int, command string) lab.Fate {
		if strings.HasPrefix(command, "UID FETCH") && !moved.Swap(true) {
			if _, err := w.IMAP.Move("INBOX", "Spam", 1); err != nil {
				w.Error(err)
			}
		}
		return lab.Execute
	}
	w = create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: hook, SpecialUse: map[string]imap.MailboxAttr{"Spam": imap.MailboxAttrJunk}},
		mail("a"), mail("b"))
	w.wants(w.run(), "2 listed, 2 new, 2 copied")
	if got := w.phases(); got != "verified verified" {
		t.Errorf("got records %s", got)
	}
	w.wants(w.run(), "2 listed, 2 known")
}

// Gmail says OK to a second message of the same kind, and keeps one.
func TestAServerThatKeepsOneOfSeveral(t *testing.T) {
	var n atomic.Int32
	hook := func(_ int, command string) lab.Fate {
		if strings.HasPrefix(command, "APPEND") {
			if n.Add(1) == 2 {
				return lab.Lie
			}
		}
		return lab.Execute
	}
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: hook, Without: variant{imap.CapMultiAppend, imap.CapLiteralPlus}},
		mail("a"), as(mail("a"), "a2"))
	w.wants(w.run(deleting), "2 listed, 2 new, 2 copied")
	w.Holds(mail("a"))
	if recs := w.Records(); recs[1].Phase != state.PhaseVerified || recs[1].Keep == "" {
		t.Errorf("got %+v, want it verified and kept at the source", recs[1])
	}
	w.left("a2")
}

func TestVerify(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"), mail("b"), mail("c"), mail("d"))
	w.run(func(o *sync.Options) { o.Delete = sync.Deletion{On: true, Age: time.Nanosecond} })
	w.left()
	w.Listen()
	if err := w.IMAP.Remove("INBOX", 2); err != nil {
		t.Fatal(err)
	}
	if _, err := w.IMAP.Move("INBOX", "INBOX", 3); err != nil { // another UID in the same folder
		t.Fatal(err)
	}
	for _, level := range []sync.Level{sync.BySize, sync.ByDigest} {
		v, absent := w.verifies(func(o *sync.Options) { o.Verify = level })
		if v.Err != nil || v.Proved != 3 || v.Absent != 1 || v.Unsure != 0 || absent != "b" {
			t.Errorf("got %+v and %q, want 3 proved and b absent", v, absent)
		}
	}
	w.silent("STORE", "SELECT", "EXPUNGE", "APPEND")
	if got := w.phases(); got != "deleted deleted deleted deleted" {
		t.Errorf("got records %s", got)
	}
}

// What is in doubt may be there after all when the user wants it to be sent again: it gets no second copy.
func TestRetryOfWhatIsThereAfterAll(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		w, honest := deceived(t, v)
		honest.Store(true)
		w.put(mail("a"))
		w.wants(w.run(func(o *sync.Options) { o.Retry = true }), "2 listed, 1 known, 1 new, 1 copied")
		w.Holds(mail("a"), mail("b"))
		w.wants(w.run(), "2 listed, 2 known")
	})
	t.Run("where the destination had said", func(t *testing.T) {
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"), mail("b"))
		w.wants(w.run(), "2 listed, 2 new, 2 copied")
		w.Edit("UPDATE record SET phase = 'missing'")
		w.wants(w.run(func(o *sync.Options) { o.Retry = true }), "2 listed, 2 known")
		w.Holds(mail("a"), mail("b"))
	})
	t.Run("in the folder where it is to go now", func(t *testing.T) {
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"), mail("b"))
		w.wants(w.run(func(o *sync.Options) { o.NoDedup = true }), "2 listed, 2 new, 2 copied")
		w.Edit("UPDATE record SET phase = 'missing', folder = 'Old'")
		w.wants(w.run(func(o *sync.Options) { o.Retry = true }), "2 listed, 2 new, 2 recognised")
		w.Holds(mail("a"), mail("b"))
	})
}
