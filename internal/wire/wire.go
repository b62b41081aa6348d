// Package wire is a connection to a mail server that is under our control: every wait ends, every line has a limit,
// a cancelled context frees whoever is blocked, and certificates are verified or pinned, never skipped. Package pop3
// and package imap speak their protocols over it, and hand it to go-pop3 and go-imap in a form that those can use.
package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pop2imap/pop2imap/internal/step"
	"github.com/pop2imap/pop2imap/sync"
)

// Security says how a connection is protected. The zero value is the strictest.
type Security int

const (
	ImplicitTLS Security = iota // TLS from the first byte (RFC 8314)
	StartTLS                    // STLS or STARTTLS, or nothing
	Cleartext                   // only where the user asked for it by name
)

// DefaultTimeout is the longest silence tolerated: servers may think for a minute over a large mailbox, and a line
// that has been silent for two is dead more often than slow.
const DefaultTimeout = 2 * time.Minute

// A Server is one end of the work as the user described it. The zero value of each optional field is the safe choice.
type Server struct {
	Host        string
	Port        int
	Security    Security
	Side        string         // "from" or "to": how the user's options for this end begin
	Roots       *x509.CertPool // nil: the system's
	Fingerprint []byte         // SHA-256 of the one certificate that is trusted; nil: verify against Roots
	Timeout     time.Duration  // longest silence; 0: DefaultTimeout

	// Trace, if not nil, is called with each line sent and received, with secrets and bodies left out.
	// dir is "C" or "S". It may be called from several goroutines.
	Trace func(dir, line string)

	// Secured, if not nil, is called after each TLS handshake that went well, with what came of it.
	Secured func(tls.ConnectionState)
}

// Addr is HOST:PORT.
func (s *Server) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// A Conn is a buffered connection. One goroutine may read while another writes; any may Close.
type Conn struct {
	server Server
	raw    net.Conn // TCP, or TLS over it
	tcp    *net.TCPConn
	r      *bufio.Reader
	wait   waiting
	cut    atomic.Pointer[error] // why the connection was closed from our side
	in     atomic.Int64
	secure bool

	deflate *deflater // nil: what is written is not compressed
}

