// Package pop3 is a session with a maildrop (RFC 1939): greeting, TLS, login, listing, retrieval, QUIT. Commands and
// status lines go through go-pop3; what must be exact (bodies, listings) or must be bounded (lines, waits) is read
// straight off the wire. It knows nothing of IMAP, of the state, or of what has been copied before.
package pop3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/knadh/go-pop3"

	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// A Login says who we are. Auth is "" for the strongest that both sides offer, or one of the names in SPEC §2.
type Login struct {
	User, Password string
	Auth           string
}

// A Session is a maildrop that we are logged in to. See [sync.Source] for the contract of its methods.
type Session struct {
	w     *wire.Conn
	link  *link
	conn  *pop3.Conn
	login Login
	caps  capabilities
	first capabilities // before the login, and within TLS if there is any
	stale bool         // caps are those of before the login
	idle  bool         // nothing was retrieved, and nothing is to be deleted
	lost  error        // why the session is out of step or gone; then it is only abandoned
}

var _ sync.Source = (*Session)(nil)

// Dial connects, protects the connection as s asks, and logs in. The errors have classes.
func Dial(ctx context.Context, s wire.Server, l Login) (*Session, error) {
	if strings.ContainsAny(l.User+l.Password, "\r\n\x00") { // would be a second command
		return nil, &sync.Error{Class: sync.Config, Err: errors.New("a line end or NUL in user name or password")}
	}
	w, err := wire.Dial(ctx, s)
	if err != nil {
		return nil, err
	}
	defer w.Bind(ctx)()
	ss := &Session{w: w, login: l}
	if err := ss.open(ctx, s); err != nil {
		w.Close()
		return nil, err
	}
	return ss, nil
}

// open takes the session from the greeting to the TRANSACTION state (RFC 1939 §3).
func (s *Session) open(ctx context.Context, server wire.Server) error {
	s.link = &link{Conn: s.w}
	s.conceal(s.login.Password)
	greeting, err := s.greet()
	if err != nil {
		return err
	}
	if err := s.connect(server); err != nil {
		return err
	}
	if s.caps, err = s.capa(); err != nil {
		return err
	}
	if server.Security == wire.StartTLS {
		if err := s.stls(ctx); err != nil {
			return err
		}
	}
	s.first = s.caps
	if s.caps.has("UTF8") { // RFC 6856 §2: without it Courier wraps mail with 8-bit headers
		if _, err := s.command("UTF8"); s.lost != nil {
			return err
		}
	}
	if err := s.logIn(server, greeting); err != nil {
		return err
	}
	s.stale, s.idle = true, true
	if s.caps.has("PIPELINING") { // CAPA goes with the listing
		return nil
	}
	if err := s.send("CAPA"); err != nil {
		return err
	}
	return s.renew()
}

// renew reads the reply to CAPA after the login, if it is still to come: Gmail shows PIPELINING only then. If the server
// does not give it, what it said before counts.
func (s *Session) renew() error {
	if !s.stale {
		return nil
	}
	s.stale = false
	caps, err := s.readCAPA()
	if caps != nil {
		s.caps = caps
	}
	return err
}

// greet reads the greeting. That of a server that refuses us says why.
func (s *Session) greet() (string, error) {
	if err := s.link.fetch(); err != nil {
		return "", err
	}
	s.link.lf = !strings.HasSuffix(string(s.link.line), "\r\n") // a server of LF only
	ok, text := s.link.status()
	if !ok {
		return "", s.refusal(string(text), sync.Temporary, "%s does not serve us", s.w.Host())
	}
	return string(text), nil
}

// connect hands the connection to go-pop3, which wants to dial, and to read the greeting, itself.
func (s *Session) connect(server wire.Server) (err error) {
	s.link.rest = []byte("+OK\r\n")
	s.conn, err = pop3.New(pop3.Opt{Host: server.Host, Port: server.Port, Dialer: dialed{s.link}}).NewConn()
	return err
}

type dialed struct{ conn net.Conn }

