package sync_test

import (
	"fmt"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// renamed gives each message another UIDL.
func renamed(mail []lab.Mail, prefix string) []lab.Mail {
	list := make([]lab.Mail, len(mail))
	for i, m := range mail {
		list[i] = as(m, fmt.Sprintf("%s%d", prefix, i))
	}
	return list
}

func TestNewUIDLsAreBoundByTheirHeaders(t *testing.T) {
	drop := []lab.Mail{mail("a"), mail("b"), mail("c"), mail("d")}
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, drop...)
	w.wants(w.run(), "4 listed, 4 new, 4 copied")
	for _, prefix := range []string{"x", "y"} {
		w.POP.SetMail(renamed(drop, prefix))
		w.wants(w.run(), "4 listed, 4 new, 4 recognised")
		w.silent("RETR", "APPEND", "LOGIN")
		w.wants(w.run(), "4 listed, 4 known")
	}
	w.POP.SetMail(append(renamed(drop[1:], "z"), mail("e")))
	w.wants(w.run(), "4 listed, 4 new, 1 copied, 3 recognised")
	w.Holds(append(drop, mail("e"))...)
}

// Where headers do not tell, the messages are retrieved and their octets compared.
func TestNewUIDLsWhereHeadersDoNotTell(t *testing.T) {
	for name, drop := range map[string][]lab.Mail{
		"without Message-ID":       {anonymous("a"), anonymous("b"), anonymous("b")},
		"twice the same":           {mail("a"), as(mail("a"), "a2"), mail("b")},
		"one header, two bodies":   {mail("a"), as(other(mail("a")), "a2"), mail("b")},
		"a message without header": {mail("a"), {UIDL: "x", Raw: []byte("\r\nx\r\n")}, {UIDL: "y", Raw: []byte("\r\ny\r\n")}},
	} {
		for _, noTop := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, no TOP %t", name, noTop), func(t *testing.T) {
				w := create(t, lab.POP3Options{NoTOP: noTop}, lab.IMAPOptions{}, drop...)
				w.wants(w.run(), "3 listed, 3 new, 3 copied")
				w.POP.SetMail(renamed(drop, "x"))
				w.wants(w.run(), "3 listed, 3 new, 3 recognised")
				w.silent("APPEND")
				w.wants(w.run(), "3 listed, 3 known")
				w.POP.SetMail(append(renamed(drop, "y"), as(drop[0], "new")))
				w.wants(w.run(), "4 listed, 4 new, 1 copied, 3 recognised")
				w.Holds(append(drop, drop[0])...)
			})
		}
	}
}

// A header that is the same, and the size that is not: another message.
func TestNewUIDLWithAKnownHeaderAndAnotherBody(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"))
	w.wants(w.run(), "1 listed, 1 new, 1 copied")
	w.POP.SetMail([]lab.Mail{as(body2(mail("a")), "x")})
	w.wants(w.run(), "1 listed, 1 new, 1 copied")
	w.Holds(mail("a"), body2(mail("a")))
}

func TestAUIDLThatIsUsedAgain(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, as(mail("a"), "1"), as(mail("b"), "2"))
	w.wants(w.run(), "2 listed, 2 new, 2 copied")
	fresh := sized(mail("c"), 300)
	w.POP.SetMail([]lab.Mail{as(mail("b"), "1"), as(fresh, "2")}) // numbers for UIDLs: the first was deleted
	w.wants(w.run(), "2 listed, 1 known, 1 new, 1 copied")
	w.Holds(mail("a"), mail("b"), fresh)
}

// LIST says another size of a message that did not change, as Exchange does.
func TestASizeThatChangesIsNoNewMessage(t *testing.T) {
	a := mail("a")
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, a)
	w.wants(w.run(), "1 listed, 1 new, 1 copied")
	a.Size = 170
	w.POP.SetMail([]lab.Mail{a})
	w.wants(w.run(), "1 listed, 1 known")
	w.wants(w.run(), "1 listed, 1 known")
	w.silent("RETR") // the new size is remembered
}

func TestQuarantineSurvivesNewUIDLs(t *testing.T) {
	w := create(t, lab.POP3Options{}, refusing("This is b", no("")), mail("a"), mail("b"))
	w.wants(w.run(), "2 listed, 2 new, 1 copied, 1 refused")
	w.POP.SetMail(renamed([]lab.Mail{mail("a"), mail("b")}, "x"))
	w.wants(w.run(), "2 listed, 1 new, 1 recognised, 1 quarantined")
	w.silent("RETR")
	w.wants(w.run(func(o *sync.Options) { o.Retry = true }), "2 listed, 1 known, 1 new, 1 refused")
}

// Gmail lists a few hundred messages in a session, and hides what was retrieved: one run goes on to the end.
func TestAServerThatListsAFewAtATime(t *testing.T) {
	drop := []lab.Mail{mail("a"), mail("b"), mail("c"), mail("d"), mail("e")}
	w := create(t, lab.POP3Options{Window: 2, Hides: true, ExtraCapa: []string{"X-GOOGLE-RICO"}}, lab.IMAPOptions{}, drop...)
	w.wants(w.run(), "5 listed, 5 new, 5 copied")
	w.Holds(drop...)
	w.wants(w.run(), "")
}
