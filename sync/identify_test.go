package sync_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// body2 is a message whose header is that of another one.
func body2(m lab.Mail) lab.Mail {
	m.Raw = append(slices.Clone(m.Raw), "Another body.\r\n"...)
	return m
}

func TestWithoutUIDL(t *testing.T) {
	a, b, c := mail("a"), mail("b"), mail("c")
	d, e := anonymous("d"), anonymous("e")
	x, y := lab.Mail{Raw: []byte("\r\nx\r\n")}, lab.Mail{Raw: []byte("\r\ny\r\n")}
	list := func(mail ...lab.Mail) []lab.Mail { return mail }
	for _, noTop := range []bool{false, true} {
		for name, steps := range map[string][]struct {
			drop   []lab.Mail
			copied int
		}{
			"plain":                    {{list(a, b), 2}, {list(a, b), 0}, {list(b, c, a), 1}, {list(c), 0}},
			"two identical":            {{list(a, a), 2}, {list(a, a), 0}, {list(a, a, a), 1}, {list(a), 0}},
			"an identical one comes":   {{list(a), 1}, {list(a, a), 1}, {list(a, a), 0}},
			"without Message-ID":       {{list(d, e), 2}, {list(e, d), 0}},
			"two without Message-ID":   {{list(d, d), 2}, {list(d, d), 0}, {list(d, d, d), 1}},
			"one header, two bodies":   {{list(a, body2(a)), 2}, {list(body2(a), a), 0}, {list(body2(a)), 0}},
			"no header at all":         {{list(x, y), 2}, {list(y, x), 0}},
			"one goes, one comes back": {{list(a, a, b), 3}, {list(a), 0}, {list(a, a), 0}, {list(a, a, a, b), 1}},
		} {
			t.Run(fmt.Sprintf("%s, no TOP %t", name, noTop), func(t *testing.T) {
				w := create(t, lab.POP3Options{NoUIDL: true, NoTOP: noTop}, lab.IMAPOptions{})
				for i, s := range steps {
					w.POP.SetMail(s.drop)
					r := w.run()
					if r.Copied != s.copied || r.Known != len(s.drop)-s.copied || r.Err != nil {
						t.Errorf("step %d: got %s (%v), want %d copied", i, counts(r), r.Err, s.copied)
					}
				}
			})
		}
	}
}

func TestWithoutUIDLHeadersAreEnoughWhereTheyTellAll(t *testing.T) {
	w := create(t, lab.POP3Options{NoUIDL: true}, lab.IMAPOptions{}, mail("a"), mail("b"), anonymous("c"))
	w.wants(w.run(), "3 listed, 3 new, 3 copied")
	w.Holds(mail("a"), mail("b"), anonymous("c"))
	w.wants(w.run(), "3 listed, 3 known")
	if got := w.Asked("RETR"); !slices.Equal(got, []string{"RETR 3"}) {
		t.Errorf("got %q, want only the one without a Message-ID", got)
	}
	if got := w.Asked("QUIT"); len(got) != 1 {
		t.Errorf("what was retrieved is stored: got %q, want QUIT", got)
	}
	if len(w.Told("LOGIN")) != 0 {
		t.Error("the destination was opened for nothing")
	}
}

// A server that gives no UIDL any more, or none for some messages: what is listed under a UIDL has its own record.
func TestSomeWithoutUIDL(t *testing.T) {
	for _, m := range []lab.Mail{mail("a"), anonymous("a")} {
		for _, noTop := range []bool{false, true} {
			t.Run(fmt.Sprintf("%q, no TOP %t", m.Raw[:4], noTop), func(t *testing.T) {
				w := create(t, lab.POP3Options{NoTOP: noTop}, lab.IMAPOptions{}, m)
				w.wants(w.run(), "1 listed, 1 new, 1 copied")
				w.POP.SetMail([]lab.Mail{as(m, ""), m})
				w.wants(w.run(), "2 listed, 1 known, 1 new, 1 copied")
				w.Holds(m, m)
				w.wants(w.run(), "2 listed, 2 known")
				w.POP.SetMail([]lab.Mail{as(m, ""), as(m, "")})
				w.wants(w.run(), "2 listed, 2 known")
			})
		}
	}
}

