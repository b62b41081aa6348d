package imap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/pop2imap/pop2imap/internal/sasl"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// A gate is the way from the greeting to a login. It reads and writes the connection itself, before imapclient has it:
// imapclient cannot say what a server refused here, and not every mechanism works with it.
type gate struct {
	w      *wire.Conn
	server wire.Server
	login  Login
	caps   capabilities // nil: not known
	next   int
	lost   error
}

func (g *gate) pass(ctx context.Context) error {
	preauth, err := g.greet()
	if err != nil {
		return err
	}
	if g.server.Security == wire.StartTLS {
		if preauth { // nothing could be protected any more (RFC 9051 §7.1.4)
			return &sync.Error{Class: sync.Protocol, Err: fmt.Errorf("%s skipped the login before STARTTLS: "+
				"someone may be in the way", g.server.Host)}
		}
		if err := g.startTLS(ctx); err != nil {
			return err
		}
	}
	if err := g.learn(); err != nil {
		return err
	}
	if !preauth {
		if err := g.logIn(); err != nil {
			return err
		}
		if err := g.learn(); err != nil {
			return err
		}
	}
	if g.caps.has("ID") { // some (163.com) serve nobody who has not given a name (RFC 2971)
		if _, err := g.command(`ID ("name" "pop2imap")`, ""); g.lost != nil {
			return err
		}
	}
	return nil
}

// greet reads the greeting (RFC 9051 §7.1).
func (g *gate) greet() (preauth bool, err error) {
	line, err := g.readLine()
	if err != nil {
		return false, err
	}
	star, rest, _ := strings.Cut(line, " ")
	status, text, _ := strings.Cut(rest, " ")
	code, arg, text := splitCode(text)
	switch strings.ToUpper(star + " " + status) {
	case "* OK", "* PREAUTH":
		if code == "CAPABILITY" {
			g.caps = parseCapabilities(arg)
		}
		return strings.EqualFold(status, "PREAUTH"), nil
	case "* BYE":
		e := refusal(sync.Temporary, "BYE", code, text)
		e.Err = fmt.Errorf("%s does not serve us", g.server.Host)
		return false, e
	}
	return false, &sync.Error{Class: sync.Protocol, Server: sync.Clean(line),
		Err:    fmt.Errorf("%s does not greet as an IMAP server does", g.server.Host),
		Remedy: "check that host and port are those of an IMAP server"}
}

// learn asks for the capabilities unless the server has told them unasked.
func (g *gate) learn() error {
	if g.caps != nil {
		return nil
	}
	g.caps = capabilities{}
	_, err := g.command("CAPABILITY", "")
	if err != nil {
		return sync.Doing(err, "ask %s for its capabilities", g.server.Host)
	}
	return nil
}

func (g *gate) startTLS(ctx context.Context) error {
	refuse := func(format string, args ...any) error {
		return &sync.Error{Class: sync.Unavailable, Err: fmt.Errorf(format, args...),
			Remedy: "use imaps:// (port 993) if the server has it; " +
				"imap+insecure:// sends the password and all mail in cleartext"}
	}
	if err := g.learn(); err != nil {
		return err
	}
	if !g.caps.has("STARTTLS") {
		return refuse("%s does not offer STARTTLS, and imap:// does not go on in cleartext", g.server.Host)
	}
	if _, err := g.command("STARTTLS", ""); err != nil {
		if g.lost != nil {
			return err
		}
		return refuse("%s refused STARTTLS, and imap:// does not go on in cleartext: %w", g.server.Host, err)
	}
	g.caps = nil // what was said before TLS may not be the server's word
	return g.w.StartTLS(ctx)
}

