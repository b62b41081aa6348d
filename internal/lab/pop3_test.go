package lab

import (
	"fmt"
	"strings"
	"testing"
)

func mails(raw ...string) []Mail {
	var list []Mail
	for i, r := range raw {
		list = append(list, Mail{UIDL: fmt.Sprintf("uidl-%d", i+1), Raw: []byte(r)})
	}
	return list
}

func TestPOP3TellsWhatIsInTheMaildrop(t *testing.T) {
	mail := mails("A: 1\r\n\r\none\r\n", "A: 2\r\n\r\n", "no end")
	mail[1].Size = 4711
	p := entered(t, startPOP3(t, POP3Options{}, mail...))
	p.do("STAT", "+OK 3 4732") // 13 + 4711 + 8
	p.do("LIST", "+OK")
	equal(t, "LIST", p.body(), "1 13\r\n2 4711\r\n3 8\r\n")
	p.do("UIDL", "+OK")
	equal(t, "UIDL", p.body(), "1 uidl-1\r\n2 uidl-2\r\n3 uidl-3\r\n")
	equal(t, "LIST 2", p.do("list 2", "+OK"), "+OK 2 4711")
	equal(t, "UIDL 3", p.do("Uidl 3", "+OK"), "+OK 3 uidl-3")
	p.do("NOOP", "+OK")
	for _, wrong := range []string{"LIST 0", "LIST 4", "UIDL x", "RETR", "RETR 9", "DELE -1", "TOP 1", "TOP 1 x",
		"TOP 4 0"} {
		p.do(wrong, "-ERR")
	}
}

func TestPOP3GivesTheMessageLineByLine(t *testing.T) {
	for _, c := range []struct{ name, raw, wire string }{
		{"as it is", "A: 1\r\n\r\nbody\r\n", "A: 1\r\n\r\nbody\r\n"},
		{"lines that begin with a dot", "A: 1\r\n\r\n.\r\n..\r\n.x\r\n", "A: 1\r\n\r\n..\r\n...\r\n..x\r\n"},
		{"a dot as the last line, without an end", "\r\n.", "\r\n..\r\n"},
		{"LF alone becomes CRLF", "A: 1\n\nbody\n", "A: 1\r\n\r\nbody\r\n"},
		{"CR alone stays", "A: 1\r\n\r\na\rb\r\r\n", "A: 1\r\n\r\na\rb\r\r\n"},
		{"NUL and 8-bit", "A: \xfc\r\n\r\n\x00\xff\r\n", "A: \xfc\r\n\r\n\x00\xff\r\n"},
		{"no end of line at the end", "A: 1\r\n\r\nx", "A: 1\r\n\r\nx\r\n"},
		{"nothing at all", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := entered(t, startPOP3(t, POP3Options{}, mails(c.raw)...))
			p.do("RETR 1", fmt.Sprintf("+OK %d ", len(unstuffed(c.wire))))
			equal(t, "RETR", p.body(), c.wire)
			p.do("NOOP", "+OK")
		})
	}
}

func TestPOP3TopIsTheHeaderAndSomeLines(t *testing.T) {
	const header = "A: 1\r\nB: 2\r\n\r\n"
	p := entered(t, startPOP3(t, POP3Options{}, mails(header+"one\r\n.two\r\n\r\nfour\r\n", "A: no body")...))
	for command, want := range map[string]string{
		"TOP 1 0": header, "TOP 1 1": header + "one\r\n", "TOP 1 3": header + "one\r\n..two\r\n\r\n",
		"TOP 1 99": header + "one\r\n..two\r\n\r\nfour\r\n", "TOP 2 5": "A: no body\r\n",
	} {
		p.do(command, "+OK")
		equal(t, command, p.body(), want)
	}
}

