package imap

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// The parts of a status text make the text again, but for blanks.
func FuzzSplitCode(f *testing.F) {
	for _, text := range []string{"", "[A]", "[APPENDUID 1 2] done", "[A b] c] d", "[A", "[\x1b] x", "[a]b", "[]", "x [A] y"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		code, arg, rest := splitCode(text)
		if code == "" {
			check.Equal(t, "rest", rest, text)
			return
		}
		if strings.ContainsAny(code, " ]\x00\x1b\r\n") || len(code) > 80 {
			t.Errorf("%q: code %q", text, code)
		}
		head := "[" + text[1:1+len(code)]
		check.Equal(t, "code", strings.ToUpper(head), "["+code)
		if arg != "" {
			head += " " + arg
		}
		if again, ok := strings.CutPrefix(text, head); !ok || strings.TrimSpace(strings.TrimLeft(again, " ")[1:]) != rest {
			t.Errorf("%q: %q, %q, %q", text, code, arg, rest)
		}
	})
}

// A set is read as the UIDs that it says, or not at all.
func FuzzUIDSet(f *testing.F) {
	for set, n := range map[string]int{"5": 1, "5:7,9": 4, "1:4294967295": 2, "4294967295": 1, "7:5": 3, "": 0, "0": 1, "1,,2": 2, "+1": 1} {
		f.Add(set, n)
	}
	f.Fuzz(func(t *testing.T, set string, n int) {
		if n < 1 || n > 1000 {
			return
		}
		uids := uidSet(set, n)
		if uids == nil {
			return
		}
		check.Equal(t, "length", len(uids), n)
		for i, uid := range uids {
			if uid == 0 || i > 0 && uid <= uids[i-1] {
				t.Errorf("%q: %v is not ascending", set, uids)
			}
		}
		if again := uidSet(ranges(uids).String(), n); fmt.Sprint(again) != fmt.Sprint(uids) {
			t.Errorf("%q: %v, and written again %v", set, uids, again)
		}
	})
}

func FuzzLiteralLength(f *testing.F) {
	for _, line := range []string{"", "{5}\r\n", "x {0}\n", "{5}", "{5+}\r\n", "{}\r\n", "{99999999999999999999}\r\n", "{1}\r\r\n", "{1}{2}\r\n"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		n, ok := literalLength([]byte(line))
		if n < 0 || !ok && n != 0 {
			t.Errorf("%q: %d, %t", line, n, ok)
		}
		body := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if ok && n < 1<<62 {
			digits := strings.TrimLeft(body[strings.LastIndex(body, "{")+1:len(body)-1], "0")
			check.Equal(t, line, fmt.Sprint(n), fmt.Sprint("0"[:max(0, 1-len(digits))]+digits))
		}
		if whole := fmt.Sprintf("%s{%d}\r\n", body, len(line)); !strings.ContainsAny(body, "\r\n") {
			n, ok := literalLength([]byte(whole))
			check.Equal(t, whole, fmt.Sprint(n, ok), fmt.Sprint(len(line), true))
		}
	})
}