func (d dialed) Dial(string, string) (net.Conn, error) { return d.conn, nil }

// stls begins TLS (RFC 2595 §4). What was learned before it is forgotten. There is no way on without it.
func (s *Session) stls(ctx context.Context) error {
	const remedy = "use pop3s:// (port 995) if the server has it; " +
		"pop3+insecure:// sends the password and all mail in cleartext"
	if s.caps != nil && !s.caps.has("STLS") {
		return &sync.Error{Class: sync.Unavailable, Remedy: remedy,
			Err: fmt.Errorf("%s does not offer STLS, and pop3:// does not go on in cleartext", s.w.Host())}
	}
	if text, err := s.command("STLS"); s.lost != nil {
		return err
	} else if err != nil {
		e := s.refusal(text, sync.Unavailable, "%s refused STLS, and pop3:// does not go on in cleartext", s.w.Host())
		e.Remedy = cmp.Or(e.Remedy, remedy)
		return e
	}
	if err := s.w.StartTLS(ctx); err != nil {
		return err
	}
	caps, err := s.capa()
	s.caps = caps
	return err
}

// command sends a line and gives the text after +OK. After -ERR it gives the text and an error; the session is good.
// When it is not, s.lost is set.
func (s *Session) command(line string) (string, error) {
	if err := s.send(line); err != nil {
		return "", err
	}
	return s.reply(line)
}

// send sends commands together. More than one only if the server announces PIPELINING (RFC 2449 §6.6).
func (s *Session) send(lines ...string) error {
	if err := s.quiet(); err != nil {
		return err
	}
	for _, line := range lines {
		s.w.Trace("C", hidden(line))
	}
	if err := s.conn.Send(strings.Join(lines, "\r\n")); err != nil {
		return s.lose(err)
	}
	return nil
}

// reply reads the status line that answers a command.
func (s *Session) reply(line string) (string, error) {
	s.link.line = nil
	_, err := s.conn.ReadOne()
	if s.link.fault != nil {
		return "", s.lose(s.link.fault)
	}
	if s.link.line == nil {
		return "", s.lose(err)
	}
	ok, raw := s.link.status() // not go-pop3's view of it: to that an empty line is a success
	text := string(raw)
	if !ok {
		verb, _, _ := strings.Cut(line, " ")
		return text, s.refused(verb, text)
	}
	return text, nil
}

// refused makes the error for -ERR to a command.
func (s *Session) refused(verb, text string) *sync.Error {
	return s.refusal(text, sync.Temporary, "%s refused %s", s.w.Host(), verb)
}

// hidden is a command as it may be shown.
func hidden(line string) string {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "PASS":
		return verb + " ***"
	case "APOP":
		user, _, _ := strings.Cut(rest, " ")
		return verb + " " + user + " ***"
	}
	return line
}

// lose marks the session as gone or out of step.
func (s *Session) lose(err error) error {
	if s.lost == nil {
		s.lost = err
	}
	return s.lost
}

// conceal keeps a secret out of what is shown of the server's words.
func (s *Session) conceal(secret string) {
	if secret != "" {
		s.link.hide = append(s.link.hide, secret)
	}
}

// Close says QUIT. The maildrop is the server's again, and what it expires on QUIT it may expire (RFC 2449 §6.7). Where
// nothing depends on the answer, it is not waited for.
func (s *Session) Close(ctx context.Context) (err error) {
	defer s.w.Bind(ctx)()
	defer s.w.Close()
	const quit = "QUIT"
	if s.idle && s.lost == nil {
		s.w.Trace("C", quit)
		err = s.conn.Send(quit)
	} else {
		_, err = s.command(quit)
	}
	s.lose(fmt.Errorf("the session with %s is closed", s.w.Host()))
	return err
}

// Abandon drops the line: the server removes nothing (RFC 1939 §6).
func (s *Session) Abandon() {
	s.lose(fmt.Errorf("the session with %s was abandoned", s.w.Host()))
	s.w.Close()
}
