package cuts

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
	"github.com/pop2imap/pop2imap/sync"
)

func deleting(o *sync.Options) { o.Delete.On = true }

// long is a message that a virus scanner may cut off.
func long(name string) lab.Mail {
	m := mail(name)
	m.Raw = append(m.Raw, bytes.Repeat([]byte("line after line\r\n"), 100)...)
	return m
}

// Something on the way ends a message properly after its first half. It is retrieved again, in another session.
func TestMessageThatIsCutShortOnce(t *testing.T) {
	cuts := once("RETR", 2)
	half := long("b").Raw[:850]
	w := create(t, lab.POP3Options{Hook: func(_ int, command string) (string, bool) {
		if !cuts(command) {
			return "", false
		}
		return "+OK\r\n" + strings.ReplaceAll(string(half), "\r\n.", "\r\n..") + "\r\n.\r\n", false
	}}, lab.IMAPOptions{}, mail("a"), long("b"), mail("c"))
	w.ends(w.Run())
	w.Holds(mail("a"), mail("c"), long("b")) // it comes when it can be had
	w.changesNothing()
}

// A message stays shorter than LIST says: it is copied as it is, and never deleted at the source.
func TestMessageThatStaysShort(t *testing.T) {
	short := mail("b")
	short.Size = 5000
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"), short, mail("c"))
	w.Always = append(w.Always, deleting)
	w.ends(w.Run())
	if n := len(w.There()); n != 3 {
		t.Errorf("got %d messages, want 3", n)
	}
	if left := w.POP.Mail(); len(left) != 1 || left[0].UIDL != "b" {
		t.Errorf("the maildrop holds %d messages, want b", len(left))
	}
	w.changesNothing()
}

// LIST says 1 octet, and 3 MB come.
func TestMessageThatIsLargerThanListed(t *testing.T) {
	huge := long("b")
	huge.Raw = append(huge.Raw, bytes.Repeat([]byte("line after line\r\n"), 180000)...)
	huge.Size = 1
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"), huge, mail("c"))
	w.ends(w.Run())
	w.Holds(mail("a"), huge, mail("c"))
	w.changesNothing()
}

// A broken server moves the numbers up within a session, with any of the commands up to the last UIDL n before DELE. No
// message goes that was not copied.
func TestNumbersThatMoveBeforeDeletion(t *testing.T) {
	for shift := 1; shift <= 11; shift++ {
		t.Run(fmt.Sprint(shift), func(t *testing.T) {
			t.Parallel()
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, three...)
			w.ends(w.Run())
			odd, err := lab.StartPOP3(lab.POP3Options{User: trial.User, Password: trial.Password, Shift: shift})
			if err != nil {
				t.Fatal(err)
			}
			defer odd.Close()
			odd.SetMail(append(three[:3:3], mail("d"), mail("e")))
			w.From = odd
			w.Run(deleting, func(o *sync.Options) { o.Narrow.Messages = 1 })
			copied := strings.Join(w.There(), "")
			for _, m := range append(three[:3:3], mail("d"), mail("e")) {
				there := false
				for _, left := range odd.Mail() {
					there = there || left.UIDL == m.UIDL
				}
				if !there && !strings.Contains(copied, string(m.Raw)) {
					t.Errorf("%s is neither here nor there", m.UIDL)
				}
			}
		})
	}
}

// A server that makes new UIDLs in each session.
func TestUIDLsThatAreNewInEachSession(t *testing.T) {
	mails := []lab.Mail{mail("a"), mail("b"), mail("c")}
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mails...)
	w.ends(w.Run())
	for n := range 3 {
		var renamed []lab.Mail
		for _, m := range mails {
			renamed = append(renamed, trial.As(m, fmt.Sprint(m.UIDL, n)))
		}
		w.POP.SetMail(renamed)
		w.ends(w.Run())
		w.Holds(mails...)
		if got := w.Asked("RETR"); len(got) != 0 {
			t.Errorf("session %d: %d messages were retrieved again", n, len(got))
		}
	}
}

// QUIT would expire what was retrieved: it is not said unless what goes was deleted by us, with its proof.
func TestServerThatExpiresWhatWasRetrieved(t *testing.T) {
	for n := 1; n <= 3; n++ {
		for name, fate := range map[string]lab.Fate{"not stored": lab.Cut, "stored": lab.CutReply} {
			t.Run(fmt.Sprint(n, name), func(t *testing.T) {
				t.Parallel()
				drops := once("APPEND", n)
				w := create(t, lab.POP3Options{Expires: true}, lab.IMAPOptions{Hook: func(_ int, command string) lab.Fate {
					if drops(command) {
						return fate
					}
					return lab.Execute
				}}, three...)
				w.Run()
				w.ends(w.Run())
				w.Holds(three...)
				w.changesNothing()
				if n := len(w.POP.Mail()); n != len(three) {
					t.Errorf("%d messages are left in the maildrop, and none was to be deleted", n)
				}
				w.ends(w.Run(deleting))
				if n := len(w.POP.Mail()); n != 0 {
					t.Errorf("%d messages are left in the maildrop, and all were to be deleted", n)
				}
			})
		}
	}
}

// QUIT is answered with -ERR, and some of what was deleted is still there: the next listing tells.
func TestDeletionThatIsNotWhole(t *testing.T) {
	keeps := true
	w := create(t, lab.POP3Options{Keeps: func(m lab.Mail) bool { return keeps && m.UIDL == "b" }}, lab.IMAPOptions{}, three...)
	if r := w.Run(deleting); r.Err == nil || r.Deleted != 0 {
		t.Errorf("got %+v, want nothing deleted for certain", r)
	}
	keeps = false
	w.ends(w.Run(deleting))
	if left := w.POP.Mail(); len(left) != 0 {
		t.Errorf("the maildrop holds %d messages", len(left))
	}
	w.Holds(three...)
}
