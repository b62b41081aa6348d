package message_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/message"
)

// digests feeds a hasher with pieces of the given size.
func digests(raw []byte, piece int) message.Digests {
	h := message.NewHasher()
	for len(raw) > 0 {
		size := min(piece, len(raw))
		_, _ = h.Write(raw[:size])
		raw = raw[size:]
	}
	return h.Sum()
}

func TestDigests(t *testing.T) {
	block := strings.Repeat("0123456789abcde\n", 512)
	for name, c := range map[string]struct{ raw, body string }{
		"nothing":                          {"", ""},
		"no blank line":                    {"A: 1\r\nB: 2\r\n", ""},
		"cut inside the blank line":        {"A: 1\r\n\r", ""},
		"no body":                          {"A: 1\r\n\r\n", ""},
		"no header":                        {"\r\nbody\r\n", "body\r\n"},
		"header and body":                  {"A: 1\r\n\r\nbody\r\n\r\nmore\r\n", "body\r\n\r\nmore\r\n"},
		"LF":                               {"A: 1\n\nbody\n", "body\n"},
		"a line of blanks is not the end":  {"A: 1\r\n \r\n\r\nbody\r\n", "body\r\n"},
		"CR CR LF ends the header":         {"A: 1\r\r\n\r\r\nbody\r\n", "body\r\n"},
		"CR at the beginning of a line":    {"\rA: 1\r\n\r\nbody\r\n", "body\r\n"},
		"CR CR LF":                         {"\r\na\r\r\nb\r\r\r\n\r\r\n", "a\r\nb\r\n\r\n"},
		"CR alone":                         {"\r\na\rb\r\n\rc\r\r", "ab\r\nc"},
		"NUL":                              {"\r\n\x00a\x00\r\n\x00", "\x80a\x80\r\n\x80"},
		"NUL and 8-bit in the header":      {"A: \x00\xff\r\n\r\n\xff\r\n", "\xff\r\n"},
		"a long body":                      {"\n" + block, block},
		"a long body with NUL and CR last": {"\n" + block + block + "\x00\r\r", block + block + "\x80"},
		"CR at the end of a block":         {"\n" + block[:4094] + "\r\nx" + block, block[:4094] + "\r\nx" + block},
	} {
		t.Run(name, func(t *testing.T) {
			want := message.Digests{Whole: sha256.Sum256([]byte(c.raw)), Body: sha256.Sum256([]byte(c.body))}
			for _, piece := range []int{1, 2, 3, 4095, 4096, 1 << 20} {
				if got := digests([]byte(c.raw), piece); got != want {
					t.Errorf("in pieces of %d: got %x, want %x", piece, got, want)
				}
			}
		})
	}
}

func TestHasherAllocatesNothing(t *testing.T) {
	h, piece := message.NewHasher(), []byte("\r\n"+strings.Repeat("a\x00b\r\rc\r\n", 5000))
	if n := testing.AllocsPerRun(10, func() { _, _ = h.Write(piece) }); n != 0 {
		t.Errorf("got %v allocations a write, want none", n)
	}
}

// rewrites are what servers do to what they store (docs/design.md, "What servers change").
var rewrites = map[string]func(raw []byte) []byte{
	"none": bytes.Clone,
	"Dovecot": func(raw []byte) []byte {
		raw = bytes.ReplaceAll(raw, []byte("\r\r\n"), []byte("\r\n"))
		return bytes.ReplaceAll(raw, []byte{0}, []byte{0x80})
	},
	"Cyrus": func(raw []byte) []byte {
		raw = bytes.Clone(raw)
		for i, c := range message.Split(raw) {
			if c >= 0x80 {
				raw[i] = 'X'
			}
		}
		return raw
	},
	"Courier": func(raw []byte) []byte {
		return bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r"), nil), []byte("\n"), []byte("\r\n"))
	},
}

// canonical is the message as POP3 gives it: line ends CRLF, one at the end.
func canonical(raw []byte) []byte {
	var out []byte
	for line := range bytes.Lines(raw) {
		out = append(out, bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))...)
		out = append(out, "\r\n"...)
	}
	return out
}

// checkRewrites holds that a message is recognised when a server has changed it, and not when its body is another.
func checkRewrites(t *testing.T, raw []byte) {
	t.Helper()
	raw = canonical(raw)
	sent, print := digests(raw, 1000), message.Fingerprint(raw)
	for name, rewrite := range rewrites {
		stored := rewrite(raw)
		if message.Fingerprint(stored) != print {
			t.Errorf("another fingerprint after %s", name)
		}
		if got := digests(stored, 4096); got.Body != sent.Body || (got.Whole == sent.Whole) != bytes.Equal(stored, raw) {
			t.Errorf("after %s: got %x, sent %x", name, got, sent)
		}
	}
	body := len(message.Split(raw))
	for _, at := range []int{body, (body + len(raw)) / 2, len(raw) - 1} {
		if at < body || at >= len(raw) {
			continue
		}
		other := bytes.Clone(raw)
		if other[at]++; other[at] == '\r' || raw[at] == '\r' {
			other[at] = '~'
		}
		if digests(other, 4096).Body == sent.Body {
			t.Errorf("the same body digest with octet %d changed from %q to %q", at, raw[at], other[at])
		}
	}
}

func TestSample(t *testing.T) {
	for i, m := range lab.Sample() {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			checkRewrites(t, m.Raw)
			checkRepair(t, m.Raw)
		})
	}
}

func BenchmarkHasher(b *testing.B) {
	header := "A: 1\r\n\r\n"
	line := strings.Repeat("x", 76) + "\r\n"
	for name, raw := range map[string]string{
		"plain":    header + strings.Repeat(line, 13000),
		"CR CR LF": header + strings.Repeat(strings.Replace(line, "\r", "\r\r", 1), 13000),
		"NUL":      header + strings.Repeat("\x00", 1<<20),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				digests([]byte(raw), 32<<10)
			}
		})
	}
	b.Run("SHA-256 alone, twice", func(b *testing.B) {
		raw := []byte(strings.Repeat(line, 13000))
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			sha256.Sum256(raw)
			sha256.Sum256(raw)
		}
	})
}
