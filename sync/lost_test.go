package sync_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
	"github.com/pop2imap/pop2imap/sync"
)

// lossy is a world whose n-th APPEND loses its reply, stored or not.
func lossy(t *testing.T, n int, f lab.Fate, v variant, mail ...lab.Mail) (*world, *trap) {
	hook := new(trap)
	o := lab.IMAPOptions{Hook: hook.Fate(f), Without: v}
	w := create(t, lab.POP3Options{}, o, mail...)
	hook.Set("APPEND", n)
	return w, hook
}

// A variant is what the destination lacks: it stores several messages in one command or not, says where or not, takes a
// message that it has not asked for or not.
type variant []imap.Cap

func both(t *testing.T, test func(t *testing.T, v variant)) {
	for _, v := range []variant{nil, {imap.CapUIDPlus}, {imap.CapMultiAppend}, {imap.CapMultiAppend, imap.CapUIDPlus},
		{imap.CapMultiAppend, imap.CapUIDPlus, imap.CapLiteralPlus}} {
		t.Run(fmt.Sprintf("without %v", v), func(t *testing.T) { test(t, v) })
	}
}

// lost checks a run of three messages that lost a reply.
func (w *world) lost(r sync.Report) {
	w.Helper()
	if r.InDoubt == 0 || r.Copied+r.InDoubt+r.Left != r.Listed || sync.ClassOf(r.Err) != sync.Temporary {
		w.Errorf("got %s (%v), want some in doubt", counts(r), r.Err)
	}
	w.silent("QUIT")
}

// found checks a run that settled what lost left open.
func (w *world) found(r sync.Report) {
	w.Helper()
	if r.Known+r.Recognised+r.Copied != r.Listed || r.Err != nil {
		w.Errorf("got %s (%v), want none in doubt", counts(r), r.Err)
	}
}

func TestLostReply(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		for _, fate := range []lab.Fate{lab.Cut, lab.CutReply} {
			for n := 1; n <= 2; n++ {
				drop := []lab.Mail{mail("a"), mail("b"), mail("c")}
				w, _ := lossy(t, n, fate, v, drop...)
				first := w.run()
				w.lost(first)
				r := w.run()
				w.found(r)
				if fate == lab.CutReply && r.Recognised == 0 || fate == lab.Cut && r.Copied == 0 || r.Known != first.Copied {
					t.Errorf("got %s after %s", counts(r), counts(first))
				}
				w.Holds(drop...)
				w.placed()
				w.wants(w.run(), "3 listed, 3 known")
			}
		}
	})
}

// Of two identical messages, each must be accounted for by a copy of its own.
func TestIdenticalMessagesAroundALostReply(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		for _, m := range []lab.Mail{mail("a"), anonymous("a")} {
			for _, fate := range []lab.Fate{lab.Cut, lab.CutReply} {
				for n := 1; n <= 2; n++ {
					w, _ := lossy(t, n, fate, v, m, as(m, "a2"), as(m, "a3"))
					w.lost(w.run())
					w.found(w.run())
					w.Holds(m, m, m)
					w.placed()
				}
			}
		}
	})
}

// Replies are lost run after run; still every message comes once.
func TestLostRepliesAgainAndAgain(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		drop := []lab.Mail{mail("a"), mail("b"), mail("a"), anonymous("c"), as(anonymous("c"), "c2")}
		w, hook := lossy(t, 1, lab.CutReply, v, drop...)
		for range drop {
			hook.Set("APPEND", 1)
			if r := w.run(); r.InDoubt != 1 {
				t.Errorf("got %s (%v)", counts(r), r.Err)
			}
		}
		w.wants(w.run(), "5 listed, 4 known, 1 new, 1 recognised")
		w.Holds(drop...)
		w.placed()
	})
}

func TestLineCutWhileSettling(t *testing.T) {
	for _, command := range []string{"LOGIN", "EXAMINE", "UID FETCH"} {
		t.Run(command, func(t *testing.T) {
			w, hook := lossy(t, 2, lab.CutReply, nil, mail("a"), mail("b"), mail("c"))
			w.lost(w.run())
			hook.Set(command, 1)
			w.fails(w.run(), sync.Temporary, "")
			if n := len(w.Asked("")); n != 0 {
				t.Errorf("the maildrop heard %d commands before settling was done", n)
			}
			w.wants(w.run(), "3 listed, 1 known, 2 new, 2 recognised")
			w.Holds(mail("a"), mail("b"), mail("c"))
		})
	}
}

