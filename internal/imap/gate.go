package imap

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

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
	first  capabilities // before the login
	veil   veil
	next   int
	bye    error // what the server said with BYE
	lost   error
}

func (g *gate) pass(ctx context.Context) error {
	preauth, err := g.greet()
	if err != nil {
		return err
	}
	if g.server.Security == wire.StartTLS {
		if preauth { // nothing could be protected any more (RFC 9051 §7.1.4)
			return g.lose(g.broke("skipped the login before STARTTLS: someone may be in the way", ""))
		}
		if err := g.startTLS(ctx); err != nil {
			return err
		}
	}
	if err := g.learn(); err != nil {
		return err
	}
	g.first = g.caps
	if !preauth {
		if err := g.logIn(); err != nil {
			return err
		}
		if err := g.learn(); err != nil {
			return err
		}
	}
	return nil
}

// broke makes the error for a server that breaks the protocol with a line, "" for none to be shown.
func (g *gate) broke(what, line string) *sync.Error {
	return &sync.Error{Class: sync.Protocol, Server: sync.Clean(g.veil.over(line)),
		Err: fmt.Errorf("%s %s", g.server.Host, what)}
}

// greet reads the greeting (RFC 9051 §7.1). Instead of BYE, servers in trouble say NO and BAD too.
func (g *gate) greet() (preauth bool, err error) {
	line, err := g.readLine()
	if err != nil {
		return false, err
	}
	star, rest, _ := strings.Cut(line, " ")
	status, text, _ := strings.Cut(rest, " ")
	status = strings.ToUpper(status)
	switch star + " " + status {
	case "* OK", "* PREAUTH":
		if code, arg, _ := splitCode(text); code == "CAPABILITY" {
			g.caps = parseCapabilities(arg)
		}
		return status == "PREAUTH", nil
	case "* BYE", "* NO", "* BAD":
		e := refusal(sync.Temporary, status, text)
		e.Err = fmt.Errorf("%s does not serve us", g.server.Host)
		return false, e
	}
	e := g.broke("does not greet as an IMAP server does", line)
	e.Remedy = "check that host and port are those of an IMAP server"
	return false, e
}

// learn asks for the capabilities unless the server has told them unasked.
func (g *gate) learn() error {
	if g.caps != nil {
		return nil
	}
	g.caps = capabilities{}
	return sync.Doing(g.command("CAPABILITY"), "ask %s for its capabilities", g.server.Host)
}

// startTLS begins TLS (RFC 9051 §6.2.1). There is no way on without it.
func (g *gate) startTLS(ctx context.Context) error {
	const remedy = "use imaps:// (port 993) if the server has it; " +
		"imap+insecure:// sends the password and all mail in cleartext"
	if err := g.learn(); err != nil {
		return err
	}
	if !g.caps.has("STARTTLS") {
		return &sync.Error{Class: sync.Unavailable, Remedy: remedy,
			Err: fmt.Errorf("%s does not offer STARTTLS, and imap:// does not go on in cleartext", g.server.Host)}
	}
	if err := g.command("STARTTLS"); err != nil {
		if e, ok := classed(err); ok && g.lost == nil {
			e.Err = fmt.Errorf("%s refused STARTTLS, and imap:// does not go on in cleartext", g.server.Host)
			e.Remedy = cmp.Or(e.Remedy, remedy)
		}
		return err
	}
	g.caps = nil // what was said before TLS may not be the server's word
	return g.w.StartTLS(ctx)
}

func (g *gate) tag() string {
	g.next++
	return "a" + strconv.Itoa(g.next)
}

// command sends a line without secrets and waits for its end.
func (g *gate) command(line string) error {
	tag := g.tag()
	if err := g.write(tag+" "+line, tag+" "+line); err != nil {
		return err
	}
	_, done, err := g.reply(tag)
	if !done && err == nil {
		err = g.lose(g.broke("wants more after a whole command", ""))
	}
	return err
}

// write sends a line. shown is what may be seen of it.
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
			g.untagged(rest)
		case tag:
			return "", true, g.status(rest)
		default:
			return "", true, g.lose(g.broke("sent what is no answer", line))
		}
	}
	return "", true, g.lose(g.broke("does not come to an end", ""))
}

// untagged notes what matters. After BYE the answer may still come: a wrong password is no reason to try again.
func (g *gate) untagged(rest string) {
	word, args, _ := strings.Cut(rest, " ")
	switch strings.ToUpper(word) {
	case "CAPABILITY":
		g.caps = parseCapabilities(args)
	case "BYE":
		e := refusal(sync.Temporary, "BYE", g.veil.over(args))
		e.Err = fmt.Errorf("%s ended the session", g.server.Host)
		g.bye = e
	}
}

// status is the tagged end of a command. After a NO or BAD the connection is good.
func (g *gate) status(rest string) error {
	status, text, _ := strings.Cut(rest, " ")
	switch status = strings.ToUpper(status); status {
	case "OK":
		if code, arg, _ := splitCode(text); code == "CAPABILITY" {
			g.caps = parseCapabilities(arg)
		}
		return nil
	case "NO", "BAD":
		return refusal(sync.Unavailable, status, g.veil.over(text))
	}
	return g.lose(g.broke("answered with neither OK, NO nor BAD", rest))
}

// readLine reads one line of a response. A literal at its end is left out with what follows it: nothing that matters
// here is ever sent in one.
func (g *gate) readLine() (string, error) {
	const most = 100 // literals
	raw, err := g.w.ReadLine(lineMax)
	if err != nil {
		return "", g.lose(err)
	}
	line := string(bytes.TrimRight(raw, "\r\n"))
	shown := g.veil.over(line)
	if strings.HasPrefix(line, "+ ") {
		shown = "+ ***"
	}
	g.w.Trace("S", shown)
	n, more := literalLength(raw)
	for count := 0; more; count++ {
		if n > literalMax {
			return "", g.lose(g.broke(fmt.Sprintf("announced %d octets where a name is due", n), line))
		}
		if count == most {
			return "", g.lose(g.broke("does not come to an end", line))
		}
		if _, err := io.CopyN(io.Discard, g.w, n); err != nil {
			return "", g.lose(err)
		}
		if raw, err = g.w.ReadLine(lineMax); err != nil {
			return "", g.lose(err)
		}
		n, more = literalLength(raw)
	}
	return line, nil
}

// lose marks the connection as gone or out of step. A server that said BYE has said why.
func (g *gate) lose(err error) error {
	if g.bye != nil && sync.ClassOf(err) != sync.Stopped {
		err = g.bye
	}
	if g.lost == nil {
		g.lost = err
	}
	return g.lost
}
