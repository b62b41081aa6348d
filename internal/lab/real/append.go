package real

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// An appender is an IMAP connection that can log in and append. It is not go-imap's client: that one gives up the
// connection when a message is refused.
type appender struct {
	net.Conn
	lines *bufio.Reader
}

func (s *Server) appendAll(t testing.TB, raw [][]byte) (refused []Refusal) {
	t.Helper()
	a := s.newAppender(t, s.User, s.Password)
	for i, m := range raw {
		words, err := a.append("INBOX", lines(m), s.nextDate())
		if err != nil { // some messages cost the connection
			words = err.Error()
			a.Close()
			a = s.newAppender(t, s.User, s.Password)
		}
		if words != "" {
			refused = append(refused, Refusal{i, words})
		}
	}
	a.Close()
	return refused
}

// newAppender connects and logs in.
func (s *Server) newAppender(t testing.TB, user, password string) *appender {
	t.Helper()
	c, err := dial(s.IMAP, nil)
	if err != nil {
		t.Fatalf("connect to %s: %v", s.Kind, err)
	}
	a := &appender{Conn: c, lines: bufio.NewReader(c)}
	words, err := a.command(`LOGIN "` + user + `" "` + password + `"`)
	if err != nil || words != "" {
		t.Fatalf("log in to %s: %s %v", s.Kind, words, err)
	}
	return a
}

// append gives a message to a mailbox. Words are a refusal's; an error is the connection's end.
func (a *appender) append(mailbox string, raw []byte, date time.Time) (words string, err error) {
	_ = a.SetDeadline(time.Now().Add(wireTime))
	_, err = fmt.Fprintf(a, "a APPEND %s \"%s\" {%d}\r\n", mailbox, date.Format("02-Jan-2006 15:04:05 -0700"), len(raw))
	if err != nil {
		return "", err
	}
	for {
		line, err := a.lines.ReadString('\n')
		switch {
		case err != nil:
			return "", err
		case strings.HasPrefix(line, "a "):
			return refusal(line), nil
		case strings.HasPrefix(line, "+"):
			if _, err := a.Write(append(raw, "\r\n"...)); err != nil {
				return "", err
			}
		}
	}
}

// command gives a command and waits for its end. Words are a refusal's.
func (a *appender) command(line string) (words string, err error) {
	if _, err := io.WriteString(a, "a "+line+"\r\n"); err != nil {
		return "", err
	}
	for {
		line, err := a.lines.ReadString('\n')
		if err != nil || strings.HasPrefix(line, "a ") {
			return refusal(line), err
		}
	}
}

// refusal gives the words of a tagged answer that is not OK.
func refusal(line string) string {
	if words := strings.TrimSpace(strings.TrimPrefix(line, "a ")); !strings.HasPrefix(words, "OK") {
		return words
	}
	return ""
}

// lines gives raw with each LF that has no CR before it made CR LF. Any other byte stays.
func lines(raw []byte) []byte {
	var out bytes.Buffer
	for i, c := range raw {
		if c == '\n' && (i == 0 || raw[i-1] != '\r') {
			out.WriteByte('\r')
		}
		out.WriteByte(c)
	}
	return out.Bytes()
}