func TestPOP3DeletesAtQuit(t *testing.T) {
	s := startPOP3(t, POP3Options{}, mails("one\r\n", "two\r\n", "three\r\n")...)
	p := entered(t, s)
	p.do("DELE 1", "+OK")
	p.do("DELE 2", "+OK")
	p.do("DELE 2", "-ERR")
	p.do("RETR 2", "-ERR")
	p.do("STAT", "+OK 1 7")
	p.do("UIDL", "+OK 1 ")
	equal(t, "UIDL", p.body(), "3 uidl-3\r\n")
	equal(t, "messages before QUIT", len(s.Mail()), 3)
	p.do("RSET", "+OK")
	p.do("DELE 2", "+OK")
	p.do("QUIT", "+OK")
	if err := p.ends(); err != nil {
		t.Error(err)
	}
	left := s.Mail()
	if len(left) != 2 || left[0].UIDL != "uidl-1" || left[1].UIDL != "uidl-3" {
		t.Errorf("left over: %v", left)
	}
	entered(t, s).do("STAT", "+OK 2 12")
}

func TestPOP3DeletesNothingWithoutQuit(t *testing.T) {
	s := startPOP3(t, POP3Options{}, mails("one\r\n")...)
	p := entered(t, s)
	p.do("DELE 1", "+OK")
	p.c.Close()
	entered(t, s).do("STAT", "+OK 1 5") // the server has noticed: it lets us in again
	equal(t, "messages", len(s.Mail()), 1)
}

func TestPOP3LetsOneSessionIn(t *testing.T) {
	s := startPOP3(t, POP3Options{}, mails("one\r\n")...)
	first := entered(t, s)
	second := popTo(t, s)
	second.do("USER "+user, "+OK")
	second.do("PASS "+password, "-ERR [IN-USE]")
	first.do("QUIT", "+OK")
	second.do("USER "+user, "+OK")
	second.do("PASS "+password, "+OK")
}

func TestPOP3GoesOnWithTheMaildropItOpened(t *testing.T) {
	s := startPOP3(t, POP3Options{}, mails("one\r\n", "two\r\n")...)
	p := entered(t, s)
	s.SetMail(mails("three\r\n"))
	p.do("STAT", "+OK 2 10")
	p.do("DELE 1", "+OK")
	p.do("QUIT", "+OK")
	equal(t, "messages", len(s.Mail()), 1)
	entered(t, s).do("STAT", "+OK 1 7")
}

func TestPOP3KeepsTheStatesApart(t *testing.T) {
	s := startPOP3(t, POP3Options{}, mails("one\r\n")...)
	p := popTo(t, s)
	for _, c := range []string{"STAT", "LIST", "UIDL", "RETR 1", "TOP 1 0", "DELE 1", "NOOP", "RSET", "XYZZY", ""} {
		p.do(c, "-ERR")
	}
	p.do("USER "+user, "+OK")
	p.do("PASS "+password, "+OK")
	p.do("USER "+user, "-ERR")
	p.do("AUTH PLAIN", "-ERR")
	p.do("RETR 1", "+OK")
	equal(t, "RETR", p.body(), "one\r\n")
}

func TestPOP3AnswersPipelinedCommandsInOrder(t *testing.T) {
	s := startPOP3(t, POP3Options{}, mails("one\r\n", "two\r\n")...)
	p := entered(t, s)
	p.send("RETR 1\r\nRETR 2\r\nRETR 3\r\nDELE 1\r\nQUIT\r\n")
	p.wants("+OK")
	equal(t, "RETR 1", p.body(), "one\r\n")
	p.wants("+OK")
	equal(t, "RETR 2", p.body(), "two\r\n")
	p.wants("-ERR")
	p.wants("+OK")
	p.wants("+OK")
	p.ends()
	equal(t, "commands", strings.Join(s.Commands()[2:], "|"), "RETR 1|RETR 2|RETR 3|DELE 1|QUIT")
}

func TestPOP3NumbersConnections(t *testing.T) {
	s := startPOP3(t, POP3Options{})
	popTo(t, s)
	popTo(t, s)
	equal(t, "connections", s.Connections(), 2)
}
