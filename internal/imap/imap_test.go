package imap

import (
	"context"
	"io"
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

var inbox = sync.Folder{Name: "INBOX"}

type listener interface {
	Addr() (host string, port int)
}

// startIMAP starts a server for alice that ends with the test.
func startIMAP(t *testing.T, o lab.IMAPOptions) *lab.IMAP {
	t.Helper()
	o.User, o.Password = user, password
	s, err := lab.StartIMAP(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// at describes a server in cleartext.
func at(s listener) wire.Server {
	host, port := s.Addr()
	return wire.Server{Host: host, Port: port, Security: wire.Cleartext, Side: "to", Timeout: patience}
}

// enter logs in. The session ends with the test.
func enter(t *testing.T, s listener) *Session {
	t.Helper()
	return enterAt(t, at(s))
}

func enterAt(t *testing.T, server wire.Server) *Session {
	t.Helper()
	ss, err := Dial(t.Context(), server, alice)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ss.drop)
	return ss
}

// refused logs in to no avail and gives the error.
func refused(t *testing.T, server wire.Server, l Login) error {
	t.Helper()
	s, err := Dial(t.Context(), server, l)
	if err == nil {
		s.drop()
		t.Fatal("the login went well")
	}
	return err
}

// replies are a script's answers to commands that begin so. In each, "%" stands for the tag; "" hangs up. Those to
// what every session begins with need not be given.
type replies map[string]string

// caps are what the script's server can do.
func caps(list string) replies {
	return replies{"CAPABILITY": "* CAPABILITY IMAP4rev1 " + list + "\r\n% OK\r\n"}
}

// with gives more answers.
func (r replies) with(more ...string) replies {
	all := replies{}
	for command, reply := range r {
		all[command] = reply
	}
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

// to gives the answer to a command line: that to the longest beginning that is known.
func (r replies) to(line string) string {
	tag, command, _ := strings.Cut(line, " ")
	usual := replies{"CAPABILITY": "* CAPABILITY IMAP4rev1\r\n% OK\r\n", "LOGIN": "% OK\r\n", "LIST": `* LIST () "/" ""` +
		"\r\n% OK\r\n", "LOGOUT": "* BYE\r\n% OK\r\n", "EXAMINE": "* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 5]\r\n% OK\r\n"}
	reply, best := "% BAD unknown\r\n", ""
	for _, set := range []replies{usual, r} {
		for begin, text := range set {
			if strings.HasPrefix(command, begin) && len(begin) >= len(best) {
				reply, best = text, begin
			}
		}
	}
	return strings.ReplaceAll(reply, "%", tag)
}

// play is a script: a greeting, then the answers. A literal that a command announces is asked for, and taken.
func (r replies) play(p *lab.Peer) {
	p.Send("* OK ready\r\n")
	r.answer(p)
}

func (r replies) answer(p *lab.Peer) {
	for {
		line, err := p.ReadLine()
		if err != nil {
			return
		}
		reply := r.to(line)
		if reply == "" || p.Send(reply) != nil {
			return
		}
	}
}

// loginless are answers with a LOGIN that is asked for in literals: the password is not ASCII.
func loginless(next func(*lab.Peer)) func(*lab.Peer) {
	return func(p *lab.Peer) {
		p.Send("* PREAUTH ready\r\n")
		next(p)
	}
}

// answering is a session with a server that answers up to a command that begins so, and then plays.
func answering(t *testing.T, capabilities, command string, play func(*lab.Peer)) *Session {
	t.Helper()
	return enter(t, check.Script(t, loginless(func(p *lab.Peer) {
		caps(capabilities).with(command, "").answer(p)
		play(p)
	})))
}

// script starts a server that needs no login.
func script(t *testing.T, r replies) *lab.Script {
	t.Helper()
	return check.Script(t, loginless(r.answer))
}

// letter is a message to be appended.
func letter(raw string) sync.Outgoing {
	return sync.Outgoing{Size: int64(len(raw)), Body: func() io.Reader { return strings.NewReader(raw) }}
}

// appendOne appends one message and waits for what becomes of it.
func appendOne(ctx context.Context, s *Session, f sync.Folder, m sync.Outgoing) (sync.Placed, error) {
	a := s.Append(ctx, f, []sync.Outgoing{m}).Wait(ctx)[0]
	return a.Placed, a.Err
}

func TestGreeting(t *testing.T) {
	for _, c := range []struct {
		name, greeting string
		class          sync.Class
		says           string
	}{
		{"BYE without a reason", "* BYE\r\n", sync.Temporary, "does not serve us"},
		{"BYE for now", "* BYE [UNAVAILABLE] too many\r\n", sync.Temporary, "too many"},
		{"bye", "* bye \x1b[2Jgone\r\n", sync.Temporary, "?[2Jgone"},
		{"NO", "* NO [ALERT] too many connections\r\n", sync.Temporary, "too many connections"},
		{"BAD", "* BAD throttled\r\n", sync.Temporary, "throttled"},
		{"of a POP3 server", "+OK POP3 ready\r\n", sync.Protocol, "POP3 ready"},
		{"of an SMTP server", "220 mail \x07 ready\r\n", sync.Protocol, "mail ? ready"},
		{"empty", "\r\n", sync.Protocol, "does not greet"},
		{"binary", "\x16\x03\x01\x00\n", sync.Protocol, "does not greet"},
		{"a literal instead", "* {99999999999999999999}\r\n", sync.Protocol, "octets"},
		{"literals without end", "* OK {0}\r\n" + strings.Repeat("{0}\r\n", 5000), sync.Protocol, "end"},
		{"a line without end", strings.Repeat("* OK", 1<<19), sync.Protocol, "1048576"},
		{"cut", "* OK rea", sync.Temporary, "closed the connection"},
		{"nothing", "", sync.Temporary, "closed the connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := check.Script(t, func(p *lab.Peer) { p.Send(c.greeting) })
			check.Soon(t, "the login", func() {
				err := refused(t, at(s), alice)
				check.Class(t, err, c.class)
				check.Says(t, err, c.says)
			})
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

func TestClose(t *testing.T) {
	t.Run("says LOGOUT, and waits for no answer", func(t *testing.T) {
		heard := make(chan string, 1)
		s := answering(t, "", "LOGOUT", func(*lab.Peer) { heard <- "LOGOUT" })
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		check.Equal(t, "heard", <-heard, "LOGOUT")
	})
	t.Run("with a message on its way", func(t *testing.T) { // it must not arrive when nobody waits for it any more
		rest := make(chan string, 1)
		s := answering(t, "LITERAL+", "one line", func(p *lab.Peer) {
			all, _ := io.ReadAll(p.Conn)
			rest <- string(all)
		})
		s.Append(t.Context(), inbox, []sync.Outgoing{letter("one line\r\n")})
		s.Close(t.Context())
		check.Equal(t, "heard after the message", strings.Contains(<-rest, "LOGOUT"), false)
	})
	t.Run("twice", func(t *testing.T) {
		s := enter(t, startIMAP(t, lab.IMAPOptions{}))
		for range 2 {
			if err := s.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
}

// answerUntil answers up to a command that begins so.
func (r replies) answerUntil(p *lab.Peer, last string) {
	for {
		line, err := p.ReadLine()
		if err != nil || p.Send(r.to(line)) != nil {
			return
		}
		if _, command, _ := strings.Cut(line, " "); strings.HasPrefix(command, last) {
			return
		}
	}
}
