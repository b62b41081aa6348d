package lab

import (
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Close must end every session in whatever state it is, and return when nothing of the server runs any more.
func TestCloseEndsEverything(t *testing.T) {
	const login = "a LOGIN " + user + ` "` + password + `"`
	a := authority(t)
	pop := func(o POP3Options) func(*testing.T) server {
		return func(t *testing.T) server { return startPOP3(t, o, mails("one\r\n")...) }
	}
	imap := func(o IMAPOptions) func(*testing.T) server {
		return func(t *testing.T) server { return startIMAP(t, o) }
	}
	script := func(t *testing.T) server {
		s, err := StartScript(func(p *Peer) {
			p.Send("hello\r\n")
			p.ReadLine()
			p.ReadLine()
		})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, c := range []struct {
		name  string
		start func(*testing.T) server
		talk  []string // what is sent, line by line, each answered with a line
	}{
		{"POP3, greeted", pop(POP3Options{}), nil},
		{"POP3, logged in", pop(POP3Options{}), []string{"USER " + user, "PASS " + password}},
		{"POP3, in the middle of an exchange", pop(POP3Options{Mechs: mechanisms}), []string{"AUTH LOGIN"}},
		{"POP3, before the handshake", pop(POP3Options{TLS: a.Good.Config}), []string{"STLS"}},
		{"IMAP, greeted", imap(IMAPOptions{}), nil},
		{"IMAP, logged in", imap(IMAPOptions{}), []string{login}},
		{"IMAP, in the middle of an exchange", imap(IMAPOptions{Mechs: mechanisms}), []string{"a AUTHENTICATE LOGIN"}},
		{"IMAP, before the handshake", imap(IMAPOptions{TLS: a.Good.Config}), []string{"a STARTTLS"}},
		{"IMAP, in a literal", imap(IMAPOptions{}), []string{login, "b APPEND INBOX {9}"}},
		{"IMAP, idle", imap(IMAPOptions{}), []string{login, "b IDLE"}},
		{"script", script, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			already := goleak.IgnoreCurrent()
			s := c.start(t)
			w := talkOn(t, dial(t, s))
			w.line()
			for _, line := range c.talk {
				w.send(line + "\r\n")
				w.line()
			}
			s.Close()
			w.ends()
			goleak.VerifyNone(t, already)
			s.Close() // twice is allowed
		})
	}
}

func TestCloseDoesNotWaitForAHandshakeThatDoesNotCome(t *testing.T) {
	a := authority(t)
	for name, s := range map[string]server{
		"POP3": startPOP3(t, POP3Options{TLS: a.Good.Config, Implicit: true}),
		"IMAP": startIMAP(t, IMAPOptions{TLS: a.Good.Config, Implicit: true}),
	} {
		t.Run(name, func(t *testing.T) {
			w := talkOn(t, dial(t, s))
			s.Close()
			w.ends()
		})
	}
}

func TestCloseTakesNoMoreConnections(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	host, port := s.Addr()
	s.Close()
	if c, err := net.DialTimeout("tcp", net.JoinHostPort(host, strconv.Itoa(port)), time.Second); err == nil {
		c.Close()
		t.Error("connected")
	}
	equal(t, "connections", s.Connections(), 0)
	equal(t, "host", host, "127.0.0.1")
}

// Close while clients come must neither hang nor leave one behind.
func TestCloseWhileClientsCome(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	host, port := s.Addr()
	address := net.JoinHostPort(host, strconv.Itoa(port))
	done := make(chan []error)
	for range 4 {
		go func() {
			var errs []error
			for {
				c, err := net.Dial("tcp", address)
				if err != nil {
					done <- append(errs, err)
					return
				}
				c.SetDeadline(time.Now().Add(patience))
				_, err = c.Read(make([]byte, 1))
				c.Close()
				if e, ok := err.(net.Error); ok && e.Timeout() {
					errs = append(errs, err)
				}
			}
		}()
	}
	for s.Connections() < 20 {
		talkOn(t, dial(t, s)).wants("* OK")
	}
	s.Close()
	for range 4 {
		errs := <-done
		if slices.ContainsFunc(errs, func(err error) bool { e, ok := err.(net.Error); return ok && e.Timeout() }) {
			t.Errorf("a client was left waiting: %v", errs)
		}
	}
}
