package pop3

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pop2imap/pop2imap/internal/sasl"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// logIn tries one mechanism, once: a second try may lock the account.
func (s *Session) logIn(server wire.Server, greeting string) error {
	mechanism := s.mechanism(greeting)
	var err error
	switch mechanism {
	case "APOP":
		err = s.apop(greeting)
	case "USER":
		err = s.userPass()
	default:
		err = s.authenticate(mechanism, server)
	}
	if err == nil || s.lost != nil {
		return err
	}
	e, ok := errors.AsType[*sync.Error](err)
	if !ok {
		return err
	}
	return sasl.Refused(e, s.w.Host(), s.login.User, mechanism, server.Side)
}

// timestamp is what a server that knows APOP puts into its greeting (RFC 1939 §7).
var timestamp = regexp.MustCompile(`<[^<>@\s]+@[^<>\s]+>`)

// mechanism picks how to log in: the one that is asked for; else the strongest of SASL; in cleartext APOP before a
// password that everyone can read (over TLS not: many a server shows a timestamp and knows no APOP); USER where there is
// nothing else, and before LOGIN, which is the same, and a token, which a password is not. Before PLAIN, which is the same
// too, only where it takes fewer round trips.
func (s *Session) mechanism(greeting string) string {
	if s.login.Auth != "" {
		return strings.ToUpper(s.login.Auth)
	}
	best := sasl.Choose(s.caps["SASL"])
	token := best == "OAUTHBEARER" || best == "XOAUTH2"
	weak := best == "" || best == "PLAIN" || best == "LOGIN"
	switch {
	case weak && !s.w.Secure() && timestamp.MatchString(greeting):
		return "APOP"
	case best == "", s.caps.has("USER") && (best == "LOGIN" || token || best == "PLAIN" && s.oneFlight()):
		return "USER"
	}
	return best
}

// oneFlight says whether USER and PASS may go together, and mean to every server what they mean to us: they have no
// charset, and not every server takes blanks at the ends for a part of a password. Nothing may go with them: what Courier
// has read behind PASS is gone when another process of it takes over.
func (s *Session) oneFlight() bool {
	const commandMax = 255 - len("PASS \r\n") // RFC 2449 §4
	user, password := s.login.User, s.login.Password
	return s.caps.has("PIPELINING") && printable.MatchString(user) && !strings.Contains(user, " ") &&
		printable.MatchString(password) && strings.TrimSpace(password) == password && max(len(user), len(password)) < commandMax
}

var printable = regexp.MustCompile(`^[ -~]+$`)

func (s *Session) userPass() error {
	user, pass := "USER "+s.login.User, "PASS "+s.login.Password
	together, lines := s.oneFlight(), []string{user, pass}
	if !together {
		lines = lines[:1]
	}
	if err := s.send(lines...); err != nil {
		return err
	}
	text, err := s.reply(user)
	switch {
	case err != nil: // what is said to PASS, nobody needs then
	case together:
		text, err = s.reply(pass)
	default:
		text, err = s.command(pass)
	}
	return s.denied(text, err)
}

func (s *Session) apop(greeting string) error {
	stamp := timestamp.FindString(greeting)
	if stamp == "" {
		return &sync.Error{Class: sync.Unavailable, Err: errors.New("it does not offer APOP")}
	}
	sum := md5.Sum([]byte(stamp + s.login.Password))
	digest := hex.EncodeToString(sum[:])
	s.conceal(digest)
	text, err := s.command("APOP " + s.login.User + " " + digest)
	return s.denied(text, err)
}

// denied gives the refusal of a login its class: Login, unless a response code knows better.
func (s *Session) denied(text string, err error) error {
	if err != nil && s.lost == nil {
		return s.denial(text)
	}
	return err
}

func (s *Session) authenticate(mechanism string, server wire.Server) error {
	c, err := sasl.New(mechanism, s.login.User, s.login.Password, server.Host, server.Port)
	if err != nil {
		return err
	}
	// Without an initial response: RFC 5034 §4 bounds the line that would hold it, and not every server takes one.
	return sasl.Run(c, &exchange{s: s, mechanism: mechanism}, false)
}

// exchange carries SASL (RFC 5034 §4).
type exchange struct {
	s         *Session
	mechanism string
	answered  bool // the server has heard more than the name of the mechanism
}

func (x *exchange) Begin(mechanism, _ string) error {
	return x.send("AUTH "+mechanism, "AUTH "+mechanism)
}

func (x *exchange) Answer(line string) error {
	x.answered = true
	if line != "*" {
		x.s.conceal(line)
	}
	return x.send(line, "***")
}

func (x *exchange) send(line, shown string) error {
	x.s.w.Trace("C", shown)
	if err := x.s.conn.Send(line); err != nil {
		return x.s.lose(err)
	}
	return nil
}

// Next reads past go-pop3, which knows no continuation.
func (x *exchange) Next() (challenge string, done bool, err error) {
	raw, err := x.s.w.ReadLine(statusMax)
	if err != nil {
		return "", true, x.s.lose(err)
	}
	line := strings.TrimRight(string(raw), "\r\n")
	switch {
	case strings.HasPrefix(line, "+OK"):
		x.s.w.Trace("S", x.s.link.masked(line))
		return "", true, nil
	case line == "+", strings.HasPrefix(line, "+ "):
		x.s.w.Trace("S", "+ ***")
		return strings.TrimSpace(line[1:]), false, nil
	}
	shown := x.s.link.masked(line)
	x.s.w.Trace("S", shown)
	if text, ok := strings.CutPrefix(line, "-ERR"); ok {
		return "", true, x.denial(strings.TrimSpace(text))
	}
	return "", true, x.s.lose(&sync.Error{Class: sync.Protocol, Server: sync.Clean(shown),
		Err: fmt.Errorf("%s answered AUTH with neither +, +OK nor -ERR", x.s.w.Host())})
}

// denial makes the error for -ERR. Before any answer it is not about the password, whatever code it has (Dovecot
// says AUTH).
func (x *exchange) denial(text string) error {
	if x.answered {
		return x.s.denial(text)
	}
	e := x.s.refusal(text, sync.Unavailable, "it does not take AUTH %s", x.mechanism)
	if e.Class == sync.Login {
		e.Class = sync.Unavailable
	}
	return e
}