func TestNewAndIdenticalWithAndWithoutUIDL(t *testing.T) {
	for _, noTop := range []bool{false, true} {
		w := create(t, lab.POP3Options{NoTOP: noTop}, lab.IMAPOptions{}, mail("a"), as(mail("a"), ""))
		w.wants(w.run(), "2 listed, 2 new, 2 copied")
		w.wants(w.run(), "2 listed, 2 known")
		w.Holds(mail("a"), mail("a"))
	}
}

// Where two messages of one content met different fates, the one that is left in the maildrop is the delivered one.
func TestWithoutUIDLTheBetterNewsCounts(t *testing.T) {
	refuses := true
	w := create(t, lab.POP3Options{NoUIDL: true, NoTOP: true}, lab.IMAPOptions{
		RefuseAppend: func(int64, []byte) error {
			if refuses {
				return no("")
			}
			return nil
		}}, mail("a"))
	w.wants(w.run(), "1 listed, 1 new, 1 refused")
	refuses = false
	w.POP.SetMail([]lab.Mail{mail("a"), mail("a")})
	w.wants(w.run(), "2 listed, 1 new, 1 copied, 1 quarantined")
	w.POP.SetMail([]lab.Mail{mail("a")})
	w.wants(w.run(), "1 listed, 1 known")
	w.Edit("UPDATE record SET next_try = 1 WHERE phase = 'refused'")
	w.wants(w.run(), "1 listed, 1 known")
	w.Holds(mail("a"))
}

func TestMaxMessagesGetsToTheEnd(t *testing.T) {
	drop := []lab.Mail{mail("a"), mail("b"), mail("c"), anonymous("d"), anonymous("e")}
	for _, o := range []lab.POP3Options{{}, {NoUIDL: true}, {NoUIDL: true, NoTOP: true}} {
		t.Run(fmt.Sprintf("no UIDL %t, no TOP %t", o.NoUIDL, o.NoTOP), func(t *testing.T) {
			w := create(t, o, lab.IMAPOptions{}, drop...)
			for i, copied := range []int{2, 2, 1, 0} {
				r := w.run(func(o *sync.Options) { o.Narrow.Messages = 2 })
				if r.Copied != copied || r.Err != nil {
					t.Errorf("run %d: got %s (%v), want %d copied", i, counts(r), r.Err, copied)
				}
			}
			w.Holds(drop...)
		})
	}
}

func TestNarrow(t *testing.T) {
	dated := func(name, date string) lab.Mail {
		return lab.Mail{UIDL: name, Raw: []byte(strings.Replace(string(mail(name).Raw), "3 Mar 2025", date, 1))}
	}
	drop := []lab.Mail{dated("a", "1 Mar 2025"), dated("b", "2 Mar 2025"), sized(dated("c", "3 Mar 2025"), 4000)}
	at := func(s string) sync.Narrow { return sync.Narrow{Since: day(s), Until: day(s).AddDate(0, 0, 1)} }
	for _, noTop := range []bool{false, true} {
		t.Run(fmt.Sprintf("no TOP %t", noTop), func(t *testing.T) {
			w := create(t, lab.POP3Options{NoTOP: noTop}, lab.IMAPOptions{}, drop...)
			w.wants(w.run(func(o *sync.Options) { o.Narrow = at("2025-03-02") }), "3 listed, 3 new, 1 copied, 2 left")
			w.Holds(drop[1])
			w.wants(w.run(func(o *sync.Options) { o.Narrow.Size = 3999 }), "3 listed, 1 known, 2 new, 1 copied, 1 left")
			w.Holds(drop[1], drop[0])
			w.wants(w.run(), "3 listed, 2 known, 1 new, 1 copied")
			w.Holds(drop[1], drop[0], drop[2])
		})
	}
}

// Without UIDL, a known header in another size is retrieved: its body may be another.
func TestWithoutUIDLAKnownHeaderWithAnotherBody(t *testing.T) {
	w := create(t, lab.POP3Options{NoUIDL: true}, lab.IMAPOptions{}, mail("a"))
	w.wants(w.run(), "1 listed, 1 new, 1 copied")
	w.POP.SetMail([]lab.Mail{body2(mail("a"))})
	w.wants(w.run(), "1 listed, 1 new, 1 copied")
	w.Holds(mail("a"), body2(mail("a")))
	w.wants(w.run(), "1 listed, 1 known")
}
