package lab

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// A talk is the client's end of a connection, with nothing in it but lines.
type talk struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func talkOn(t *testing.T, c net.Conn) *talk { return &talk{t, c, bufio.NewReader(c)} }

func (p *talk) send(raw string) {
	p.t.Helper()
	if _, err := io.WriteString(p.c, raw); err != nil {
		p.t.Fatal(err)
	}
}

// line gives the next line with its end.
func (p *talk) line() string {
	p.t.Helper()
	line, err := p.r.ReadString('\n')
	if err != nil {
		p.t.Fatalf("after %q: %v", line, err)
	}
	return line
}

// wants takes the next line, and fails unless it begins as it should. It gives the line without its end.
func (p *talk) wants(prefix string) string {
	p.t.Helper()
	line := p.line()
	if !strings.HasPrefix(line, prefix) {
		p.t.Fatalf("got %q, want %s…", line, prefix)
	}
	return strings.TrimRight(line, "\r\n")
}

// do sends a command and takes the first line of its answer.
func (p *talk) do(command, prefix string) string {
	p.t.Helper()
	p.send(command + "\r\n")
	return p.wants(prefix)
}

// body takes everything up to the line with a dot alone, as it is on the wire, without that line.
func (p *talk) body() string {
	p.t.Helper()
	var b strings.Builder
	for {
		line := p.line()
		if line == ".\r\n" || line == ".\n" {
			return b.String()
		}
		b.WriteString(line)
	}
}

// ends fails unless the server hangs up without another word, and gives the error that shows it; nil: in good order.
func (p *talk) ends() error {
	p.t.Helper()
	rest, err := io.ReadAll(p.r)
	if len(rest) > 0 {
		p.t.Errorf("the server went on: %q", rest)
	}
	if e, ok := err.(net.Error); ok && e.Timeout() {
		p.t.Error("the server did not hang up")
	}
	return err
}

// secure goes over to TLS.
func (p *talk) secure(a *Authority) error {
	c := tls.Client(p.c, &tls.Config{RootCAs: a.Pool, ServerName: "mail.example.org"})
	c.SetDeadline(time.Now().Add(patience))
	if err := c.Handshake(); err != nil {
		return err
	}
	p.c, p.r = c, bufio.NewReader(c)
	return nil
}
