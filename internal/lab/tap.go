package lab

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
)

// A tap is a connection as imapserver sees it. It reads the client's commands along the way, and it reads no further
// than imapserver asks: so it knows what belongs to which command.
type tap struct {
	net.Conn
	line net.Conn // the TCP connection under it
	srv  *IMAP
	n    int
	r    *bufio.Reader
	done chan struct{} // closed when the session is over

	ready   []byte // to be given to imapserver
	tag     string // of the command
	command string // what has come of the command, its tag and its literals left out
	verb    string // of the last command that came whole, in capitals
	fate    Fate   // and what the hook said of it
	literal int64  // octets of a literal still to come
	waits   bool   // the literal comes only if imapserver asks for it
	skip    bool   // imapserver has refused a literal that comes all the same
	in      bool   // logged in
	secure  bool   // inside TLS

	offered atomic.Bool // imapserver knows of a literal, and has neither read of it nor said anything
	asked   atomic.Bool // what imapserver said last was "+"
	mute    atomic.Bool // before it says anything more the line is cut
}

func newTap(srv *IMAP, n int, line net.Conn) *tap {
	t := &tap{line: line, srv: srv, n: n, done: make(chan struct{})}
	t.use(line)
	if srv.o.Implicit {
		t.use(tls.Server(line, srv.o.TLS))
	}
	return t
}

func (t *tap) use(c net.Conn) { t.Conn, t.r = c, bufio.NewReaderSize(c, 64<<10) }

func (t *tap) Read(p []byte) (int, error) {
	for len(t.ready) == 0 {
		if err := t.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, t.ready)
	t.ready = t.ready[n:]
	return n, nil
}

func (t *tap) Write(p []byte) (int, error) {
	if t.mute.Load() {
		return 0, t.cut()
	}
	asked := bytes.HasPrefix(p, []byte("+"))
	t.asked.Store(asked)
	if t.offered.Load() && !asked {
		t.refuse()
	}
	if _, err := t.Conn.Write(t.announce(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// refuse ends a command that imapserver answers before it has its literal.
func (t *tap) refuse() {
	t.offered.Store(false)
	t.note(t.command)
	t.command = ""
	if t.waits {
		t.literal = 0
	} else {
		t.skip = true
	}
}

// cut ends the connection without TLS's goodbye.
func (t *tap) cut() error {
	t.line.Close()
	return net.ErrClosed
}

// fill reads a piece of a literal, or a line.
func (t *tap) fill() error {
	t.offered.Store(false)
	if t.skip {
		if err := t.discard(); err != nil {
			return err
		}
	}
	if t.literal > 0 {
		return t.pass()
	}
	line, err := t.next()
	if err != nil {
		return err
	}
	if t.verb == "STARTTLS" && t.offersTLS() {
		return t.startTLS()
	}
	t.ready = line
	return nil
}

// next reads a line. It fails if that was the last octet of a command whose fate is to be cut.
func (t *tap) next() ([]byte, error) {
	line, err := t.r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	if !t.see(string(bytes.TrimRight(line, "\r\n"))) {
		return nil, t.cut()
	}
	return line, nil
}

// discard throws away a literal that was refused, and what else there is of its command. imapserver would take it for
// commands.
func (t *tap) discard() error {
	for t.skip {
		if _, err := io.CopyN(io.Discard, t.r, t.literal); err != nil {
			return err
		}
		line, err := t.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		waits := false
		t.literal, waits, t.skip = literal(string(bytes.TrimRight(line, "\r\n")))
		if waits { // for an answer that it has got
			t.literal, t.skip = 0, false
		}
	}
	return nil
}

// pass makes ready what there is of the literal.
func (t *tap) pass() error {
	if _, err := t.r.Peek(1); err != nil {
		return err
	}
	n := int(min(int64(t.r.Buffered()), t.literal))
	t.literal -= int64(n)
	t.ready, _ = t.r.Peek(n)
	_, err := t.r.Discard(n)
	return err
}