// logIn tries one mechanism, once: a second try may lock the account.
func (g *gate) logIn() error {
	mechanism := g.mechanism()
	var err error
	switch {
	case mechanism != "LOGIN", g.caps.has("AUTH=LOGIN") && g.login.Auth != "":
		err = g.authenticate(mechanism)
	case g.caps.has("LOGINDISABLED"):
		err = &sync.Error{Class: sync.Unavailable, Err: errors.New("it offers no way to log in that we know"),
			Remedy: "the server may want TLS: use imaps:// or imap://"}
	default:
		err = g.plainLogin()
	}
	if err == nil || g.lost != nil {
		return err
	}
	e, ok := errors.AsType[*sync.Error](err)
	if !ok { // a fault of the exchange itself
		e = &sync.Error{Class: sync.Login, Err: err}
	}
	if e.Class == sync.Login && e.Remedy == "" {
		e.Remedy = fmt.Sprintf("check user name and password; some providers want an app password; "+
			"tried %s, ?auth=… in --%s takes another way", strings.ToLower(mechanism), g.server.Side)
	}
	if e.Class != sync.Config {
		e.Err = fmt.Errorf("cannot log in to %s as %s: %w", g.server.Host, g.login.User, e.Err)
	}
	return e
}

// mechanism picks how to log in: the one that is asked for; else the strongest of SASL; else the command LOGIN, also
// before the mechanism of that name, which is the same, and before a token, which a password is not.
func (g *gate) mechanism() string {
	if g.login.Auth != "" {
		return strings.ToUpper(g.login.Auth)
	}
	best := sasl.Choose(g.caps.values("AUTH"))
	token := best == "OAUTHBEARER" || best == "XOAUTH2"
	if best == "" || token && !g.caps.has("LOGINDISABLED") {
		return "LOGIN"
	}
	return best
}

func (g *gate) authenticate(mechanism string) error {
	c, err := sasl.New(mechanism, g.login.User, g.login.Password, g.server.Host, g.server.Port)
	if err != nil {
		return &sync.Error{Class: sync.Config, Err: err}
	}
	initial := g.caps.has("SASL-IR")
	g.caps = nil // a login changes them (RFC 9051 §6.2)
	return sasl.Run(c, &exchange{g: g}, initial)
}

