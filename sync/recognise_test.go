package sync_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// put places mail in the folder that is not ours.
func (w *world) put(mail ...lab.Mail) {
	w.Helper()
	for _, m := range mail {
		if _, err := w.IMAP.Put(w.Folder, m.Raw, nil, time.Now()); err != nil {
			w.Fatal(err)
		}
	}
}

// forget loses the state.
func (w *world) forget() {
	w.Helper()
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(w.State() + end); err != nil && !os.IsNotExist(err) {
			w.Fatal(err)
		}
	}
}

// other is a message with the header of m and another body of the same size.
func other(m lab.Mail) lab.Mail {
	m.Raw = []byte(strings.Replace(string(m.Raw), "This is", "That is", 1))
	return m
}

func TestFirstRunIntoAFolderThatHasTheMail(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		drop := []lab.Mail{mail("a"), mail("b"), anonymous("c"), mail("d"), mail("d"), anonymous("e")}
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{Without: v}, drop...)
		w.put(mail("x"), mail("b"), anonymous("c"), mail("d"), other(mail("a")))
		w.wants(w.run(), "6 listed, 6 new, 3 copied, 3 recognised")
		w.Holds(mail("x"), mail("b"), anonymous("c"), mail("d"), other(mail("a")), mail("a"), mail("d"), anonymous("e"))
		w.wants(w.run(), "6 listed, 6 known")
	})
}

func TestLostStateCopiesNothingTwice(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		drop := []lab.Mail{mail("a"), mail("b"), anonymous("c"), mail("a"), sized(mail("d"), 3<<20)}
		for _, o := range []lab.POP3Options{{}, {NoUIDL: true}, {NoUIDL: true, NoTOP: true}} {
			w := create(t, o, lab.IMAPOptions{Without: v}, drop...)
			w.wants(w.run(), "5 listed, 5 new, 5 copied")
			w.forget()
			w.wants(w.run(), "5 listed, 5 new, 5 recognised")
			w.silent("APPEND")
			w.Holds(drop...)
			w.wants(w.run(), "5 listed, 5 known")
		}
	})
}

// An old copy of the state knows less than the destination has.
func TestStateFromABackup(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"))
	w.wants(w.run(), "1 listed, 1 new, 1 copied")
	old, err := os.ReadFile(w.State())
	if err != nil {
		t.Fatal(err)
	}
	drop := []lab.Mail{mail("a"), mail("b"), mail("c")}
	w.POP.SetMail(drop)
	w.wants(w.run(), "3 listed, 1 known, 2 new, 2 copied")
	if err := os.WriteFile(w.State(), old, 0o600); err != nil {
		t.Fatal(err)
	}
	w.wants(w.run(), "3 listed, 1 known, 2 new, 2 recognised")
	w.Holds(drop...)
}

func TestNoDedup(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"))
	w.put(mail("a"))
	w.wants(w.run(func(o *sync.Options) { o.NoDedup = true }), "1 listed, 1 new, 1 copied")
	w.Holds(mail("a"), mail("a"))
	w.silent("UID SEARCH")
}

// A folder full of mail that is not ours is gone through once, not whenever something new comes.
func TestTheFolderIsLookedThroughOnce(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"))
	w.put(mail("x"), mail("y"))
	w.wants(w.run(), "1 listed, 1 new, 1 copied")
	w.POP.SetMail([]lab.Mail{mail("a"), mail("b")})
	w.wants(w.run(func(o *sync.Options) { o.Verify = sync.Unproved }), "2 listed, 1 known, 1 new, 1 copied")
	w.silent("UID FETCH")
	w.put(mail("z"), mail("c"))
	w.POP.SetMail([]lab.Mail{mail("a"), mail("b"), mail("c")})
	w.wants(w.run(), "3 listed, 2 known, 1 new, 1 recognised")
	if got := w.Told("UID FETCH"); !strings.HasPrefix(got[0], "UID FETCH 5:6 ") {
		t.Errorf("got %q, want only what came since", got)
	}
}

// What was left in the maildrop must still be compared with all of the folder.
func TestWhatWasLeftIsStillRecognised(t *testing.T) {
	drop := []lab.Mail{mail("a"), mail("b"), mail("c")}
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, drop...)
	w.put(drop...)
	one := func(o *sync.Options) { o.Narrow.Messages = 1 }
	w.wants(w.run(one), "3 listed, 3 new, 1 recognised, 2 left")
	w.wants(w.run(one), "3 listed, 1 known, 2 new, 1 recognised, 1 left")
	w.wants(w.run(), "3 listed, 2 known, 1 new, 1 recognised")
	w.Holds(drop...)
}

// Mail that a server changes while it stores it is recognised all the same, and never deleted at the source.
func TestMailThatTheServerChanged(t *testing.T) {
	nul := lab.Mail{UIDL: "nul", Raw: []byte("Message-ID: <nul@example.org>\r\nSubject: nul\r\n\r\na\x00b\r\n")}
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{Alter: func(raw []byte) []byte {
		return slices.Concat(raw[:0:0], []byte(strings.ReplaceAll(string(raw), "\x00", "\x80")))
	}}, nul, mail("b"))
	w.wants(w.run(), "2 listed, 2 new, 2 copied")
	w.forget()
	w.wants(w.run(func(o *sync.Options) { o.Delete.On = true }), "2 listed, 2 new, 2 recognised")
	if got := w.POP.Mail(); len(got) != 1 || got[0].UIDL != "nul" {
		t.Errorf("the maildrop has %d messages, want the one that was changed", len(got))
	}
	if keep := w.Records()[0].Keep; keep == "" {
		t.Error("nothing says that it is never to be deleted")
	}
}

func TestDryRunForeseesWhatIsThere(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"), mail("b"), anonymous("c"))
	w.put(mail("a"))
	w.wants(w.dry(false), "3 listed, 3 new, 1 recognised, 2 left")
	w.silent("RETR", "APPEND", "STORE")
	w.Holds(mail("a"))
}