// A name that a server lists and that we can write is the server's again when we open it.
func FuzzListedNames(f *testing.F) {
	for _, name := range []string{"INBOX", "INBOX.a", "a/b", "ä", "inbox", "Inbox/x", "", "/", "a//b", "mail/x", "mail/INBOX", "a.b", "\x00"} {
		for _, n := range []naming{{"/", ""}, {".", "INBOX."}, {"", ""}, {"/", "mail/"}, {`\`, ""}} {
			f.Add(name, n.delimiter, n.prefix)
		}
	}
	f.Fuzz(func(t *testing.T, name, delimiter, prefix string) {
		if len([]rune(delimiter)) > 1 {
			return
		}
		n := naming{delimiter, prefix}
		if folder, ok := n.written(name); ok {
			again, err := n.raw(folder)
			if err != nil || again != name {
				t.Errorf("%+v: %q is written %q, which is %q, %v", n, name, folder, again, err)
			}
		}
		if illegible(`* LIST () "/" "`+quotedName(encodeName(strings.ToValidUTF8(name, "")))+`"`) && !strings.ContainsAny(name, "\r\n") {
			t.Errorf("%q is illegible", name)
		}
	})
}

// Whatever pieces the server's words come in: what imapclient sees, and what is left out, is what came. Of our own
// tags it sees nothing.
func FuzzFraming(f *testing.F) {
	for _, text := range []string{
		"* OK x\r\n", "* LIST () \"/\" {3}\r\nabc\r\n* 1 FETCH (UID 1 BODY[] {4}\r\np1 \r)\r\n", "p1 OK\r\n", "+ go\r\n",
		"* X {5}\r\np1 OK\r\n* 1 FETCH (UID 2 RFC822.SIZE 3)\r\n", "T1 OK done\r\n", "* 1 FETCH (X {1}\r\na {1}\r\nb)\n", "* STATUS x (A {9}\r\n",
	} {
		f.Add([]byte(text), uint8(3))
	}
	f.Fuzz(func(t *testing.T, raw []byte, piece uint8) {
		if len(raw) > 64<<10 {
			return
		}
		seen := through(t, raw, int(piece)+1)
		whole := through(t, raw, len(raw)+1)
		if !bytes.Equal(seen, whole) {
			t.Fatalf("in pieces of %d: %q\nat once: %q", int(piece)+1, seen, whole)
		}
		if rest, ok := subsequence(seen, raw); !ok {
			t.Errorf("%q is not in what came: %q", rest, raw)
		}
		for line := range bytes.Lines(outside(seen)) {
			if bytes.HasPrefix(line, []byte(tagPrefix)) || bytes.HasPrefix(line, []byte("+ ")) {
				t.Errorf("imapclient sees %q", line)
			}
		}
	})
}

// through gives what imapclient sees of raw, that comes in pieces.
func through(t *testing.T, raw []byte, piece int) []byte {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		for len(raw) > 0 {
			n := min(piece, len(raw))
			if _, err := c.Write(raw[:n]); err != nil {
				return
			}
			raw = raw[n:]
		}
	}()
	w, err := wire.Dial(context.Background(), wire.Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Security: wire.Cleartext})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	m := newMux(w, nil, "", chatterMax)
	m.command(false)
	var seen []byte
	for p := make([]byte, 7); ; {
		n, err := m.Read(p)
		if m.why() != nil { // from here on it is made up, or nothing
			return seen
		}
		seen = append(seen, p[:n]...)
		if err != nil {
			t.Fatalf("an error without a reason: %v", err)
		}
	}
}

// subsequence says whether a is in b, octet by octet in this order; if not, from where on.
func subsequence(a, b []byte) (rest []byte, ok bool) {
	for _, c := range b {
		if len(a) > 0 && a[0] == c {
			a = a[1:]
		}
	}
	return a, len(a) == 0
}

// outside gives the first lines of responses, written apart from the mux.
func outside(raw []byte) (lines []byte) {
	for first := true; len(raw) > 0; {
		line, rest, _ := bytes.Cut(raw, []byte("\n"))
		if first {
			lines = append(append(lines, line...), '\n')
		}
		raw = rest
		n, more := literalLength(append(bytes.Clone(line), '\n'))
		raw = raw[min(n, int64(len(raw))):]
		first = !more
	}
	return lines
}

// No name of a folder becomes a part of a command line that the server reads in another way.
func FuzzAppendLine(f *testing.F) {
	f.Add("INBOX", `\Seen`, int64(5))
	f.Add(`a"b\`, "$x", int64(0))
	f.Add("a\r\nb", "a b", int64(1))
	f.Fuzz(func(t *testing.T, folder, flag string, size int64) {
		s := &Session{names: naming{delimiter: "/"}, caps: parseCapabilities("LITERAL+")}
		m := sync.Outgoing{Size: size, Flags: []string{flag}, Body: func() io.Reader { return nil }}
		for _, p := range s.divide(sync.Folder{Name: folder}, []sync.Outgoing{m}) {
			if p.answers != nil {
				continue
			}
			line := p.mailbox + p.heads[0]
			if strings.Count(line, "\n") != 1 || strings.ContainsFunc(strings.TrimSuffix(line, "\r\n"), func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%q", line)
			}
			if want := fmt.Sprintf(" (%s) {%d+}\r\n", flag, size); !strings.HasSuffix(line, want) {
				t.Errorf("%q does not end with %q", line, want)
			}
		}
	})
}
