package lab

import (
	"slices"
	"strings"
	"testing"
)

// uidls are the messages that a new session lists.
func uidls(t *testing.T, s *POP3) []string {
	t.Helper()
	p := entered(t, s)
	p.do("UIDL", "+OK")
	var list []string
	for line := range strings.Lines(p.body()) {
		_, uidl, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		list = append(list, uidl)
	}
	p.c.Close()
	return list
}

// left are the messages that are in the maildrop, listed or not.
func left(s *POP3) []string {
	var list []string
	for _, m := range s.Mail() {
		list = append(list, m.UIDL)
	}
	return list
}

func TestPOP3ListsTheOldestAlone(t *testing.T) {
	s := startPOP3(t, POP3Options{Window: 2}, mails("one\r\n", "two\r\n", "three\r\n")...)
	p := entered(t, s)
	p.do("STAT", "+OK 2 10")
	p.do("RETR 3", "-ERR")
	p.do("DELE 1", "+OK")
	p.do("QUIT", "+OK")
	same(t, "next session", uidls(t, s), []string{"uidl-2", "uidl-3"})
}

func TestPOP3HidesWhatWasRetrieved(t *testing.T) {
	s := startPOP3(t, POP3Options{Hides: true, Window: 2}, mails("one\r\n", "two\r\n", "three\r\n")...)
	for _, command := range []string{"", "QUIT"} {
		same(t, "listed", uidls(t, s), []string{"uidl-1", "uidl-2"})
		p := entered(t, s)
		p.do("TOP 2 0", "+OK")
		p.body()
		p.do("RETR 1", "+OK")
		p.body()
		if command == "" {
			p.c.Close()
		} else {
			p.do(command, "+OK")
		}
	}
	same(t, "listed after QUIT", uidls(t, s), []string{"uidl-2", "uidl-3"})
	same(t, "there", left(s), []string{"uidl-1", "uidl-2", "uidl-3"})
}

func TestPOP3ExpiresWhatWasRetrieved(t *testing.T) {
	s := startPOP3(t, POP3Options{Expires: true}, mails("one\r\n", "two\r\n")...)
	p := entered(t, s)
	if capa := p.capabilities(); !slices.Contains(capa, "EXPIRE·0") {
		t.Errorf("CAPA: %v", capa)
	}
	p.do("RETR 1", "+OK")
	p.body()
	p.c.Close()
	same(t, "without QUIT", uidls(t, s), []string{"uidl-1", "uidl-2"})
	p = entered(t, s)
	p.do("RETR 1", "+OK")
	p.body()
	p.do("RSET", "+OK")
	p.do("QUIT", "+OK")
	same(t, "after QUIT", left(s), []string{"uidl-2"})
}

func TestPOP3NumbersMoveUpInsideASession(t *testing.T) {
	s := startPOP3(t, POP3Options{Shift: 3}, mails("one\r\n", "two\r\n", "three\r\n")...)
	p := entered(t, s)
	p.do("UIDL 1", "+OK 1 uidl-1")
	p.do("UIDL 2", "+OK 2 uidl-2")
	p.do("UIDL 2", "+OK 2 uidl-3")
	p.do("UIDL 3", "-ERR")
	p.do("DELE 1", "+OK")
	p.do("QUIT", "+OK")
	same(t, "left", left(s), []string{"uidl-1", "uidl-3"})
}

func TestPOP3DoesNotRemoveAllThatWasDeleted(t *testing.T) {
	s := startPOP3(t, POP3Options{Keeps: func(m Mail) bool { return m.UIDL == "uidl-2" }},
		mails("one\r\n", "two\r\n", "three\r\n")...)
	p := entered(t, s)
	p.do("DELE 1", "+OK")
	p.do("QUIT", "+OK")
	p = entered(t, s)
	p.do("DELE 1", "+OK")
	p.do("DELE 2", "+OK")
	p.do("QUIT", "-ERR some deleted messages not removed")
	p.ends()
	same(t, "left", left(s), []string{"uidl-2"})
}

func TestPOP3ExecutesACommandWhoseReplyIsLost(t *testing.T) {
	s := startPOP3(t, POP3Options{LosesReply: func(session int, line string) bool { return session == 1 && line == "QUIT" }},
		mails("one\r\n", "two\r\n")...)
	p := entered(t, s)
	p.send("DELE 1\r\nQUIT\r\n")
	p.wants("+OK")
	p.ends()
	same(t, "left", left(s), []string{"uidl-2"})
	entered(t, s).do("QUIT", "+OK")
}

// These need no option: a Hook does them.
func TestPOP3FaultsByHook(t *testing.T) {
	for _, c := range []struct {
		name, command, reply string
		talk                 []string
	}{
		{"DELE is ignored", "DELE 1", "+OK\r\n", []string{"DELE 1", "+OK", "QUIT", "+OK"}},
		{"RETR is truncated", "RETR 1", "+OK 5 octets\r\no\r\n.\r\n", []string{"LIST 1", "+OK 1 5", "RETR 1", "+OK", "", "o\r", "", "."}},
		{"QUIT removes nothing", "QUIT", "-ERR some deleted messages not removed\r\n", []string{"DELE 1", "+OK", "QUIT", "-ERR"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startPOP3(t, POP3Options{Hook: func(_ int, line string) (string, bool) {
				return map[string]string{c.command: c.reply}[line], false
			}}, mails("one\r\n")...)
			p := entered(t, s)
			for i := 0; i < len(c.talk); i += 2 {
				if c.talk[i] != "" {
					p.send(c.talk[i] + "\r\n")
				}
				p.wants(c.talk[i+1])
			}
			p.c.Close()
			same(t, "listed", uidls(t, s), []string{"uidl-1"})
		})
	}
}

func TestPOP3RefusesTheFirstLogins(t *testing.T) {
	for _, reply := range []string{"-ERR [LOGIN-DELAY] wait", "-ERR [IN-USE] another session has the maildrop"} {
		s := startPOP3(t, POP3Options{Hook: RefuseLogins(2, reply)}, mails("one\r\n")...)
		for range 2 {
			p := popTo(t, s)
			p.do("CAPA", "+OK")
			p.body()
			p.do("USER "+user, "+OK")
			equal(t, "answer", p.do("PASS "+password, "-ERR"), reply)
			p.do("QUIT", "+OK")
		}
		same(t, "listed", uidls(t, s), []string{"uidl-1"})
	}
}
