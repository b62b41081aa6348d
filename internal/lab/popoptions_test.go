package lab

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// capabilities asks for them: nil if CAPA is unknown.
func (p *talk) capabilities() []string {
	p.t.Helper()
	p.send("CAPA\r\n")
	if !strings.HasPrefix(p.line(), "+OK") {
		return nil
	}
	return strings.Fields(strings.ReplaceAll(p.body(), " ", "·"))
}

func TestPOP3OptionsTakeAbilitiesAway(t *testing.T) {
	all := []string{"TOP", "UIDL", "USER", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"}
	without := func(name string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(c string) bool { return c == name })
	}
	for _, c := range []struct {
		name    string
		o       POP3Options
		capa    []string
		unknown []string
	}{
		{"all of them", POP3Options{}, all, []string{"STLS", "APOP x y", "AUTH PLAIN"}},
		{"no CAPA", POP3Options{NoCAPA: true}, nil, []string{"CAPA"}},
		{"no UIDL", POP3Options{NoUIDL: true}, without("UIDL"), []string{"UIDL", "UIDL 1"}},
		{"no TOP", POP3Options{NoTOP: true}, without("TOP"), []string{"TOP 1 0"}},
		{"no pipelining", POP3Options{NoPipelining: true}, without("PIPELINING"), nil},
		{"TLS", POP3Options{TLS: authority(t).Good.Config}, append(without(""), "STLS"), nil},
		{"TLS but no STLS", POP3Options{TLS: authority(t).Good.Config, NoSTLS: true}, all, []string{"STLS"}},
		{"mechanisms", POP3Options{Mechs: []string{"PLAIN", "SCRAM-SHA-256"}},
			append(without(""), "SASL·PLAIN·SCRAM-SHA-256"), []string{"AUTH XOAUTH2"}},
		{"more lines", POP3Options{ExtraCapa: []string{"EXPIRE 0", "LOGIN-DELAY 900 USER"}},
			append(without(""), "EXPIRE·0", "LOGIN-DELAY·900·USER"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startPOP3(t, c.o, mails("A: 1\r\n\r\nx\r\n")...)
			p := popTo(t, s)
			same(t, "CAPA", p.capabilities(), c.capa)
			in := entered(t, s)
			for _, command := range c.unknown {
				p.do(command, "-ERR")
				in.do(command, "-ERR")
			}
		})
	}
}

func TestPOP3WithoutPipeliningHangsUpOnIt(t *testing.T) {
	s := startPOP3(t, POP3Options{NoPipelining: true}, mails("one\r\n")...)
	p := entered(t, s)
	p.do("NOOP", "+OK")
	p.send("RETR 1\r\nRETR 1\r\n")
	p.wants("-ERR")
	p.ends()
}

func TestPOP3WithLFOnlyEndsNoLineWithCRLF(t *testing.T) {
	s := startPOP3(t, POP3Options{LFOnly: true}, mails("A: 1\r\n\r\n.x\r\na\rb\r\n")...)
	p := talkOn(t, dial(t, s))
	for _, c := range []struct{ command, want string }{
		{"", "+OK pop2imap lab ready\n"}, {"USER " + user, "+OK now PASS\n"}, {"PASS " + password, "+OK 1 messages\n"},
		{"LIST", "+OK 1 messages\n"}, {"", "1 17\n"}, {"", ".\n"},
		{"RETR 1", "+OK 17 octets\n"}, {"", "A: 1\n"}, {"", "\n"}, {"", "..x\n"}, {"", "a\rb\n"}, {"", ".\n"},
	} {
		if c.command != "" {
			p.send(c.command + "\r\n")
		}
		equal(t, "after "+c.command, p.line(), c.want)
	}
}

func TestPOP3GreetsAsItIsTold(t *testing.T) {
	p := talkOn(t, dial(t, startPOP3(t, POP3Options{Greeting: "-ERR [SYS/TEMP] not now"})))
	equal(t, "greeting", p.line(), "-ERR [SYS/TEMP] not now\r\n")
}

func TestPOP3HookAnswersOrDropsTheLine(t *testing.T) {
	type seen struct {
		session int
		line    string
	}
	var mu sync.Mutex
	var calls []seen
	s := startPOP3(t, POP3Options{Hook: func(session int, line string) (string, bool) {
		mu.Lock()
		calls = append(calls, seen{session, line})
		mu.Unlock()
		switch line {
		case "STAT":
			return "+OK 999 1\r\n", false
		case "RETR 1":
			return "+OK\r\nA: 1\r\nhalf a li", true
		case "QUIT":
			return "", true
		}
		return "", false
	}}, mails("one\r\n")...)
	p := entered(t, s)
	equal(t, "STAT", p.do("STAT", "+OK"), "+OK 999 1")
	p.do("DELE 1", "+OK")
	p.send("QUIT\r\n")
	p.ends()
	equal(t, "messages after a QUIT that was not executed", len(s.Mail()), 1)

	p = entered(t, s)
	p.do("RETR 1", "+OK")
	equal(t, "RETR", p.line(), "A: 1\r\n")
	rest := make([]byte, len("half a li"))
	if _, err := p.r.Read(rest); err != nil || string(rest) != "half a li" {
		t.Errorf("the last octets: %q, %v", rest, err)
	}
	p.ends()
	s.Close() // after it nobody calls the hook
	want := []seen{{1, "USER " + user}, {1, "PASS " + password}, {1, "STAT"}, {1, "DELE 1"}, {1, "QUIT"},
		{2, "USER " + user}, {2, "PASS " + password}, {2, "RETR 1"}}
	same(t, "what the hook saw", calls, want)
}

func TestStartPOP3RefusesUnknownMechanisms(t *testing.T) {
	if s, err := StartPOP3(POP3Options{Mechs: []string{"PLAIN", "GSSAPI"}}); err == nil {
		s.Close()
		t.Error("started")
	}
}