func TestLostReplyWithoutUIDL(t *testing.T) {
	for _, noTop := range []bool{false, true} {
		for _, fate := range []lab.Fate{lab.Cut, lab.CutReply} {
			var hook trap
			drop := []lab.Mail{mail("a"), anonymous("b"), anonymous("b"), mail("c")}
			w := create(t, lab.POP3Options{NoUIDL: true, NoTOP: noTop}, lab.IMAPOptions{Hook: hook.Fate(fate)}, drop...)
			for range 3 {
				hook.Set("APPEND", 2)
				w.run()
			}
			hook.Set("APPEND", 0)
			if r := w.run(); r.Err != nil || r.InDoubt+r.Left != 0 {
				t.Errorf("got %s (%v)", counts(r), r.Err)
			}
			w.wants(w.run(), "4 listed, 4 known")
			w.Holds(drop...)
		}
	}
}

func TestRefusedMessageWhoseSecondReplyIsLost(t *testing.T) {
	for _, fate := range []lab.Fate{lab.Cut, lab.CutReply} {
		var hook trap
		o := refusing("This is a", no(""))
		refuse := o.RefuseAppend
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: hook.Fate(fate),
			RefuseAppend: func(n int64, raw []byte) error {
				if refuse != nil {
					return refuse(n, raw)
				}
				return nil
			}}, mail("a"))
		w.wants(w.run(), "1 listed, 1 new, 1 refused")
		refuse = nil
		w.Edit("UPDATE record SET next_try = 1")
		hook.Set("APPEND", 1)
		w.fails(w.run(), sync.Temporary, "1 listed, 1 new, 1 in doubt")
		if fate == lab.Cut {
			w.wants(w.run(), "1 listed, 1 new, 1 copied")
		} else {
			w.wants(w.run(), "1 listed, 1 new, 1 recognised")
		}
		w.Holds(mail("a"))
	}
}

// do gives commands to the destination that another mail program could give.
func (w *world) do(each ...func(*imapclient.Client) error) {
	w.Helper()
	host, port := w.IMAP.Addr()
	c, err := imapclient.DialInsecure(fmt.Sprintf("%s:%d", host, port), nil)
	if err != nil {
		w.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(trial.User, trial.Password).Wait(); err != nil {
		w.Fatal(err)
	}
	for _, f := range each {
		if err := f(c); err != nil {
			w.Fatal(err)
		}
	}
}

func remove(folder string) func(*imapclient.Client) error {
	return func(c *imapclient.Client) error { return c.Delete(folder).Wait() }
}

func remake(folder string) func(*imapclient.Client) error {
	return func(c *imapclient.Client) error { return c.Create(folder, nil).Wait() }
}

func rename(from, to string) func(*imapclient.Client) error {
	return func(c *imapclient.Client) error { return c.Rename(from, to, nil).Wait() }
}

// renumber gives all messages of a folder new UIDs under a new UIDVALIDITY, as restoring a backup does.
func renumber(folder string) func(*imapclient.Client) error {
	return func(c *imapclient.Client) error {
		for _, step := range []func(*imapclient.Client) error{rename(folder, "Old"), remake(folder)} {
			if err := step(c); err != nil {
				return err
			}
		}
		if _, err := c.Select("Old", nil).Wait(); err != nil {
			return err
		}
		_, err := c.Copy(imap.SeqSet{{Start: 1, Stop: 0}}, folder).Wait()
		return err
	}
}

func TestFolderChangesBeforeSettling(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		for _, c := range []struct {
			name   string
			fate   lab.Fate
			change []func(*imapclient.Client) error
			there  string
		}{
			{"deleted", lab.CutReply, []func(*imapclient.Client) error{remove("Archive")}, "bc"},
			{"made anew", lab.CutReply, []func(*imapclient.Client) error{remove("Archive"), remake("Archive")}, "bc"},
			{"renumbered, stored", lab.CutReply, []func(*imapclient.Client) error{renumber("Archive")}, "abc"},
			{"renumbered, not stored", lab.Cut, []func(*imapclient.Client) error{renumber("Archive")}, "abc"},
		} {
			t.Run(c.name, func(t *testing.T) {
				hook := new(trap)
				w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: hook.Fate(c.fate), Without: v},
					mail("a"), mail("b"), mail("c"))
				w.Folder = "Archive"
				unproved := func(o *sync.Options) { o.Verify = sync.Unproved } // what the user deletes is deleted
				hook.Set("APPEND", 2)
				w.lost(w.run(unproved))
				w.do(c.change...)
				w.found(w.run(unproved))
				var want []lab.Mail
				for _, name := range strings.Split(c.there, "") {
					want = append(want, mail(name))
				}
				w.Holds(want...)
			})
		}
	})
}

