package sync_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// lossy is a world whose n-th APPEND loses its reply, stored or not.
func lossy(t *testing.T, n int, f lab.Fate, uidplus bool, mail ...lab.Mail) (*world, *trap) {
	hook := new(trap)
	o := lab.IMAPOptions{Hook: hook.fate(f)}
	if !uidplus {
		o.Without = []imap.Cap{imap.CapUIDPlus}
	}
	w := create(t, lab.POP3Options{}, o, mail...)
	hook.set("APPEND", n)
	return w, hook
}

func both(t *testing.T, test func(t *testing.T, uidplus bool)) {
	for _, uidplus := range []bool{true, false} {
		t.Run(fmt.Sprintf("UIDPLUS %t", uidplus), func(t *testing.T) { test(t, uidplus) })
	}
}

func TestLostReplyOfAStoredMessage(t *testing.T) {
	both(t, func(t *testing.T, uidplus bool) {
		for n := 1; n <= 3; n++ {
			drop := []lab.Mail{mail("a"), mail("b"), mail("c")}
			w, _ := lossy(t, n, lab.CutReply, uidplus, drop...)
			r := w.run()
			if r.Copied != n-1 || r.InDoubt != 1 || r.Left != 3-n || sync.ClassOf(r.Err) != sync.Temporary {
				t.Errorf("got %s (%v)", counts(r), r.Err)
			}
			w.silent("QUIT")
			r = w.run()
			if r.Known != n-1 || r.Recognised != 1 || r.Copied != 3-n || r.Err != nil {
				t.Errorf("second run: got %s (%v)", counts(r), r.Err)
			}
			w.holds(drop...)
			w.placed()
			w.wants(w.run(), "3 listed, 3 known")
		}
	})
}

func TestLostReplyOfAMessageThatWasNotStored(t *testing.T) {
	both(t, func(t *testing.T, uidplus bool) {
		for n := 1; n <= 3; n++ {
			drop := []lab.Mail{mail("a"), mail("b"), mail("c")}
			w, _ := lossy(t, n, lab.Cut, uidplus, drop...)
			r := w.run()
			if r.Copied != n-1 || r.InDoubt != 1 || r.Left != 3-n || sync.ClassOf(r.Err) != sync.Temporary {
				t.Errorf("got %s (%v)", counts(r), r.Err)
			}
			r = w.run()
			if r.Known != n-1 || r.Recognised != 0 || r.Copied != 4-n || r.Err != nil {
				t.Errorf("second run: got %s (%v)", counts(r), r.Err)
			}
			w.holds(drop...)
			w.placed()
		}
	})
}

// Of two identical messages, each must be accounted for by a copy of its own.
func TestIdenticalMessagesAroundALostReply(t *testing.T) {
	both(t, func(t *testing.T, uidplus bool) {
		for _, m := range []lab.Mail{mail("a"), anonymous("a")} {
			for _, fate := range []lab.Fate{lab.Cut, lab.CutReply} {
				for n := 1; n <= 3; n++ {
					w, _ := lossy(t, n, fate, uidplus, m, as(m, "a2"), as(m, "a3"))
					if r := w.run(); r.Copied != n-1 || r.InDoubt != 1 {
						t.Errorf("lost %d: got %s (%v)", n, counts(r), r.Err)
					}
					if r := w.run(); r.Known+r.Recognised+r.Copied != 3 || r.Err != nil {
						t.Errorf("lost %d: second run: got %s (%v)", n, counts(r), r.Err)
					}
					w.holds(m, m, m)
					w.placed()
				}
			}
		}
	})
}

// Replies are lost run after run; still every message comes once.
func TestLostRepliesAgainAndAgain(t *testing.T) {
	both(t, func(t *testing.T, uidplus bool) {
		drop := []lab.Mail{mail("a"), mail("b"), mail("a"), anonymous("c"), as(anonymous("c"), "c2")}
		w, hook := lossy(t, 1, lab.CutReply, uidplus, drop...)
		for range drop {
			hook.set("APPEND", 1)
			if r := w.run(); r.InDoubt != 1 {
				t.Errorf("got %s (%v)", counts(r), r.Err)
			}
		}
		w.wants(w.run(), "5 listed, 4 known, 1 new, 1 recognised")
		w.holds(drop...)
		w.placed()
	})
}

func TestLineCutWhileSettling(t *testing.T) {
	for _, command := range []string{"LOGIN", "EXAMINE", "UID FETCH"} {
		t.Run(command, func(t *testing.T) {
			w, hook := lossy(t, 2, lab.CutReply, true, mail("a"), mail("b"), mail("c"))
			if r := w.run(); r.InDoubt != 1 {
				t.Fatalf("got %s (%v)", counts(r), r.Err)
			}
			hook.set(command, 1)
			w.fails(w.run(), sync.Temporary, "")
			if n := len(w.asked("")); n != 0 {
				t.Errorf("the maildrop heard %d commands before settling was done", n)
			}
			w.wants(w.run(), "3 listed, 1 known, 2 new, 1 copied, 1 recognised")
			w.holds(mail("a"), mail("b"), mail("c"))
		})
	}
}

