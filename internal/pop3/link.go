package pop3

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// statusMax is the longest status line: RFC 1939 §3 says 512 octets, servers that explain themselves say more.
const statusMax = 8 << 10

// A link is the connection as go-pop3 sees it: each line is given to it alone, so that its own buffer is empty
// between two replies and bodies can be read past it. The greeting, read by us, is read by it again.
type link struct {
	*wire.Conn
	lf    bool     // the server ends its lines with LF alone
	line  []byte   // the last status line, with its end; valid until the next read
	rest  []byte   // of line, not yet given to go-pop3
	hide  []string // what must not be shown even if the server repeats it
	fault error    // why there is no line
}

// fetch reads a status line.
func (l *link) fetch() error {
	line, err := l.ReadLine(statusMax)
	if err == nil && !bytes.HasPrefix(line, []byte("+OK")) && !bytes.HasPrefix(line, []byte("-ERR")) {
		l.Trace("S", l.masked(string(line)))
		err = &sync.Error{Class: sync.Protocol, Server: sync.Clean(l.masked(string(line))),
			Err:    fmt.Errorf("%s answered with neither +OK nor -ERR", l.Host()),
			Remedy: "check that host and port are those of a POP3 server"}
	}
	if err != nil {
		l.fault = err
		return err
	}
	l.line, l.rest = line, line
	if l.Traced() {
		l.Trace("S", l.masked(string(unended(line))))
	}
	return nil
}

// masked takes our secrets out of a server's words: there are servers that repeat what they do not understand.
func (l *link) masked(text string) string {
	for _, secret := range l.hide {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}

// Read gives go-pop3 what is left of one line, never more.
func (l *link) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		if err := l.fetch(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// status splits the last status line. text is valid until the next read.
func (l *link) status() (ok bool, text []byte) {
	line := unended(l.line)
	if text, ok := bytes.CutPrefix(line, []byte("+OK")); ok {
		return true, bytes.Trim(text, " \t")
	}
	return false, bytes.Trim(bytes.TrimPrefix(line, []byte("-ERR")), " \t")
}

// unended is a line without its end.
func unended(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}
