package pop3

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

func listed(t *testing.T, s *Session) sync.Listing {
	t.Helper()
	l, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestList(t *testing.T) {
	mail := []lab.Mail{{UIDL: "one", Raw: []byte("A: 1\r\n\r\n")}, {UIDL: "two", Raw: []byte("x"), Size: 1 << 40}}
	for _, c := range []struct {
		name   string
		o      lab.POP3Options
		uidls  [2]string
		hasTop bool
	}{
		{"all abilities", lab.POP3Options{}, [2]string{"one", "two"}, true},
		{"LF only", lab.POP3Options{LFOnly: true}, [2]string{"one", "two"}, true},
		{"no CAPA", lab.POP3Options{NoCAPA: true}, [2]string{"one", "two"}, true},
		{"no CAPA, no TOP", lab.POP3Options{NoCAPA: true, NoTOP: true}, [2]string{"one", "two"}, false},
		{"no TOP", lab.POP3Options{NoTOP: true}, [2]string{"one", "two"}, false},
		{"no UIDL", lab.POP3Options{NoUIDL: true}, [2]string{}, true},
		{"neither CAPA, UIDL nor TOP", lab.POP3Options{NoCAPA: true, NoUIDL: true, NoTOP: true}, [2]string{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, startPOP3(t, c.o, mail...))
			want := sync.Listing{HasTop: c.hasTop, Status: c.o.NoCAPA, Messages: []sync.Listed{
				{Number: 1, UIDL: c.uidls[0], Size: 8}, {Number: 2, UIDL: c.uidls[1], Size: 1 << 40}}}
			for range 2 { // the second shows that the first left the session in step
				if got := listed(t, s); !reflect.DeepEqual(got, want) {
					t.Errorf("got %+v, want %+v", got, want)
				}
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestExpires(t *testing.T) {
	for capa, want := range map[string]bool{"EXPIRE 0": true, "EXPIRE NEVER": false, "EXPIRE 30": false, "EXPIRE 0 USER": false} {
		s := enter(t, startPOP3(t, lab.POP3Options{ExtraCapa: []string{capa}}))
		check.Equal(t, capa, listed(t, s).Expires, want)
	}
}

// Those that know LAST are asked for it; those that say what they can do and do not name it would count it as a mistake.
func TestLast(t *testing.T) {
	two := []lab.Mail{{UIDL: "a"}, {UIDL: "b"}}
	for _, c := range []struct {
		name string
		o    lab.POP3Options
		want int
		asks bool
	}{
		{"no CAPA", lab.POP3Options{NoCAPA: true, Last: 1}, 1, true},
		{"no CAPA, and no LAST", lab.POP3Options{NoCAPA: true}, 0, true},
		{"named", lab.POP3Options{ExtraCapa: []string{"LAST"}, Last: 2}, 2, true},
		{"not named", lab.POP3Options{Last: 2}, 0, false},
		{"beyond the maildrop", lab.POP3Options{NoCAPA: true, Last: 3}, 0, true},
		{"no number", lab.POP3Options{NoCAPA: true, Hook: replying("LAST", "+OK none\r\n")}, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := startPOP3(t, c.o, two...)
			s := enter(t, server)
			for range 2 { // the second shows that the first left the session in step
				check.Equal(t, "last", listed(t, s).Last, c.want)
			}
			check.Equal(t, "asked", slices.Contains(server.Commands(), "LAST"), c.asks)
		})
	}
	server := startPOP3(t, lab.POP3Options{NoCAPA: true, Last: 2})
	listed(t, enter(t, server))
	check.Equal(t, "asked for an empty maildrop", slices.Contains(server.Commands(), "LAST"), false)
}

func TestListOfAnEmptyMaildrop(t *testing.T) {
	for _, noCAPA := range []bool{false, true} {
		s := enter(t, startPOP3(t, lab.POP3Options{NoCAPA: noCAPA}))
		if l := listed(t, s); len(l.Messages) != 0 {
			t.Errorf("got %+v", l)
		}
	}
}

func TestListOf100000Messages(t *testing.T) {
	mail := make([]lab.Mail, 100_000)
	for i := range mail {
		mail[i] = lab.Mail{UIDL: fmt.Sprintf("%070d", i), Size: int64(i) + 1}
	}
	s := enter(t, startPOP3(t, lab.POP3Options{}, mail...))
	got := listed(t, s).Messages
	check.Equal(t, "messages", len(got), len(mail))
	for i, m := range got {
		if want := (sync.Listed{Number: i + 1, UIDL: mail[i].UIDL, Size: mail[i].Size}); m != want {
			t.Fatalf("got %+v, want %+v", m, want)
		}
	}
}

// odd UIDLs are octets, and come as they are.
func TestUIDLsOfAllKinds(t *testing.T) {
	for _, c := range []struct{ name, sent, want string }{
		{"with blanks", "a b  c", "a b  c"},
		{"8-bit", "\xff\xfe\x80", "\xff\xfe\x80"},
		{"control characters", "\x01\x7f", "\x01\x7f"},
		{"300 octets", strings.Repeat("u", 300), strings.Repeat("u", 300)},
		{"a dot", ".", "."},
		{"none", "", ""},
		{"CR inside", "a\rb", "a\rb"},
		{"a number", "1", "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, startPOP3(t, lab.POP3Options{}, lab.Mail{UIDL: c.sent}, lab.Mail{UIDL: c.sent}))
			for i, m := range listed(t, s).Messages {
				check.Equal(t, fmt.Sprintf("UIDL of message %d", i+1), m.UIDL, c.want)
			}
		})
	}
}

func TestListingLines(t *testing.T) {
	const good = "1 10\r\n2 20\r\n"
	one, two := sync.Listed{Number: 1, UIDL: "a", Size: 10}, sync.Listed{Number: 2, UIDL: "b", Size: 20}
	for _, c := range []struct {
		name, uidl, list string
		want             []sync.Listed
		class            sync.Class // if want is nil
	}{
		{"in order", "1 a\r\n2 b\r\n", good, []sync.Listed{one, two}, 0},
		{"LF alone", "1 a\n2 b\n", "1 10\n2 20\n", []sync.Listed{one, two}, 0},
		{"several blanks", "1   a\r\n2\x20\x20b \r\n", "1   10\r\n2 20 \r\n", []sync.Listed{one, two}, 0},
		{"more after the size", "1 a\r\n2 b\r\n", "1 10 octets\r\n2 20 x\r\n", []sync.Listed{one, two}, 0},
		{"gaps", "2 b\r\n", "2 20\r\n", []sync.Listed{two}, 0},
		{"UIDL knows more", "1 a\r\n2 b\r\n3 c\r\n", good, []sync.Listed{one, two}, 0},
		{"LIST knows more", "1 a\r\n", good, []sync.Listed{one}, 0},
		{"UIDL without an id", "1\r\n2 b\r\n", good, []sync.Listed{{Number: 1, Size: 10}, two}, 0},
		{"size 0", "1 a\r\n", "1 0\r\n", []sync.Listed{{Number: 1, UIDL: "a"}}, 0},

		{"a number twice in UIDL", "1 a\r\n1 b\r\n", good, nil, sync.Protocol},
		{"a number twice in LIST", "1 a\r\n2 b\r\n", "1 10\r\n1 20\r\n", nil, sync.Protocol},
		{"numbers go down", "2 b\r\n1 a\r\n", good, nil, sync.Protocol},
		{"number 0", "0 a\r\n", good, nil, sync.Protocol},
		{"negative number", "-1 a\r\n", good, nil, sync.Protocol},
		{"plus sign", "+1 a\r\n", good, nil, sync.Protocol},
		{"number beyond 31 bits", "2147483648 a\r\n", good, nil, sync.Protocol},
		{"number beyond 64 bits", "99999999999999999999 a\r\n", good, nil, sync.Protocol},
		{"no number", "a\r\n", good, nil, sync.Protocol},
		{"an empty line", "1 a\r\n\r\n", good, nil, sync.Protocol},
		{"a blank first", " 1 a\r\n", good, nil, sync.Protocol},
		{"letters", "1 a\r\n", "1 1o\r\n", nil, sync.Protocol},
		{"negative size", "1 a\r\n", "1 -1\r\n", nil, sync.Protocol},
		{"size beyond 63 bits", "1 a\r\n", "1 9223372036854775808\r\n", nil, sync.Protocol},
		{"hexadecimal size", "1 a\r\n", "1 0x10\r\n", nil, sync.Protocol},
		{"no size", "1 a\r\n", "1\r\n", nil, sync.Protocol},
		{"control characters", "\x1b[2J\r\n", good, nil, sync.Protocol},
		{"a line of 1 MB", "1 " + strings.Repeat("a", 1<<20) + "\r\n", good, nil, sync.Protocol},
		{"a number of 1000 digits", strings.Repeat("1", 1000) + " a\r\n", good, nil, sync.Protocol},
		{"sizes go on for ever", "1 a\r\n", "1 " + strings.Repeat("9", 1000) + "\r\n", nil, sync.Protocol},
		{"the same UIDL twice", "1 a\r\n2 a\r\n", good, []sync.Listed{one, {Number: 2, UIDL: "a", Size: 20}}, 0},
		{"Courier's disk is full", "1 ENOMEM-1-2-3\r\n", good, nil, sync.Temporary},
		{"a UIDL with ENOMEM in it", "1 aENOMEM-1\r\n", good, []sync.Listed{{Number: 1, UIDL: "aENOMEM-1", Size: 10}}, 0},
		{"a line of 3000 octets", "1 " + strings.Repeat("a", 3000) + "\r\n", good, nil, sync.Protocol},
	} {
		t.Run(c.name, func(t *testing.T) {
			replies := welcoming("UIDL", "+OK\r\n"+c.uidl+".\r\n", "LIST", "+OK\r\n"+c.list+".\r\n")
			s := enter(t, check.Script(t, answers("+OK\r\n", replies)))
			got, err := s.List(t.Context())
			if c.want == nil {
				check.Class(t, err, c.class)
				if err := s.Close(t.Context()); err == nil {
					t.Error("QUIT was sent after a listing that cannot be used")
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got.Messages, c.want) {
				t.Errorf("got %+v and %v, want %+v", got.Messages, err, c.want)
			}
		})
	}
}

func TestListRefused(t *testing.T) {
	noUIDL, ahead := "+OK\r\nUSER\r\nTOP\r\n.\r\n", "+OK\r\nPIPELINING\r\nUIDL\r\n.\r\n"
	const one = "+OK\r\n1 10\r\n.\r\n"
	for _, c := range []struct {
		name    string
		replies map[string]string
		class   sync.Class
	}{
		{"UIDL that CAPA has", welcoming("UIDL", "-ERR not now\r\n"), sync.Temporary},
		{"UIDL that CAPA has, in a flight", welcoming("CAPA", ahead, "UIDL", "-ERR not now\r\n", "LIST", one), sync.Temporary},
		{"LIST, in a flight", welcoming("CAPA", ahead, "UIDL", one), sync.Temporary},
		{"UIDL and LIST, in a flight", welcoming("CAPA", ahead, "UIDL", "-ERR [SYS/PERM]\r\n"), sync.Unavailable},
		{"UIDL for now, that CAPA has not", welcoming("CAPA", noUIDL, "UIDL", "-ERR [SYS/TEMP]\r\n"), sync.Temporary},
		{"UIDL for good", welcoming("UIDL", "-ERR [SYS/PERM] no\r\n"), sync.Unavailable},
		{"LIST", welcoming("UIDL", "+OK\r\n.\r\n"), sync.Temporary},
		{"UIDL by hanging up", welcoming("UIDL", ""), sync.Temporary},
		{"LIST by hanging up in it", welcoming("UIDL", "+OK\r\n.\r\n", "LIST", "+OK\r\n1 10\r\n"), sync.Temporary},
		{"LIST with garbage", welcoming("UIDL", "+OK\r\n.\r\n", "LIST", "1 10\r\n.\r\n"), sync.Protocol},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := at(check.Script(t, answers("+OK\r\n", c.replies)))
			server.Timeout = time.Second
			s, err := Dial(t.Context(), server, alice)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Abandon()
			_, err = s.List(t.Context())
			check.Class(t, err, c.class)
		})
	}
}

// What CAPA said before the login counts if the server says nothing after it: a UIDL that is refused is not one that
// is lacking.
func TestCapabilitiesOfBeforeTheLogin(t *testing.T) {
	inside := false
	s := enter(t, startPOP3(t, lab.POP3Options{Hook: func(_ int, line string) (string, bool) {
		switch {
		case strings.HasPrefix(line, "PASS"):
			inside = true
		case line == "CAPA" && inside:
			return "-ERR not here\r\n", false
		case line == "UIDL":
			return "-ERR index is being rebuilt\r\n", false
		}
		return "", false
	}}))
	_, err := s.List(t.Context())
	check.Class(t, err, sync.Temporary)
}

// endless sends a line until nobody listens.
func endless(command, line string) func(*lab.Peer) {
	return func(p *lab.Peer) {
		answers("+OK\r\n", welcoming(command, ""))(p)
		p.Send("+OK\r\n")
		for some := strings.Repeat(line, 1000); p.Send(some) == nil; {
		}
	}
}

func TestEndlessCAPA(t *testing.T) {
	check.Soon(t, "the login", func() {
		check.Class(t, refused(t, at(check.Script(t, endless("CAPA", "X-NEW\r\n"))), alice), sync.Protocol)
	})
}

func TestEndlessListing(t *testing.T) {
	for _, c := range []struct {
		name, line string
		most       int
		lines      int // that may be seen
	}{
		{"short lines", "1 u\r\n", 1000, 1000},
		{"long lines", "1 " + strings.Repeat("u", 2000) + "\r\n", listMax, listOctets / 2002},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, check.Script(t, endless("LIST", c.line)))
			if _, err := s.command("LIST"); err != nil {
				t.Fatal(err)
			}
			n := 0
			check.Soon(t, "the listing", func() {
				check.Class(t, readLines(s.w, c.most, func(string) error { n++; return nil }), sync.Protocol)
			})
			check.Equal(t, "lines", n, c.lines)
		})
	}
}

