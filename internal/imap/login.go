package imap

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pop2imap/pop2imap/internal/sasl"
	"github.com/pop2imap/pop2imap/sync"
)

// check finds what would be a second command. It can be said before anything is sent.
func (l Login) check() error {
	if strings.ContainsAny(l.User+l.Password, "\r\n\x00") {
		return &sync.Error{Class: sync.Config, Err: errors.New("a line end or NUL in user name or password")}
	}
	return nil
}

// logIn tries one mechanism, once: a second try may lock the account.
func (g *gate) logIn() error {
	g.conceal(g.login.Password)
	mechanism := g.mechanism()
	var err error
	switch {
	case mechanism != "":
		err = g.authenticate(mechanism)
	case g.caps.has("LOGINDISABLED"):
		err = &sync.Error{Class: sync.Unavailable, Err: errors.New("it offers no way to log in that we know"),
			Remedy: "the server may want TLS: use imaps:// or imap://"}
	default:
		mechanism = "login"
		err = g.plainLogin()
	}
	e, ok := classed(err)
	if !ok || g.lost != nil || e.Class == sync.Config {
		return err
	}
	return sasl.Refused(e, g.server.Host, g.login.User, mechanism, g.server.Side)
}

// classed gives the error that has a class, to be told in other words.
func classed(err error) (*sync.Error, bool) { return errors.AsType[*sync.Error](err) }

// mechanism picks how to log in: the one that is asked for; else the strongest of SASL; else the command LOGIN, which
// is "" here, also before the mechanism of that name, which is the same, and before a token, which a password is not.
func (g *gate) mechanism() string {
	asked := strings.ToUpper(g.login.Auth)
	if asked == "LOGIN" && !g.caps.has("AUTH=LOGIN") {
		return ""
	}
	best := sasl.Choose(g.caps.values("AUTH"))
	weak := best == "LOGIN" || best == "OAUTHBEARER" || best == "XOAUTH2"
	if asked == "" && weak && !g.caps.has("LOGINDISABLED") {
		return ""
	}
	return cmp.Or(asked, best)
}

func (g *gate) authenticate(mechanism string) error {
	c, err := sasl.New(mechanism, g.login.User, g.login.Password, g.server.Host, g.server.Port)
	if err != nil {
		return err
	}
	// Not before the server is known to want it: a secret is not sent on the off chance.
	initial := g.caps.has("SASL-IR") && g.caps.has("AUTH="+mechanism)
	g.caps = nil // a login changes them (RFC 9051 §6.2)
	return sasl.Run(c, &exchange{g: g, mechanism: mechanism}, initial)
}

// plainLogin is the command LOGIN (RFC 9051 §6.2.3). What a quoted string cannot hold goes as a literal.
func (g *gate) plainLogin() error {
	g.caps = nil // a login changes them
	tag := g.tag()
	line := tag + " LOGIN"
	for _, arg := range []string{g.login.User, g.login.Password} {
		if q, ok := quote(arg); ok {
			line += " " + q
			continue
		}
		if err := g.write(line+" {"+strconv.Itoa(len(arg))+"}", tag+" LOGIN ***"); err != nil {
			return err
		}
		if _, done, err := g.reply(tag); done && err == nil {
			return g.lose(g.broke("let us in before we said who we are", ""))
		} else if done {
			return g.denied(err)
		}
		line = arg
	}
	if err := g.write(line, tag+" LOGIN ***"); err != nil {
		return err
	}
	_, done, err := g.reply(tag)
	if !done && err == nil {
		err = g.lose(g.broke("wants more after LOGIN", ""))
	}
	return g.denied(err)
}

// quote writes a string as IMAP quotes it (RFC 9051 §4.3), if it can.
func quote(s string) (string, bool) {
	for _, b := range []byte(s) {
		if b < ' ' || b > '~' {
			return "", false
		}
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`, true
}

// conceal keeps a password out of what is shown of the server's words, also as it is quoted or coded.
func (g *gate) conceal(password string) {
	g.veil.hide(password)
	g.veil.hide(base64.StdEncoding.EncodeToString([]byte(password)))
	if q, ok := quote(password); ok {
		g.veil.hide(q[1 : len(q)-1])
	}
}

// denied gives the refusal of a login its class: Login, unless the server has said otherwise. What NOPERM says of a
// folder is not meant here.
func (g *gate) denied(err error) error {
	e, ok := classed(err)
	if !ok || g.lost != nil {
		return err
	}
	if _, known := codes[e.Code]; e.Class != sync.Temporary && (!known || e.Code == "NOPERM") {
		e.Class, e.Remedy = sync.Login, ""
	}
	return e
}

// exchange carries SASL (RFC 9051 §6.2.2).
type exchange struct {
	g         *gate
	mechanism string
	tag       string
	answered  bool // the server has heard more than the name of the mechanism
}

func (x *exchange) Begin(mechanism, first string) error {
	x.tag = x.g.tag()
	line := x.tag + " AUTHENTICATE " + mechanism
	if first == "" {
		return x.g.write(line, line)
	}
	x.answered = true
	x.g.veil.hide(first)
	return x.g.write(line+" "+first, line+" ***")
}

func (x *exchange) Answer(line string) error {
	x.answered = true
	if line != "*" {
		x.g.veil.hide(line)
	}
	return x.g.write(line, "***")
}

// Next waits. A refusal before any answer is not about the password, whatever code it has.
func (x *exchange) Next() (challenge string, done bool, err error) {
	challenge, done, err = x.g.reply(x.tag)
	if x.answered {
		return challenge, done, x.g.denied(err)
	}
	if e, ok := classed(err); ok && x.g.lost == nil {
		e.Err = fmt.Errorf("it does not take AUTHENTICATE %s", x.mechanism)
		if e.Class == sync.Login {
			e.Class = sync.Unavailable
		}
	}
	return challenge, done, err
}
