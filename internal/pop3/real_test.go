package pop3

import (
	"io"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// realMail is what servers of other makers give as it was put in, but for its line ends: each has its own odd ways
// with the rest (package lab/real).
var realMail = []string{
	"Subject: ordinary\n\nbody\n",
	"Subject: dots\n\n.\n..\n.x\nx.\n\n.\n",
	"Subject: 8-bit\n\n\xff\x80 8-bit\n",
	"Subject: long\n\n" + strings.Repeat("x", 70_000) + "\n" + strings.Repeat(".line\n", 20_000),
	"Subject: header only\n\n",
}

func TestRealServers(t *testing.T) {
	for _, kind := range real.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			s := real.Start(t, kind, nil)
			var raw [][]byte
			for _, m := range realMail {
				raw = append(raw, []byte(m))
			}
			if refusals := s.Put(t, raw); len(refusals) > 0 {
				t.Fatalf("not taken: %v", refusals)
			}
			for security, port := range map[wire.Security]int{wire.ImplicitTLS: s.POP3S, wire.StartTLS: s.POP3} {
				server := wire.Server{Host: "127.0.0.1", Port: port, Security: security, Side: "from", Roots: s.Roots}
				retrieveAll(t, server, Login{User: s.User, Password: s.Password})
			}
			deleteSome(t, wire.Server{Host: "127.0.0.1", Port: s.POP3S, Side: "from", Roots: s.Roots},
				Login{User: s.User, Password: s.Password})
			server := wire.Server{Host: "localhost", Port: s.POP3S, Side: "from", Roots: s.Roots}
			check.Class(t, refused(t, server, Login{User: s.User, Password: password}), sync.Login)
		})
	}
}

// retrieveAll logs in, and compares what is there with realMail.
func retrieveAll(t *testing.T, server wire.Server, l Login) {
	t.Helper()
	s, err := Dial(t.Context(), server, l)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Abandon()
	list := listed(t, s)
	var numbers []int
	seen := map[string]bool{"": true}
	for _, m := range list.Messages {
		numbers = append(numbers, m.Number)
		if seen[m.UIDL] {
			t.Errorf("UIDL %q comes twice, or is none", m.UIDL)
		}
		seen[m.UIDL] = true
	}
	if !list.HasTop || len(numbers) != len(realMail) {
		t.Fatalf("got %+v", list)
	}
	at := 0
	err = s.Headers(t.Context(), numbers, func(_ int, header []byte) error {
		want, _, _ := strings.Cut(string(canonical([]byte(realMail[at]))), "\r\n\r\n")
		check.Equal(t, "header", string(header), want+"\r\n\r\n")
		at++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	at = 0
	err = s.Retrieve(t.Context(), append(list.Messages, sync.Listed{Number: 4711}), func(_ int, body io.Reader, err error) error {
		if at == len(realMail) {
			check.Class(t, err, sync.Vanished)
			return nil
		}
		if err != nil {
			return err
		}
		got, err := io.ReadAll(body)
		if want := canonical([]byte(realMail[at])); string(got) != string(want) {
			t.Errorf("got %d octets %.200q, want %d octets %.200q", len(got), got, len(want), want)
		}
		at++
		return err
	})
	if err != nil || at != len(realMail) {
		t.Fatalf("got %d messages and %v", at, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// deleteSome deletes the second and the fourth message: not yet when the line drops, and then for good.
func deleteSome(t *testing.T, server wire.Server, l Login) {
	t.Helper()
	var before []sync.Listed
	for _, quit := range []bool{false, true} {
		s, err := Dial(t.Context(), server, l)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Abandon()
		before = listed(t, s).Messages
		check.Equal(t, "messages", len(before), len(realMail))
		if err := s.Delete(t.Context(), []sync.Listed{before[1], before[3]}); err != nil {
			t.Fatal(err)
		}
		if !quit {
			s.Abandon()
		} else if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Dial(t.Context(), server, l)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Abandon()
	var got []string
	for _, m := range listed(t, s).Messages {
		got = append(got, m.UIDL)
	}
	check.Equal(t, "left", strings.Join(got, "|"), strings.Join([]string{before[0].UIDL, before[2].UIDL, before[4].UIDL}, "|"))
}
