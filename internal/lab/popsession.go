package lab

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
)

// A popSession is one connection to a POP3 server.
type popSession struct {
	srv  *POP3
	n    int
	conn net.Conn
	r    *bufio.Reader
	w    *bufio.Writer
	eol  string

	stamp  string // the timestamp of the greeting; "" if there is none
	secure bool
	user   string         // what USER said
	in     bool           // logged in: the maildrop is ours
	mail   []*Mail        // what it held then
	said   int            // commands since
	gone   map[*Mail]bool // marked by DELE
	given  map[*Mail]bool // by RETR
	over   bool           // nothing more is read
}

func newPOPSession(srv *POP3, n int, c net.Conn) *popSession {
	s := &popSession{srv: srv, n: n, eol: "\r\n", gone: make(map[*Mail]bool), given: make(map[*Mail]bool)}
	if srv.o.LFOnly {
		s.eol = "\n"
	}
	s.use(c)
	return s
}

func (s *popSession) use(c net.Conn) {
	s.conn = c
	s.r = bufio.NewReaderSize(c, 64<<10)
	s.w = bufio.NewWriterSize(c, 64<<10)
}

// run serves the session to its end.
func (s *popSession) run() {
	defer s.leave()
	if s.srv.o.Implicit && !s.handshake() {
		return
	}
	s.line("%s", s.greeting())
	for !s.over {
		line, err := s.read()
		if err != nil {
			return
		}
		s.srv.note(hidePOP(line))
		s.serve(line)
	}
	s.w.Flush()
}

// leave gives the maildrop back.
func (s *popSession) leave() {
	if s.in {
		s.in = false
		s.srv.unlockDrop()
	}
}

var popStamp = regexp.MustCompile(`<[^<>@\s]+@[^<>\s]+>`)

func (s *popSession) greeting() string {
	g := s.srv.o.Greeting
	if g == "" {
		g = "+OK pop2imap lab ready"
		if s.srv.o.APOP {
			g += fmt.Sprintf(" <%d.%d@lab.example.org>", s.n, 697170952+s.n)
		}
	}
	s.stamp = popStamp.FindString(g)
	return g
}

// read gives the next line without its end. What was answered is sent as soon as the client has nothing more to say:
// so the replies to pipelined commands go out together.
func (s *popSession) read() (string, error) {
	if s.r.Buffered() == 0 {
		if err := s.w.Flush(); err != nil {
			return "", err
		}
	}
	raw, err := s.r.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))), nil
}

// serve executes one command, unless the hook has its own answer.
func (s *popSession) serve(line string) {
	if s.srv.o.NoPipelining && s.r.Buffered() > 0 {
		s.fail("this server does not do pipelining")
		s.over = true
		return
	}
	if s.srv.o.Hook != nil {
		reply, drop := s.srv.o.Hook(s.n, line)
		io.WriteString(s.w, reply)
		s.over = drop
		if drop || reply != "" {
			return
		}
	}
	if s.srv.o.LosesReply != nil && s.srv.o.LosesReply(s.n, line) {
		s.w.Flush() // the replies before it
		s.w.Reset(io.Discard)
		s.over = true
	}
	if s.in {
		s.shift()
	}
	verb, rest, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	c, ok := popCommands[verb]
	switch {
	case !ok || s.unknown(verb):
		s.fail("unknown command")
	case c.inside && !s.in:
		s.fail("log in first")
	case c.outside && s.in:
		s.fail("you are logged in")
	default:
		c.do(s, rest)
	}
}

// shift lets the first message vanish when its time has come.
func (s *popSession) shift() {
	s.said++
	if s.said == s.srv.o.Shift && len(s.mail) > 0 {
		s.mail = s.mail[1:]
	}
}

// unknown says whether the options take a command away.
func (s *popSession) unknown(verb string) bool {
	o := &s.srv.o
	switch verb {
	case "CAPA":
		return o.NoCAPA
	case "UIDL":
		return o.NoUIDL
	case "TOP":
		return o.NoTOP
	case "STLS":
		return !s.offersTLS()
	case "APOP":
		return !o.APOP
	case "LAST":
		return o.Last == 0
	}
	return false
}

func (s *popSession) offersTLS() bool {
	return s.srv.o.TLS != nil && !s.srv.o.NoSTLS && !s.secure
}

// handshake begins TLS. It fails on what was sent ahead of it (RFC 2595 §4).
func (s *popSession) handshake() bool {
	if s.w.Flush() != nil || s.r.Buffered() > 0 {
		return false
	}
	t := tls.Server(s.conn, s.srv.o.TLS)
	if t.Handshake() != nil {
		return false
	}
	s.use(t)
	s.secure = true
	return true
}

// line writes one line. An error of the connection shows in the next Flush.
func (s *popSession) line(format string, args ...any) {
	fmt.Fprintf(s.w, format, args...)
	s.w.WriteString(s.eol)
}

func (s *popSession) ok(format string, args ...any)   { s.line("+OK "+format, args...) }
func (s *popSession) fail(format string, args ...any) { s.line("-ERR "+format, args...) }

// body writes a message in the form of RFC 1939 §3: our line ends, a dot before a dot at the beginning of a line, and
// the dot that ends it.
func (s *popSession) body(raw []byte) {
	for len(raw) > 0 {
		line, rest, ended := bytes.Cut(raw, []byte("\n"))
		if ended {
			line = bytes.TrimSuffix(line, []byte("\r"))
		}
		if bytes.HasPrefix(line, []byte(".")) {
			s.w.WriteByte('.')
		}
		s.w.Write(line)
		s.w.WriteString(s.eol)
		raw = rest
	}
	s.line(".")
}

// hidePOP is a command without its secrets.
func hidePOP(line string) string {
	f := strings.Split(line, " ")
	keep := len(f)
	switch strings.ToUpper(f[0]) {
	case "PASS":
		keep = 1
	case "APOP", "AUTH":
		keep = 2
	}
	if len(f) > keep {
		return strings.Join(f[:keep], " ") + " ***"
	}
	return line
}
