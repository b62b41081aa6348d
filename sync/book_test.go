package sync_test

import (
	"context"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// A server whose LIST only estimates says other sizes in the next session of a run. That makes no message another one: each
// is counted once, and none is left in doubt that was found.
func TestSizesThatChangeBetweenTheSessionsOfARun(t *testing.T) {
	for _, fate := range []lab.Fate{lab.Cut, lab.CutReply} {
		for n := 1; n <= 2; n++ {
			drop := []lab.Mail{mail("a"), mail("b"), mail("c")}
			w, hook := lossy(t, n, fate, nil, drop...)
			hook.Then = func() { w.POP.SetMail(estimated(drop)) }
			w.wants(w.run(func(o *sync.Options) { o.Patience = time.Minute }), "3 listed, 3 new, 3 copied")
			w.Holds(drop...)
			w.wants(w.run(), "3 listed, 3 known")
			if t.Failed() {
				t.Fatalf("fate %v at APPEND %d", fate, n)
			}
		}
	}
}

// estimated is the same mail with other sizes in LIST.
func estimated(drop []lab.Mail) (list []lab.Mail) {
	for _, m := range drop {
		m.Size = int64(len(m.Raw)) + 2
		list = append(list, m)
	}
	return list
}

// In the session that deletes a size tells no more: what is known stays so, and what is in doubt.
func TestSizesThatChangeBeforeADeletion(t *testing.T) {
	drop := []lab.Mail{mail("a"), mail("b"), mail("c")}
	var lies trap
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: lies.Fate(lab.Lie)}, drop...)
	w.wants(w.run(func(o *sync.Options) { o.Narrow.Messages = 2 }), "3 listed, 3 new, 2 copied, 1 left")
	lies.Set("APPEND", 1)
	r := w.run(deleting, func(o *sync.Options) {
		from, sessions := o.From, 0
		o.From = func(ctx context.Context) (sync.Source, error) {
			if sessions++; sessions == 2 {
				w.POP.SetMail(estimated(drop))
			}
			return from(ctx)
		}
	})
	w.wants(r, "3 listed, 2 known, 1 new, 1 in doubt")
	w.left("a", "b", "c")
}
