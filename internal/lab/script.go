package lab

import (
	"bufio"
	"compress/flate"
	"crypto/tls"
	"fmt"
	"io"
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
	Conn   net.Conn // the TCP connection; TLS over it after StartTLS; what is compressed over that after Compress
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

// Compress is the server's side of COMPRESS DEFLATE (RFC 4978), when its OK is sent. What the client sent too early is
// taken for compressed.
func (p *Peer) Compress() {
	w, _ := flate.NewWriter(p.Conn, flate.DefaultCompression) // a level that there is
	z := &zipped{Conn: p.Conn, in: flate.NewReader(p.r), out: w}
	p.Conn, p.r = z, bufio.NewReader(z)
}

// zipped is a connection on which both sides compress.
type zipped struct {
	net.Conn
	in  io.Reader
	out *flate.Writer
}

func (z *zipped) Read(p []byte) (int, error) { return z.in.Read(p) }

func (z *zipped) Write(p []byte) (int, error) {
	if n, err := z.out.Write(p); err != nil {
		return n, err
	}
	return len(p), z.out.Flush()
}