// Dial connects, with TLS if it is implicit. An error has a class.
func Dial(ctx context.Context, s Server) (*Conn, error) {
	if s.Timeout <= 0 {
		s.Timeout = DefaultTimeout
	}
	d := net.Dialer{Timeout: min(s.Timeout, 30*time.Second),
		// A peer that is gone shows after a minute and a half also while no answer is awaited.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 4}}
	nc, err := d.DialContext(ctx, "tcp", s.Addr())
	if err != nil {
		return nil, dialError(ctx, &s, err)
	}
	c := &Conn{server: s, raw: nc, tcp: nc.(*net.TCPConn)}
	c.r = bufio.NewReaderSize(armed{c}, 64<<10)
	if s.Security == ImplicitTLS {
		if err := c.StartTLS(ctx); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func dialError(ctx context.Context, s *Server, err error) error {
	e := &sync.Error{Class: sync.Temporary, Err: fmt.Errorf("cannot connect to %s: %w", s.Addr(), err)}
	var dns *net.DNSError
	switch {
	case ctx.Err() != nil:
		e.Class, e.Err = sync.Stopped, fmt.Errorf("connect to %s: %w", s.Addr(), context.Cause(ctx))
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Err = fmt.Errorf("cannot connect to %s: no such host", s.Addr())
		e.Lasting = true
		e.Remedy = "check the host name, and that this machine has a network"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Err = fmt.Errorf("cannot connect to %s: connection refused", s.Addr())
		e.Lasting = true
		e.Remedy = "check the host and the port; the server may be down"
	case os.IsTimeout(err):
		e.Err = fmt.Errorf("cannot connect to %s: no answer", s.Addr())
		e.Remedy = "the server may be down, or a firewall may be in the way"
	}
	return e
}

// Host is the server's name as the user wrote it.
func (c *Conn) Host() string { return c.server.Host }

// Secure says whether what is sent is encrypted.
func (c *Conn) Secure() bool { return c.secure }

// Received gives the number of octets read so far, as they came over the line.
func (c *Conn) Received() int64 { return c.in.Load() }

// Read gives what is buffered, or waits for more.
func (c *Conn) Read(p []byte) (int, error) { return c.r.Read(p) }

// Buffered gives the reader itself, for bodies that are read straight off the wire.
func (c *Conn) Buffered() *bufio.Reader { return c.r }

// Write returns when the kernel has all of p. With an error it returns how many octets may have been handed to it: exactly
// so many, unless they are compressed.
func (c *Conn) Write(p []byte) (n int, err error) {
	step.At("write to " + c.server.Side)
	defer step.At("written to " + c.server.Side)
	if c.deflate != nil {
		return c.deflate.Write(p)
	}
	return c.send(p)
}

// piece is how much is written with one deadline.
const piece = 64 << 10 // octets

// send writes p in pieces, each with its own deadline, so that a large message may take as long as it moves. It returns
// how many octets were handed to the kernel.
func (c *Conn) send(p []byte) (n int, err error) {
	for n < len(p) {
		c.raw.SetWriteDeadline(time.Now().Add(c.server.Timeout))
		m, err := c.raw.Write(p[n:min(n+piece, len(p))])
		n += m
		c.wrote()
		if err != nil {
			return n, c.explain("write to", err)
		}
	}
	return n, nil
}

// ReadLine reads one line of at most most octets, its line end (CRLF or LF) included. The slice is valid until the
// next read. A longer line is an error of class Protocol, after which the connection is out of step.
func (c *Conn) ReadLine(most int) ([]byte, error) {
	line, err := c.r.ReadSlice('\n')
	step.At("line from " + c.server.Side)
	if err == nil && len(line) <= most {
		return line, nil
	}
	var long []byte
	for errors.Is(err, bufio.ErrBufferFull) && len(long)+len(line) <= most {
		long = append(long, line...)
		line, err = c.r.ReadSlice('\n')
	}
	if err == nil || errors.Is(err, bufio.ErrBufferFull) {
		if len(long)+len(line) <= most && err == nil {
			return append(long, line...), nil
		}
		return nil, &sync.Error{Class: sync.Protocol,
			Err: fmt.Errorf("%s sent a line of more than %d octets", c.server.Host, most)}
	}
	return nil, err
}

// Bind makes the end of ctx end every wait on the connection, by closing it. The caller must call release.
func (c *Conn) Bind(ctx context.Context) (release func()) {
	if ctx.Err() != nil { // at once: AfterFunc would leave time for one more command
		c.close(context.Cause(ctx))
	}
	stop := context.AfterFunc(ctx, func() { c.close(context.Cause(ctx)) })
	return func() { stop() }
}

func (c *Conn) close(why error) {
	c.cut.CompareAndSwap(nil, &why)
	c.tcp.Close() // not raw: TLS would wait to say goodbye
}

// Close drops the line at once. Closing twice is allowed.
func (c *Conn) Close() error {
	c.close(net.ErrClosed)
	return nil
}

// Linger sets what becomes of octets that are written but not yet delivered when the connection or the program ends.
// Off, they are thrown away: a server must not receive the end of an APPEND after we died (docs/design.md).
func (c *Conn) Linger(on bool) {
	if on {
		c.tcp.SetLinger(-1)
	} else {
		c.tcp.SetLinger(0)
	}
}

// explain gives an error of the transport its class.
func (c *Conn) explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	e := &sync.Error{Class: sync.Temporary, Err: fmt.Errorf("%s %s: %w", doing, c.server.Addr(), err)}
	switch why := c.cut.Load(); {
	case why != nil && !errors.Is(*why, net.ErrClosed):
		e.Class, e.Err = sync.Stopped, fmt.Errorf("%s %s: %w", doing, c.server.Addr(), *why)
	case os.IsTimeout(err):
		e.Err = fmt.Errorf("%s was silent for %v", c.server.Addr(), c.server.Timeout)
		e.Remedy = "run it again; if the server is only slow, a longer --timeout helps"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF): // the latter from TLS, without its goodbye
		e.Err = fmt.Errorf("%s closed the connection: %w", c.server.Addr(), io.ErrUnexpectedEOF)
	}
	return e
}

// Traced says whether the user wants to see the protocol.
func (c *Conn) Traced() bool { return c.server.Trace != nil }

// Trace reports a line if the user wants to see the protocol.
func (c *Conn) Trace(dir, line string) {
	if c.server.Trace != nil {
		c.server.Trace(dir, sync.Clean(line))
	}
}

// The rest of net.Conn, for the libraries that want one. Deadlines are our own affair: theirs are not heard.

func (c *Conn) LocalAddr() net.Addr              { return c.tcp.LocalAddr() }
func (c *Conn) RemoteAddr() net.Addr             { return c.tcp.RemoteAddr() }
func (c *Conn) SetDeadline(time.Time) error      { return nil }
func (c *Conn) SetReadDeadline(time.Time) error  { return nil }
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }

var _ net.Conn = (*Conn)(nil)
