package sync_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// One folder was made anew, and lost what it had. What was in it stays at the source; the rest is deleted there.
func TestOneOfSeveralFoldersWasMadeAnew(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{Without: v}, three(3)...)
		w.wants(w.run(routed), "9 listed, 9 new, 9 copied")
		if err := w.IMAP.Renumber("Sent"); err != nil {
			t.Fatal(err)
		}
		list, err := w.IMAP.Messages("Sent")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list[1:] {
			if err := w.IMAP.Remove("Sent", m.UID); err != nil {
				t.Fatal(err)
			}
		}
		if got, _ := w.verifies(); got.Proved != 7 || got.Absent != 2 || got.Err != nil {
			t.Errorf("got %+v, want 7 proved and 2 absent", got)
		}
		w.wants(w.run(routed, func(o *sync.Options) { o.Delete.On = true }), "9 listed, 9 known")
		left := w.POP.Mail()
		if len(left) != 2 || left[0].UIDL != "s0001" || left[1].UIDL != "s0002" {
			t.Errorf("left in the maildrop: %d", len(left))
		}
	})
}

// A reply is lost, and then one of the folders is made anew: its message is found by its octets.
func TestUIDValidityOfOneFolderChangedWhileInDoubt(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		for n := 1; n <= 4; n++ {
			w, _ := lossy(t, n, lab.CutReply, v, three(3)...)
			first := w.run(routed)
			for _, folder := range w.IMAP.Folders() {
				if folder == "Sent" {
					if err := w.IMAP.Renumber("Sent"); err != nil {
						t.Fatal(err)
					}
				}
			}
			w.found(w.run(routed))
			for folder, kind := range map[string]string{"INBOX": "a", "Sent": "s", "Lists/Go": "l"} {
				w.HoldsIn(folder, of(three(3), kind)...)
			}
			if first.Err == nil {
				t.Error("no reply was lost")
			}
		}
	})
}

// Someone removes a folder while mail for it is on its way. It is made anew once; whoever removes it again gets nothing
// more into it, and the other folders get what is theirs.
func TestOneOfSeveralFoldersIsRemovedMeanwhile(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		for most, want := range map[int]string{1: "9 listed, 9 new, 9 copied", 100: "9 listed, 9 new, 6 copied, 3 refused"} {
			var w *world
			removed := 0
			w = create(t, lab.POP3Options{}, lab.IMAPOptions{Without: v, Hook: func(_ int, command string) lab.Fate {
				if strings.HasPrefix(command, `APPEND "Lists/Go"`) && removed < most {
					if slices.Contains(w.IMAP.Folders(), "Lists/Go") {
						w.do(remove("Lists/Go"))
						removed++
					}
				}
				return lab.Execute
			}}, three(3)...)
			r := w.run(routed)
			w.wants(r, want)
			w.HoldsIn("INBOX", of(three(3), "a")...)
			w.HoldsIn("Sent", of(three(3), "s")...)
			if most == 1 {
				w.sorted(three(3))
			} else if got := r.Refusals[0]; got.Code != "TRYCREATE" || got.Folder != "Lists/Go" {
				t.Errorf("got %+v", got)
			}
		}
	})
}

// A closedFolder is a destination that does not let one look into a folder any more.
type closedFolder struct {
	sync.Destination
	name string
}

func (c closedFolder) Open(ctx context.Context, folder string, create bool) (sync.Folder, error) {
	if folder == c.name {
		return sync.Folder{}, &sync.Error{Class: sync.Unavailable, Err: errors.New("cannot open it"), Server: "NO [NOPERM] not yours"}
	}
	return c.Destination.Open(ctx, folder, create)
}

// closing makes the destination one with a closed folder.
func closing(folder string) func(*sync.Options) {
	return func(o *sync.Options) {
		to := o.To
		o.To = func(ctx context.Context) (sync.Destination, error) {
			d, err := to(ctx)
			return closedFolder{d, folder}, err
		}
	}
}

// A folder into which nobody may look any more: what is in doubt there stays so, what was stored there is not deleted at the
// source, and the others go on.
func TestOneOfSeveralFoldersIsClosed(t *testing.T) {
	t.Run("while settling", func(t *testing.T) {
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: func(_ int, command string) lab.Fate {
			if strings.HasPrefix(command, `APPEND "Sent"`) {
				return lab.CutReply
			}
			return lab.Execute
		}}, three(2)...)
		w.lost(w.run(routed))
		r := w.run(routed, closing("Sent"))
		if r.Err != nil || r.InDoubt != 2 || r.Known+r.Copied != 4 {
			t.Errorf("got %s (%v), want 2 in doubt and the others there", counts(r), r.Err)
		}
		w.found(w.run(routed))
		w.sorted(three(2))
	})
	t.Run("before the read-back", func(t *testing.T) {
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, three(2)...)
		w.wants(w.run(routed, func(o *sync.Options) { o.Verify = sync.Unproved }), "6 listed, 6 new, 6 copied")
		remove := func(o *sync.Options) { o.Delete.On = true }
		w.wants(w.run(routed, closing("Sent"), remove), "6 listed, 6 known")
		if left := w.POP.Mail(); len(left) != 2 || left[0].UIDL != "s0000" || left[1].UIDL != "s0001" {
			t.Errorf("%d are left in the maildrop, want those in Sent", len(left))
		}
		if v, absent := w.verifies(closing("Sent")); v != (sync.Verification{Proved: 4, Unsure: 2}) || absent != "" {
			t.Errorf("got %+v", v)
		}
		w.wants(w.run(routed, remove), "2 listed, 2 known")
		w.sorted(three(2))
	})
	t.Run("after it", func(t *testing.T) {
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, three(2)...)
		w.wants(w.run(routed), "6 listed, 6 new, 6 copied")
		w.wants(w.run(routed, closing("Sent"), func(o *sync.Options) { o.Delete.On = true }), "6 listed, 6 known")
		if left := w.POP.Mail(); len(left) != 2 || left[0].UIDL != "s0000" || left[1].UIDL != "s0001" {
			t.Errorf("%d are left in the maildrop, want those in Sent", len(left))
		}
	})
	t.Run("before anything is stored there", func(t *testing.T) {
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, three(2)...)
		r := w.run(routed, closing("Sent"))
		w.wants(r, "6 listed, 6 new, 4 copied, 2 refused")
		if got := r.Refusals[0]; got.Server != "NO [NOPERM] not yours" || got.Folder != "Sent" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("and what is missing there is tried again", func(t *testing.T) {
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, three(1)...)
		w.wants(w.run(routed), "3 listed, 3 new, 3 copied")
		w.Edit("UPDATE record SET phase = 'missing', uid = 0 WHERE folder = 'Sent'")
		r := w.run(routed, closing("Sent"), func(o *sync.Options) { o.Retry = true })
		w.wants(r, "3 listed, 2 known, 1 new, 1 in doubt")
	})
}
