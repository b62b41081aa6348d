package pop3

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// stalled is a server that says nothing more when it has received a line that begins with at, but tells so.
func stalled(t *testing.T, at string, o lab.POP3Options) (*lab.POP3, <-chan struct{}) {
	t.Helper()
	reached, over := make(chan struct{}), make(chan struct{})
	o.Hook = func(_ int, line string) (string, bool) {
		if strings.HasPrefix(line, at) {
			close(reached)
			<-over
		}
		return "", false
	}
	s := startPOP3(t, o, lab.Mail{UIDL: "a", Raw: []byte("A: 1\r\n\r\n")})
	t.Cleanup(func() { close(over) })
	return s, reached
}

func list(ctx context.Context, s *Session) error {
	_, err := s.List(ctx)
	return err
}

func TestCancelled(t *testing.T) {
	a := check.Authority(t)
	login := func(ctx context.Context, server wire.Server) error {
		s, err := Dial(ctx, server, alice)
		if err == nil {
			s.Abandon()
		}
		return err
	}
	within := func(do func(context.Context, *Session) error) func(context.Context, wire.Server) error {
		return func(ctx context.Context, server wire.Server) error {
			s, err := Dial(context.WithoutCancel(ctx), server, alice)
			if err != nil {
				return err
			}
			defer s.Abandon()
			return do(ctx, s)
		}
	}
	for _, c := range []struct {
		name, at string
		security wire.Security
		do       func(context.Context, wire.Server) error
	}{
		{"in CAPA", "CAPA", wire.Cleartext, login},
		{"in STLS", "STLS", wire.StartTLS, login},
		{"in USER, over TLS", "USER", wire.StartTLS, login},
		{"in PASS", "PASS", wire.Cleartext, login},
		{"in UIDL", "UIDL", wire.Cleartext, within(list)},
		{"in LIST", "LIST", wire.Cleartext, within(list)},
		{"in LIST, over TLS", "LIST", wire.StartTLS, within(list)},
		{"in TOP", "TOP", wire.Cleartext, within(func(ctx context.Context, s *Session) error {
			return s.Headers(ctx, []int{1}, func(int, []byte) error { return nil })
		})},
		{"in RETR", "RETR", wire.Cleartext, within(func(ctx context.Context, s *Session) error {
			return s.Retrieve(ctx, numbered(1), func(int, io.Reader, error) error { return nil })
		})},
		{"in QUIT", "QUIT", wire.Cleartext, within(closed)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, reached := stalled(t, c.at, lab.POP3Options{TLS: a.Good.Config})
			server := at(s)
			server.Security, server.Roots, server.Timeout = c.security, a.Pool, time.Hour
			check.Soon(t, "the call", func() { check.Stopped(t, c.do(check.Until(t, reached), server)) })
		})
	}
}

// halfway is a server that stops in the middle of its answer to a command, and tells so.
func halfway(t *testing.T, command, half string) (*lab.Script, <-chan struct{}) {
	reached := make(chan struct{})
	return check.Script(t, func(p *lab.Peer) {
		answers("+OK\r\n", welcoming(command, ""))(p)
		p.Send(half)
		close(reached)
		p.ReadLine()
	}), reached
}

func TestCancelledHalfway(t *testing.T) {
	body := func(ctx context.Context, s *Session) error {
		return s.Retrieve(ctx, numbered(1), func(_ int, body io.Reader, _ error) error {
			_, err := io.Copy(io.Discard, body)
			return err
		})
	}
	for _, c := range []struct {
		name, command, half string
		do                  func(context.Context, *Session) error
	}{
		{"a listing", "UIDL", "+OK\r\n1 a", list},
		{"a body", "RETR", "+OK\r\nA: 1\r\nB", body},
		{"a status line", "RETR", "+O", body},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, reached := halfway(t, c.command, c.half)
			s := enter(t, server)
			check.Soon(t, "the call", func() { check.Stopped(t, c.do(check.Until(t, reached), s)) })
		})
	}
}

func TestCancelledInTheHandshake(t *testing.T) {
	reached := make(chan struct{})
	s := check.Script(t, func(p *lab.Peer) {
		p.Conn.Read(make([]byte, 1))
		close(reached)
		io.Copy(io.Discard, p.Conn) // a ClientHello is no line
	})
	server := at(s)
	server.Security, server.Timeout = wire.ImplicitTLS, time.Hour
	check.Soon(t, "the handshake", func() {
		_, err := Dial(check.Until(t, reached), server, alice)
		check.Stopped(t, err)
	})
}

// After cancellation no effect is begun: least of all QUIT, which may delete (RFC 2449 §6.7).
func TestNothingIsBegunAfterCancellation(t *testing.T) {
	for range 200 { // a race that is lost now and then shows
		server := startPOP3(t, lab.POP3Options{}, lab.Mail{UIDL: "a"})
		s := enter(t, server)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		check.Class(t, s.Close(ctx), sync.Stopped)
		s.Abandon()
		server.Close()
		if got := strings.Join(server.Commands(), "|"); strings.Contains(got, "QUIT") {
			t.Fatalf("commands: %s", got)
		}
	}
}

// drip sends text octet by octet with a pause before each.
func drip(p *lab.Peer, text string, pause time.Duration) {
	for _, c := range []byte(text) {
		p.Conn.SetReadDeadline(time.Now().Add(pause))
		if _, err := p.ReadLine(); err == nil || !isTimeout(err) {
			return // the client has hung up
		}
		p.Send(string(c))
	}
	p.Conn.SetReadDeadline(time.Time{})
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func TestProgressRearmsTheDeadline(t *testing.T) {
	const message = "+OK\r\nslow\r\n.\r\n"
	s := check.Script(t, func(p *lab.Peer) {
		answers("+OK\r\n", welcoming("RETR", ""))(p)
		drip(p, message, 150*time.Millisecond) // 2 s in all
		p.ReadLine()
	})
	server := at(s)
	server.Timeout = time.Second
	ss, err := Dial(t.Context(), server, alice)
	if err != nil {
		t.Fatal(err)
	}
	defer ss.Abandon()
	err = ss.Retrieve(t.Context(), numbered(1), func(_ int, body io.Reader, _ error) error {
		got, err := io.ReadAll(body)
		check.Equal(t, "body", string(got), "slow\r\n")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestSilence(t *testing.T) {
	list := func(s *Session) error { _, err := s.List(context.Background()); return err }
	retrieve := func(s *Session) error {
		return s.Retrieve(context.Background(), numbered(1), func(_ int, body io.Reader, _ error) error {
			_, err := io.Copy(io.Discard, body)
			return err
		})
	}
	for _, c := range []struct {
		name, command, half string
		do                  func(*Session) error
	}{
		{"before a listing", "UIDL", "", list},
		{"in a listing", "UIDL", "+OK\r\n1 a\r\n", list},
		{"in a status line", "UIDL", "+O", list},
		{"in a body", "RETR", "+OK\r\nA: 1\r\n", retrieve},
		{"before the last octet", "RETR", "+OK\r\nA: 1\r\n.\r", retrieve},
		{"after QUIT", "QUIT", "", func(s *Session) error { return closed(context.Background(), s) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, _ := halfway(t, c.command, c.half)
			end := at(server)
			end.Timeout = 300 * time.Millisecond
			s, err := Dial(t.Context(), end, alice)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Abandon()
			check.Soon(t, "the call", func() {
				err := c.do(s)
				check.Class(t, err, sync.Temporary)
				check.Says(t, err, "silent for 300ms")
			})
		})
	}
}
