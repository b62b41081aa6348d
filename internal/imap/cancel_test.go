package imap

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// steps are what a session does.
var steps = map[string]func(context.Context, *Session) error{
	"Open": func(ctx context.Context, s *Session) error {
		_, err := s.Open(ctx, "INBOX", true)
		return err
	},
	"Append": func(ctx context.Context, s *Session) error {
		_, err := appendOne(ctx, s, inbox, letter("one line"))
		return err
	},
	"Append of much": func(ctx context.Context, s *Session) error {
		_, err := appendOne(ctx, s, inbox, letter(strings.Repeat("x", 64<<20)))
		return err
	},
	"Find": func(ctx context.Context, s *Session) error {
		for _, err := range s.Find(ctx, sync.Folder{Name: "INBOX", UIDValidity: 7}, 1) {
			return err
		}
		return nil
	},
}

// stages are where a server falls silent: after a command that begins so, and half an answer.
var stages = []struct {
	name, step, caps, command, half string
	unsent                          bool
}{
	{"EXAMINE", "Open", "", "EXAMINE", "", false},
	{"in the answer to EXAMINE", "Open", "", "EXAMINE", "* OK [UIDVALIDITY 7]\r\n* OK", false},
	{"STATUS", "Open", "APPENDLIMIT", "STATUS", "", false},
	{"LIST", "Open", "", "LIST \"\" INBOX", "", false},
	{"CREATE", "Open", "", "CREATE", "", false},
	{"SUBSCRIBE", "Open", "", "SUBSCRIBE", "", false},
	{"before +", "Append", "", "APPEND", "", true},
	{"in +", "Append", "", "APPEND", "+ g", true},
	{"after the message", "Append", "", "one line", "", false},
	{"after the message, with LITERAL+", "Append", "LITERAL+", "one line", "* OK still here\r\np1 O", false},
	{"in the message", "Append of much", "LITERAL+", "APPEND", "", true},
	{"FETCH", "Find", "", "UID FETCH", "", false},
	{"between two messages", "Find", "", "UID FETCH", "* 1 FETCH (UID 9 RFC822.SIZE 1)\r\n", false},
	{"in a literal", "Find", "", "UID FETCH", "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (MESSAGE-ID)] {9}\r\nM", false},
}

// silent is a server that falls silent at a stage, and tells so.
func silent(t *testing.T, capabilities, command, half string) (*lab.Script, <-chan struct{}) {
	reached := make(chan struct{})
	r := caps(capabilities).with("APPEND", "+ go\r\n", "STATUS", "% OK\r\n")
	switch command {
	case "CREATE", "SUBSCRIBE", "LIST \"\" INBOX":
		r = r.with("EXAMINE", "% NO\r\n", "LIST \"\" INBOX", "% OK\r\n", "CREATE", "% OK\r\n")
	}
	if strings.HasPrefix(capabilities, "LITERAL+") {
		r = r.with("APPEND", "* OK\r\n")
	}
	return check.Script(t, loginless(func(p *lab.Peer) {
		for {
			line, err := p.ReadLine()
			if err != nil {
				return
			}
			_, rest, _ := strings.Cut(line, " ")
			if strings.HasPrefix(rest, command) || strings.HasPrefix(line, command) {
				break
			}
			p.Send(r.to(line))
		}
		p.Send(half)
		close(reached)
		if command == "APPEND" && capabilities != "" {
			<-t.Context().Done() // the message stays in the way
			return
		}
		io.Copy(io.Discard, p.Conn)
	})), reached
}

func TestCancelled(t *testing.T) {
	for _, c := range stages {
		t.Run(c.name, func(t *testing.T) {
			server, reached := silent(t, c.caps, c.command, c.half)
			end := at(server)
			end.Timeout = time.Hour
			s := enterAt(t, end)
			check.Soon(t, "the step", func() {
				e := check.Stopped(t, steps[c.step](check.Until(t, reached), s))
				check.Equal(t, "unsent", e.Unsent, c.unsent)
			})
		})
	}
}

func TestSilence(t *testing.T) {
	for _, c := range stages {
		t.Run(c.name, func(t *testing.T) {
			server, _ := silent(t, c.caps, c.command, c.half)
			end := at(server)
			end.Timeout = 200 * time.Millisecond
			s := enterAt(t, end)
			check.Soon(t, "the step", func() {
				e := check.Class(t, steps[c.step](context.Background(), s), sync.Temporary)
				check.Equal(t, "unsent", e.Unsent, c.unsent)
				check.Says(t, e, "silent for 200ms")
			})
		})
	}
}

func TestCancelledInTheLogin(t *testing.T) {
	a := check.Authority(t)
	for _, c := range []struct {
		name, command string
		security      wire.Security
	}{
		{"before the greeting", "", wire.Cleartext},
		{"CAPABILITY", "CAPABILITY", wire.Cleartext},
		{"STARTTLS", "STARTTLS", wire.StartTLS},
		{"the handshake", "TLS", wire.StartTLS},
		{"LOGIN", "LOGIN", wire.Cleartext},
		{"ID", "ID", wire.Cleartext},
		{"LIST", "LIST", wire.Cleartext},
	} {
		t.Run(c.name, func(t *testing.T) {
			reached := make(chan struct{})
			s := check.Script(t, func(p *lab.Peer) {
				if c.command != "" {
					p.Send("* OK ready\r\n")
				}
				r := caps("STARTTLS ID").with("STARTTLS", "% OK\r\n", "ID", "% OK\r\n")
				for c.command != "" {
					line, err := p.ReadLine()
					if _, rest, _ := strings.Cut(line, " "); err != nil || strings.HasPrefix(rest, c.command) {
						break
					}
					p.Send(r.to(line))
					if c.command == "TLS" && strings.HasSuffix(line, "STARTTLS") {
						break
					}
				}
				close(reached)
				io.Copy(io.Discard, p.Conn)
			})
			server := at(s)
			server.Security, server.Roots, server.Timeout = c.security, a.Pool, time.Hour
			check.Soon(t, "the login", func() {
				_, err := Dial(check.Until(t, reached), server, Login{User: user, Password: "ascii"})
				check.Stopped(t, err)
			})
		})
	}
}

// After cancellation no effect is begun, and what ended is told as what it is.
func TestNothingIsBegunAfterCancellation(t *testing.T) {
	for range 50 { // a race that is lost now and then shows
		for name, step := range steps {
			if name == "Append of much" {
				continue
			}
			server := startIMAP(t, lab.IMAPOptions{})
			s := enter(t, server)
			before := len(server.Commands())
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := step(ctx, s); name != "Close" || err != nil {
				check.Class(t, err, sync.Stopped)
			}
			s.drop()
			server.Close()
			if got := server.Commands(); len(got) != before {
				t.Fatalf("%s: commands: %q", name, got[before:])
			}
		}
	}
}
