package lab

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
)

// A Script is a server that does what a function says: for what no proper server does.
type Script struct{ *door }

// StartScript runs play for each connection, in a goroutine of its own. When play returns the connection is closed;
// Close ends every wait of its Peer with an error.
func StartScript(play func(p *Peer)) (*Script, error) {
	d, err := openDoor()
	if err != nil {
		return nil, err
	}
	d.serve(func(n int, c net.Conn) { play(&Peer{Number: n, Conn: c, r: bufio.NewReader(c)}) })
	return &Script{d}, nil
}

// A Peer is the client of one connection. It is for one goroutine.
type Peer struct {
	Number int      // of the connection, from 1
	Conn   net.Conn // the TCP connection, or TLS over it after StartTLS
	r      *bufio.Reader
}

// Send writes raw as it is: line ends are the caller's affair.
func (p *Peer) Send(raw string) error {
	_, err := p.Conn.Write([]byte(raw))
	return err
}

// ReadLine gives the next line without its end (CRLF or LF).
func (p *Peer) ReadLine() (string, error) {
	line, err := p.r.ReadString('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

// Expect gives the next line if it begins with prefix, in any case; otherwise the line and an error.
func (p *Peer) Expect(prefix string) (string, error) {
	line, err := p.ReadLine()
	if err != nil {
		return "", fmt.Errorf("wait for %q: %w", prefix, err)
	}
	if len(line) < len(prefix) || !strings.EqualFold(line[:len(prefix)], prefix) {
		return line, fmt.Errorf("the client sent %q, not %q", line, prefix)
	}
	return line, nil
}

// StartTLS is the server's side of a handshake. What the client sent too early is an error.
func (p *Peer) StartTLS(conf *tls.Config) error {
	if n := p.r.Buffered(); n > 0 {
		return fmt.Errorf("the client sent %d octets ahead of the TLS handshake", n)
	}
	t := tls.Server(p.Conn, conf)
	if err := t.Handshake(); err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	p.Conn, p.r = t, bufio.NewReader(t)
	return nil
}
