package pop3

import (
	"slices"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/wire"
)

func TestAbilities(t *testing.T) {
	authority := check.Authority(t)
	for _, c := range []struct {
		name          string
		o             lab.POP3Options
		before, after []string
	}{
		{"a line each, in order", lab.POP3Options{Mechs: []string{"PLAIN", "LOGIN"}, NoTOP: true},
			[]string{"AUTH-RESP-CODE", "PIPELINING", "RESP-CODES", "SASL PLAIN LOGIN", "UIDL", "USER"},
			[]string{"AUTH-RESP-CODE", "PIPELINING", "RESP-CODES", "SASL PLAIN LOGIN", "UIDL", "USER"}},
		{"pipelining only after the login, as Gmail has it", lab.POP3Options{Hook: later()},
			[]string{"UIDL", "USER"}, []string{"PIPELINING", "UIDL"}},
		{"none", lab.POP3Options{NoCAPA: true}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.TLS = authority.Good.Config
			s := startPOP3(t, c.o)
			server := at(s)
			server.Security, server.Roots = wire.StartTLS, authority.Pool
			ss, err := Dial(t.Context(), server, alice)
			if err != nil {
				t.Fatal(err)
			}
			defer ss.Abandon()
			if _, err := ss.List(t.Context()); err != nil {
				t.Fatal(err)
			}
			before, after := ss.Abilities()
			if !slices.Equal(before, c.before) || !slices.Equal(after, c.after) {
				t.Errorf("before %q, after %q; want %q and %q", before, after, c.before, c.after)
			}
		})
	}
}

// later is a server that tells of PIPELINING only after the login, and of STLS only before TLS.
func later() func(int, string) (string, bool) {
	in, asked := false, 0
	return func(_ int, line string) (string, bool) {
		switch {
		case len(line) > 4 && line[:4] == "PASS":
			in = true
		case line == "CAPA" && in:
			return "+OK\r\nUIDL\r\nPIPELINING\r\n.\r\n", false
		case line == "CAPA" && asked > 0:
			return "+OK\r\nUSER\r\nUIDL\r\n.\r\n", false
		case line == "CAPA":
			asked++
		}
		return "", false
	}
}
