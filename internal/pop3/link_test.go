package pop3

import (
	"bytes"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

func FuzzStatusLine(f *testing.F) {
	for _, line := range []string{"+OK\r\n", "+OK 2 a b \r\n", "-ERR x\n", "-ERR\t\r\r\n", "+OKAY\r\n", "+ok\r\n", "+ERR\r\n", "\r\n", "\n"} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		l := &link{line: line}
		ok, text := l.status()
		if ok != bytes.HasPrefix(line, []byte("+OK")) {
			t.Fatalf("%q: ok is %v", line, ok)
		}
		at := bytes.Index(line, text)
		if at < 0 || bytes.HasPrefix(text, []byte(" ")) || bytes.HasSuffix(text, []byte("\t")) {
			t.Fatalf("%q: text %q", line, text)
		}
		// Nothing but blanks is dropped, and one line end.
		word, blank := "", " \t"
		if ok {
			word = "+OK"
		} else if bytes.HasPrefix(line, []byte("-ERR")) {
			word = "-ERR"
		}
		rest := bytes.TrimPrefix(line, []byte(word))
		rest = bytes.TrimSuffix(rest, []byte("\n"))
		if !bytes.Equal(bytes.Trim(rest, blank), text) && !bytes.Equal(bytes.Trim(bytes.TrimSuffix(rest, []byte("\r")), blank), text) {
			t.Fatalf("%q: text %q", line, text)
		}
		check.Equal(t, "masked", l.masked(string(text)), string(text))
		if shown := sync.Clean(string(text)); shown != sync.Clean(shown) {
			t.Fatalf("%q is shown as %q", text, shown)
		}
	})
}