// A refused UIDL leaves the session in step, also when LIST was sent with it.
func TestRefusedListingInAFlight(t *testing.T) {
	refuse := true
	s := enter(t, startPOP3(t, lab.POP3Options{Hook: func(_ int, line string) (string, bool) {
		if line == "UIDL" && refuse {
			refuse = false
			return "-ERR [SYS/TEMP] index is being rebuilt\r\n", false
		}
		return "", false
	}}, lab.Mail{UIDL: "a"}, lab.Mail{UIDL: "b"}))
	_, err := s.List(t.Context())
	check.Class(t, err, sync.Temporary)
	check.Equal(t, "messages", len(listed(t, s).Messages), 2)
}

// More lines than there may be are not kept.
func TestListingOf3MillionLines(t *testing.T) {
	n := 0
	lines := lineFunc(func() (string, error) { n++; return fmt.Sprintf("%d u\r\n", n), nil })
	_, err := readEntries(lines, "UIDL")
	check.Class(t, err, sync.Protocol)
	check.Equal(t, "lines", n, listMax+1)
}

// A lineFunc gives one line after the other.
type lineFunc func() (string, error)

func (f lineFunc) ReadLine(int) ([]byte, error) {
	line, err := f()
	return []byte(line), err
}

func (lineFunc) Host() string { return "lab" }