func TestLostReplyWithoutUIDL(t *testing.T) {
	for _, noTop := range []bool{false, true} {
		for _, fate := range []lab.Fate{lab.Cut, lab.CutReply} {
			var hook trap
			drop := []lab.Mail{mail("a"), anonymous("b"), anonymous("b"), mail("c")}
			w := create(t, lab.POP3Options{NoUIDL: true, NoTOP: noTop}, lab.IMAPOptions{Hook: hook.fate(fate)}, drop...)
			for range 3 {
				hook.set("APPEND", 2)
				w.run()
			}
			hook.set("APPEND", 0)
			if r := w.run(); r.Err != nil || r.InDoubt+r.Left != 0 {
				t.Errorf("got %s (%v)", counts(r), r.Err)
			}
			w.wants(w.run(), "4 listed, 4 known")
			w.holds(drop...)
		}
	}
}

func TestRefusedMessageWhoseSecondReplyIsLost(t *testing.T) {
	for _, fate := range []lab.Fate{lab.Cut, lab.CutReply} {
		var hook trap
		o := refusing("This is a", no(""))
		refuse := o.RefuseAppend
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: hook.fate(fate),
			RefuseAppend: func(n int64, raw []byte) error {
				if refuse != nil {
					return refuse(n, raw)
				}
				return nil
			}}, mail("a"))
		w.wants(w.run(), "1 listed, 1 new, 1 refused")
		refuse = nil
		w.edit("UPDATE record SET next_try = 1")
		hook.set("APPEND", 1)
		w.fails(w.run(), sync.Temporary, "1 listed, 1 new, 1 in doubt")
		if fate == lab.Cut {
			w.wants(w.run(), "1 listed, 1 new, 1 copied")
		} else {
			w.wants(w.run(), "1 listed, 1 new, 1 recognised")
		}
		w.holds(mail("a"))
	}
}

// do gives commands to the destination that another mail program could give.
func (w *world) do(each ...func(*imapclient.Client) error) {
	w.Helper()
	host, port := w.imap.Addr()
	c, err := imapclient.DialInsecure(fmt.Sprintf("%s:%d", host, port), nil)
	if err != nil {
		w.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(user, password).Wait(); err != nil {
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
	both(t, func(t *testing.T, uidplus bool) {
		for _, c := range []struct {
			name   string
			fate   lab.Fate
			change []func(*imapclient.Client) error
			want   string
			there  string
		}{
			{"deleted", lab.CutReply, []func(*imapclient.Client) error{remove("Archive")},
				"3 listed, 1 known, 2 new, 2 copied", "bc"},
			{"made anew", lab.CutReply, []func(*imapclient.Client) error{remove("Archive"), remake("Archive")},
				"3 listed, 1 known, 2 new, 2 copied", "bc"},
			{"renumbered, stored", lab.CutReply, []func(*imapclient.Client) error{renumber("Archive")},
				"3 listed, 1 known, 2 new, 1 copied, 1 recognised", "abc"},
			{"renumbered, not stored", lab.Cut, []func(*imapclient.Client) error{renumber("Archive")},
				"3 listed, 1 known, 2 new, 2 copied", "abc"},
		} {
			t.Run(c.name, func(t *testing.T) {
				hook := new(trap)
				o := lab.IMAPOptions{Hook: hook.fate(c.fate)}
				if !uidplus {
					o.Without = []imap.Cap{imap.CapUIDPlus}
				}
				w := create(t, lab.POP3Options{}, o, mail("a"), mail("b"), mail("c"))
				w.folder = "Archive"
				hook.set("APPEND", 2)
				w.fails(w.run(), sync.Temporary, "3 listed, 3 new, 1 copied, 1 in doubt, 1 left")
				w.do(c.change...)
				w.wants(w.run(), c.want)
				var want []lab.Mail
				for _, name := range strings.Split(c.there, "") {
					want = append(want, mail(name))
				}
				w.holds(want...)
			})
		}
	})
}

// The copy of the first of two identical messages must not stand for the second in a folder that was renumbered.
func TestIdenticalMessagesInARenumberedFolder(t *testing.T) {
	both(t, func(t *testing.T, uidplus bool) {
		for _, fate := range []lab.Fate{lab.Cut, lab.CutReply} {
			w, hook := lossy(t, 0, fate, uidplus, mail("a"), as(mail("a"), "a2"))
			w.folder = "Archive"
			hook.set("APPEND", 2)
			w.fails(w.run(), sync.Temporary, "2 listed, 2 new, 1 copied, 1 in doubt")
			w.do(renumber("Archive"))
			if r := w.run(); r.Known+r.Recognised+r.Copied != 2 || r.Err != nil {
				t.Errorf("got %s (%v)", counts(r), r.Err)
			}
			w.holds(mail("a"), mail("a"))
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
			w, _ := lossy(t, 1, lab.Cut, true, mail("a"))
			w.fails(w.run(), sync.Temporary, "1 listed, 1 new, 1 in doubt")
			w.edit(c.edit)
			stop := make(chan struct{})
			watch := &watcher{notice: func(string) { close(stop) }} // stop instead of waiting for an hour
			r := w.run(func(o *sync.Options) { o.Settle, o.Stop, o.Watch = time.Hour, stop, watch })
			if c.waits {
				w.fails(r, sync.Stopped, "")
				return
			}
			w.wants(r, "1 listed, 1 new, 1 copied")
		})
	}
}
