package lab

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
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
	command string // what has come of the command, its tag and its literals left out
	literal int64  // octets of a literal still to come
	waits   bool   // the literal comes only if imapserver asks for it
	skip    bool   // imapserver has refused a literal that comes all the same
	sasl    bool   // an AUTHENTICATE may be under way
	blind   bool   // what follows is TLS, and not ours to read

	offered atomic.Bool // imapserver knows of a literal, and has neither read of it nor said anything
	asked   atomic.Bool // what imapserver said last was "+"
	mute    atomic.Bool // before it says anything more the line is cut
}

func newTap(srv *IMAP, n int, line net.Conn) *tap {
	c := line
	if srv.o.Implicit {
		c = tls.Server(line, srv.o.TLS)
	}
	return &tap{Conn: c, line: line, srv: srv, n: n, r: bufio.NewReaderSize(c, 64<<10), done: make(chan struct{})}
}

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
	return t.Conn.Write(p)
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

// finish reads the line that follows a literal, ahead of imapserver, which stores a message as soon as it has the
// literal: an APPEND is complete with its last CRLF (RFC 9051 §6.3.12). It fails if the line is cut there.
func (t *tap) finish() error {
	if t.blind {
		return nil
	}
	return t.fill()
}

// fill reads a piece of a literal, or a line.
func (t *tap) fill() error {
	t.offered.Store(false)
	if t.skip {
		if err := t.discard(); err != nil {
			return err
		}
	}
	if t.blind || t.literal > 0 {
		return t.pass()
	}
	line, err := t.r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !t.see(string(bytes.TrimRight(line, "\r\n"))) {
		return t.cut()
	}
	t.ready = line
	return nil
}

// discard throws away a literal that was refused, and the end of its command. imapserver would take it for commands.
func (t *tap) discard() error {
	if _, err := io.CopyN(io.Discard, t.r, t.literal); err != nil {
		return err
	}
	_, err := t.r.ReadSlice('\n')
	t.literal, t.skip = 0, false
	return err
}

// pass makes ready what there is of the literal.
func (t *tap) pass() error {
	if _, err := t.r.Peek(1); err != nil {
		return err
	}
	n := t.r.Buffered()
	if !t.blind {
		n = int(min(int64(n), t.literal))
		t.literal -= int64(n)
	}
	t.ready, _ = t.r.Peek(n)
	_, err := t.r.Discard(n)
	return err
}

var literalEnd = regexp.MustCompile(`\{(\d+)(\+?)\}$`)

// see takes in a line from the client, and says whether the connection goes on.
func (t *tap) see(line string) bool {
	if t.sasl && t.asked.Load() {
		t.note("***")
		return true
	}
	t.sasl = false
	if t.command == "" {
		if _, rest, tagged := strings.Cut(line, " "); tagged {
			line = rest
		}
	}
	t.command += line
	if m := literalEnd.FindStringSubmatch(line); m != nil {
		t.literal, _ = strconv.ParseInt(m[1], 10, 64) // out of range it is the greatest, and imapserver refuses it
		t.waits = m[2] == ""
		t.offered.Store(true)
		return true
	}
	return t.complete()
}

// complete notes a command that has come to its end, and asks the hook about it.
func (t *tap) complete() bool {
	command := hideIMAP(t.command)
	t.command = ""
	t.note(command)
	verb, _, _ := strings.Cut(strings.ToUpper(command), " ")
	t.sasl = verb == "AUTHENTICATE"
	t.blind = verb == "STARTTLS" && t.srv.o.TLS != nil && !t.srv.o.Implicit
	if t.srv.o.Hook == nil {
		return true
	}
	fate := t.srv.o.Hook(t.n, command)
	t.mute.Store(fate == CutReply)
	return fate != Cut
}

func (t *tap) note(command string) { t.srv.note(hideIMAP(command)) }

// hideIMAP is a command without its secrets.
func hideIMAP(command string) string {
	f := strings.Split(command, " ")
	keep := len(f)
	switch strings.ToUpper(f[0]) {
	case "LOGIN":
		keep = 1
	case "AUTHENTICATE":
		keep = 2
	}
	if len(f) > keep {
		return strings.Join(f[:keep], " ") + " ***"
	}
	return command
}
