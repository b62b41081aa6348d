package pop3

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// TestMain fails if anything of a session is still running at the end.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const user, password, patience = check.User, check.Password, check.Patience

var alice = Login{User: user, Password: password}

type listener interface {
	Addr() (host string, port int)
}

// startPOP3 starts a server for alice that ends with the test.
func startPOP3(t *testing.T, o lab.POP3Options, mail ...lab.Mail) *lab.POP3 {
	t.Helper()
	o.User, o.Password = user, password
	s, err := lab.StartPOP3(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.SetMail(mail)
	return s
}

// replying is a hook that has its own answer to one command.
func replying(command, reply string) func(int, string) (string, bool) {
	return func(_ int, line string) (string, bool) {
		if line == command {
			return reply, false
		}
		return "", false
	}
}

// answers is a script: a greeting, then for each command the answer to the longest beginning of it that is known.
func answers(greeting string, replies map[string]string) func(*lab.Peer) {
	return func(p *lab.Peer) {
		p.Send(greeting)
		for {
			line, err := p.ReadLine()
			if err != nil {
				return
			}
			reply, best := "-ERR unknown\r\n", ""
			for begin, r := range replies {
				if strings.HasPrefix(line, begin) && len(begin) > len(best) {
					reply, best = r, begin
				}
			}
			if reply == "" { // hang up
				return
			}
			p.Send(reply)
		}
	}
}

// welcoming are the answers of a server that lets everyone in, with more of them.
func welcoming(more ...string) map[string]string {
	r := map[string]string{"USER": "+OK\r\n", "PASS": "+OK\r\n", "QUIT": "+OK bye\r\n",
		"CAPA": "+OK\r\nUSER\r\nTOP\r\nUIDL\r\n.\r\n"}
	for i := 0; i < len(more); i += 2 {
		r[more[i]] = more[i+1]
	}
	return r
}

// at describes a server in cleartext.
func at(s listener) wire.Server {
	host, port := s.Addr()
	return wire.Server{Host: host, Port: port, Security: wire.Cleartext, Side: "from", Timeout: patience}
}

// enter logs in. The session ends with the test.
func enter(t *testing.T, s listener) *Session {
	t.Helper()
	ss, err := Dial(t.Context(), at(s), alice)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ss.Abandon)
	return ss
}

// closed ends a session in which something was retrieved, so that the answer to QUIT matters.
func closed(ctx context.Context, s *Session) error {
	if err := s.Retrieve(ctx, nil, nil); err != nil {
		return err
	}
	return s.Close(ctx)
}

// refused logs in to no avail and gives the error.
func refused(t *testing.T, server wire.Server, l Login) error {
	t.Helper()
	s, err := Dial(t.Context(), server, l)
	if err == nil {
		s.Abandon()
		t.Fatal("the login went well")
	}
	return err
}

func TestUnreachableServer(t *testing.T) {
	t.Run("no such host", func(t *testing.T) {
		err := refused(t, wire.Server{Host: "pop.invalid", Port: 995, Side: "from", Timeout: patience}, alice)
		check.Class(t, err, sync.Temporary)
		check.Says(t, err, "pop.invalid")
	})
	t.Run("nobody listens", func(t *testing.T) {
		err := refused(t, wire.Server{Host: "127.0.0.1", Port: check.Unused(t), Side: "from", Timeout: patience}, alice)
		e := check.Class(t, err, sync.Temporary)
		check.Says(t, err, "connection refused")
		check.Advises(t, e, "host and the port")
	})
	t.Run("cancelled before", func(t *testing.T) {
		s := startPOP3(t, lab.POP3Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := Dial(ctx, at(s), alice)
		check.Class(t, err, sync.Stopped)
	})
}

func TestGreeting(t *testing.T) {
	for _, c := range []struct {
		name, greeting string
		class          sync.Class
		says           string
	}{
		{"refused without a reason", "-ERR\r\n", sync.Temporary, "-ERR"},
		{"refused for now", "-ERR [SYS/TEMP] too many\r\n", sync.Temporary, "too many"},
		{"refused for good", "-ERR [SYS/PERM] closed\r\n", sync.Unavailable, "closed"},
		{"refused with control characters", "-ERR \x1b[2Jgone\r\n", sync.Temporary, "?[2Jgone"},
		{"of an IMAP server", "* OK IMAP4rev1 ready\r\n", sync.Protocol, "IMAP4rev1"},
		{"of hMailServer in trouble", "+ERR Server error\r\n", sync.Protocol, "+ERR"},
		{"empty", "\r\n", sync.Protocol, "neither +OK nor -ERR"},
		{"binary", "\x16\x03\x01\x00\n", sync.Protocol, "neither +OK nor -ERR"},
		{"too long", "+OK " + strings.Repeat("x", 9<<10) + "\r\n", sync.Protocol, "8192"},
		{"endless", strings.Repeat("+OK", 1<<20), sync.Protocol, "8192"},
		{"cut", "+OK rea", sync.Temporary, "closed the connection"},
		{"nothing", "", sync.Temporary, "closed the connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := check.Script(t, func(p *lab.Peer) { p.Send(c.greeting) })
			err := refused(t, at(s), alice)
			check.Class(t, err, c.class)
			check.Says(t, err, c.says)
		})
	}
}

func TestSilentServer(t *testing.T) {
	s := check.Script(t, func(p *lab.Peer) { p.ReadLine() })
	server := at(s)
	server.Timeout = 50 * time.Millisecond
	check.Soon(t, "waiting for a greeting", func() {
		err := refused(t, server, alice)
		check.Class(t, err, sync.Temporary)
		check.Says(t, err, "silent for 50ms")
	})
}