// plainLogin is the command LOGIN (RFC 9051 §6.2.3). What a quoted string cannot hold goes as a literal.
func (g *gate) plainLogin() error {
	tag := g.tag()
	line := tag + " LOGIN"
	for _, arg := range []string{g.login.User, g.login.Password} {
		if strings.ContainsAny(arg, "\r\n\x00") {
			return &sync.Error{Class: sync.Config, Err: errors.New("a line end or NUL in user name or password")}
		}
		if q, ok := quote(arg); ok {
			line += " " + q
			continue
		}
		if err := g.write(line+" {"+strconv.Itoa(len(arg))+"}", tag+" LOGIN ***"); err != nil {
			return err
		}
		if _, done, err := g.reply(tag); done {
			return g.denied(err)
		}
		line = arg
	}
	if err := g.write(line, tag+" LOGIN ***"); err != nil {
		return err
	}
	g.caps = nil // a login changes them
	_, done, err := g.reply(tag)
	if !done && err == nil {
		err = g.lose(&sync.Error{Class: sync.Protocol, Err: fmt.Errorf("%s wants more after LOGIN", g.server.Host)})
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

// denied gives the refusal of a login its class: Login, unless a response code knows better.
func (g *gate) denied(err error) error {
	if e, ok := errors.AsType[*sync.Error](err); ok && g.lost == nil && e.Code == "" {
		e.Class = sync.Login
	}
	return err
}

// exchange carries SASL (RFC 9051 §6.2.2).
type exchange struct {
	g   *gate
	tag string
}

func (x *exchange) Begin(mechanism, first string) error {
	x.tag = x.g.tag()
	line := x.tag + " AUTHENTICATE " + mechanism
	if first == "" {
		return x.g.write(line, line)
	}
	return x.g.write(line+" "+first, line+" ***")
}

func (x *exchange) Answer(line string) error { return x.g.write(line, "***") }

func (x *exchange) Next() (challenge string, done bool, err error) {
	challenge, done, err = x.g.reply(x.tag)
	return challenge, done, x.g.denied(err)
}

func (g *gate) tag() string {
	g.next++
	return "a" + strconv.Itoa(g.next)
}

// command sends a line and waits for its end. shown is what may be seen of it, "" for all.
func (g *gate) command(line, shown string) (string, error) {
	tag := g.tag()
	if shown == "" {
		shown = line
	}
	if err := g.write(tag+" "+line, tag+" "+shown); err != nil {
		return "", err
	}
	text, done, err := g.reply(tag)
	if !done && err == nil {
		err = g.lose(&sync.Error{Class: sync.Protocol, Err: fmt.Errorf("%s wants more after a whole command", g.server.Host)})
	}
	return text, err
}

func (g *gate) write(line, shown string) error {
	g.w.Trace("C", shown)
	if _, err := io.WriteString(g.w, line+"\r\n"); err != nil {
		return g.lose(err)
	}
	return nil
}

// reply reads up to the end of the command, or to a continuation request (done is false then, text what it says).
func (g *gate) reply(tag string) (text string, done bool, err error) {
	const most = 1000 // lines; a login has two or three
	for range most {
		line, err := g.readLine()
		if err != nil {
			return "", true, err
		}
		first, rest, _ := strings.Cut(line, " ")
		switch first {
		case "+":
			return rest, false, nil
		case "*":
			if err := g.untagged(rest); err != nil {
				return "", true, err
			}
		case tag:
			return g.status(rest)
		default:
			return "", true, g.lose(&sync.Error{Class: sync.Protocol, Server: sync.Clean(line),
				Err: fmt.Errorf("%s sent what is no answer", g.server.Host)})
		}
	}
	return "", true, g.lose(&sync.Error{Class: sync.Protocol, Err: fmt.Errorf("%s does not come to an end", g.server.Host)})
}

func (g *gate) untagged(rest string) error {
	word, args, _ := strings.Cut(rest, " ")
	switch strings.ToUpper(word) {
	case "CAPABILITY":
		g.caps = parseCapabilities(args)
	case "BYE":
		code, _, text := splitCode(args)
		e := refusal(sync.Temporary, "BYE", code, text)
		e.Err = fmt.Errorf("%s ended the session", g.server.Host)
		return g.lose(e)
	}
	return nil
}

// status is the tagged end of a command. After a NO the connection is good.
func (g *gate) status(rest string) (string, bool, error) {
	status, text, _ := strings.Cut(rest, " ")
	code, arg, words := splitCode(text)
	if !strings.EqualFold(status, "OK") {
		return "", true, refusal(sync.Unavailable, strings.ToUpper(status), code, words)
	}
	if code == "CAPABILITY" {
		g.caps = parseCapabilities(arg)
	}
	return words, true, nil
}

// readLine reads one line of a response. A literal at its end is left out with what follows it: nothing that matters
// here is ever sent in one.
func (g *gate) readLine() (string, error) {
	raw, err := g.w.ReadLine(lineMax)
	if err != nil {
		return "", g.lose(err)
	}
	line := string(bytes.TrimRight(raw, "\r\n"))
	n, more := literalLength(raw)
	for more {
		if n > literalMax {
			return "", g.lose(&sync.Error{Class: sync.Protocol, Server: sync.Clean(line),
				Err: fmt.Errorf("%s announced %d octets where a name is due", g.server.Host, n)})
		}
		if _, err := io.CopyN(io.Discard, g.w, n); err != nil {
			return "", g.lose(err)
		}
		if raw, err = g.w.ReadLine(lineMax); err != nil {
			return "", g.lose(err)
		}
		n, more = literalLength(raw)
	}
	shown := line
	if strings.HasPrefix(line, "+ ") {
		shown = "+ ***"
	}
	g.w.Trace("S", shown)
	return line, nil
}

// lose marks the connection as gone or out of step.
func (g *gate) lose(err error) error {
	if g.lost == nil {
		g.lost = err
	}
	return g.lost
}