// The copy of the first of two identical messages must not stand for the second in a folder that was renumbered.
func TestIdenticalMessagesInARenumberedFolder(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		for _, fate := range []lab.Fate{lab.Cut, lab.CutReply} {
			w, hook := lossy(t, 0, fate, v, mail("a"), as(mail("a"), "a2"))
			w.Folder = "Archive"
			hook.Set("APPEND", 2)
			w.fails(w.run(), sync.Temporary, "2 listed, 2 new, 1 copied, 1 in doubt")
			w.do(renumber("Archive"))
			if r := w.run(); r.Known+r.Recognised+r.Copied != 2 || r.Err != nil {
				t.Errorf("got %s (%v)", counts(r), r.Err)
			}
			w.Holds(mail("a"), mail("a"))
		}
	})
}

// So it is where it is not known of those that were stored before which are theirs.
func TestUnplacedMessagesInARenumberedFolder(t *testing.T) {
	hasty := func(o *sync.Options) { o.NoDedup = true } // or the copy that was thought lost would be recognised yet
	both(t, func(t *testing.T, v variant) {
		for _, m := range []lab.Mail{mail("a"), anonymous("a")} {
			for n := 1; n <= 2; n++ {
				w, hook := lossy(t, 0, lab.CutReply, v, m)
				hook.Set("UID FETCH", 1)
				w.run(hasty)
				w.POP.SetMail([]lab.Mail{m, as(m, "a2"), as(m, "a3")})
				hook.Set("APPEND", n)
				w.run(hasty)
				w.try(w.IMAP.Renumber("INBOX"))
				w.found(w.run(hasty))
				w.Holds(m, m, m)
			}
		}
	})
}

// What an append that takes long left open is not judged at once, however long ago it began.
func TestSettlingWaitsFromTheEndOfTheRun(t *testing.T) {
	for _, c := range []struct {
		name  string
		edit  string
		waits bool
	}{
		{"it has just ended", "UPDATE record SET begun = 1", true},
		{"it was killed, nobody knows when", "UPDATE record SET begun = 1; UPDATE run SET ended = NULL", true},
		{"it ended long ago", "UPDATE record SET begun = 1; UPDATE run SET ended = 1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := lossy(t, 1, lab.Cut, nil, mail("a"))
			w.fails(w.run(), sync.Temporary, "1 listed, 1 new, 1 in doubt")
			w.Edit(c.edit)
			stop := make(chan struct{})
			watch := &watcher{OnNotice: func(string) { close(stop) }} // stop instead of waiting for an hour
			r := w.run(func(o *sync.Options) { o.Settle, o.Stop, o.Watch = time.Hour, stop, watch })
			if c.waits {
				w.fails(r, sync.Stopped, "")
				return
			}
			w.wants(r, "1 listed, 1 new, 1 copied")
		})
	}
}

// While our own APPEND was lost, someone else delivered a message with the same header and another body: ours is in doubt,
// and neither taken for that nor forgotten.
func TestAForeignMessageWithOurHeader(t *testing.T) {
	for _, fate := range []lab.Fate{lab.Cut, lab.CutReply} {
		var w *world
		var hook trap
		hook.Then = func() { w.put(other(mail("b"))) }
		w = create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: hook.Fate(fate)}, mail("a"), mail("b"))
		hook.Set("APPEND", 2)
		w.lost(w.run())
		if fate == lab.CutReply { // its own copy is there too
			w.wants(w.run(), "2 listed, 1 known, 1 new, 1 recognised")
			w.Holds(mail("a"), other(mail("b")), mail("b"))
			continue
		}
		for range 2 {
			w.wants(w.run(), "2 listed, 1 known, 1 new, 1 in doubt")
		}
		w.wants(w.run(func(o *sync.Options) { o.Retry = true }), "2 listed, 1 known, 1 new, 1 copied")
		w.Holds(mail("a"), other(mail("b")), mail("b"))
		w.wants(w.run(), "2 listed, 2 known")
	}
}

// Two messages have one header; the folder is renumbered while the second is in doubt. The copy of the first is not its.
func TestOneHeaderInARenumberedFolder(t *testing.T) {
	var hook trap
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: hook.Fate(lab.Cut)}, mail("b"), as(other(mail("b")), "b2"))
	hook.Set("APPEND", 2)
	w.lost(w.run())
	w.try(w.IMAP.Renumber("INBOX"))
	w.wants(w.run(), "2 listed, 1 known, 1 new, 1 copied")
	w.Holds(mail("b"), other(mail("b")))
}
