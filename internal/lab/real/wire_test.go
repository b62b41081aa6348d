package real

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// A wire is a connection that speaks in lines.
type wire struct {
	net.Conn
	in *bufio.Reader
	t  *testing.T
}

// connect dials and reads the greeting.
func connect(t *testing.T, port int, secure *tls.Config) *wire {
	t.Helper()
	c, err := dial(port, secure)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	w := &wire{c, bufio.NewReader(c), t}
	w.line()
	return w
}

func (w *wire) line() string {
	w.t.Helper()
	l, err := w.in.ReadString('\n')
	if err != nil {
		w.t.Fatalf("read a line: %v after %q", err, l)
	}
	return strings.TrimSuffix(l, "\r\n")
}

// pop says a line and gives the answer's first line.
func (w *wire) pop(format string, args ...any) string {
	w.t.Helper()
	fmt.Fprintf(w, format+"\r\n", args...)
	return w.line()
}

// imap says a line with the tag "a" and gives the tagged answer.
func (w *wire) imap(format string, args ...any) string {
	w.t.Helper()
	fmt.Fprintf(w, "a "+format+"\r\n", args...)
	for {
		if l := w.line(); strings.HasPrefix(l, "a ") || strings.HasPrefix(l, "+") {
			return l
		}
	}
}

// secure goes over to TLS.
func (w *wire) secure(c *tls.Config) {
	w.Conn = tls.Client(w.Conn, c)
	w.in = bufio.NewReader(w.Conn)
}

// body reads a multi-line answer (RFC 1939 section 3) and gives its bytes without the dots.
func (w *wire) body() []byte {
	w.t.Helper()
	var out bytes.Buffer
	start := true
	for {
		l, err := w.in.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			w.t.Fatalf("read a message: %v", err)
		}
		if start && string(l) == ".\r\n" {
			return out.Bytes()
		}
		if start && l[0] == '.' {
			l = l[1:]
		}
		out.Write(l)
		start = err == nil
	}
}

// maildrop logs in, retrieves everything and gives the messages in the order of LIST.
func (s *Server) maildrop(t *testing.T) (messages [][]byte) {
	t.Helper()
	w := connect(t, s.POP3, nil)
	w.pop("USER %s", s.User)
	must(t, w.pop("PASS %s", s.Password), "+OK")
	must(t, w.pop("LIST"), "+OK")
	for i := range bytes.Count(w.body(), []byte("\n")) {
		must(t, w.pop("RETR %d", i+1), "+OK")
		messages = append(messages, w.body())
	}
	must(t, w.pop("QUIT"), "+OK")
	return messages
}

// appendTo appends a message by IMAP and gives the tagged answer.
func (w *wire) appendTo(mailbox, arguments string, raw []byte) string {
	w.t.Helper()
	if l := w.imap("APPEND %s %s {%d}", mailbox, arguments, len(raw)); !strings.HasPrefix(l, "+") {
		return l
	}
	_, _ = w.Write(raw)
	_, _ = io.WriteString(w, "\r\n")
	for {
		if l := w.line(); strings.HasPrefix(l, "a ") {
			return l
		}
	}
}

func must(t *testing.T, line, prefix string) {
	t.Helper()
	if !strings.HasPrefix(line, prefix) {
		t.Fatalf("answer %q, want %q", line, prefix)
	}
}
