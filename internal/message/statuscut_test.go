package message_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pop2imap/pop2imap/internal/message"
	"pgregory.net/rapid"
)

func TestCutStatus(t *testing.T) {
	long := "A: " + strings.Repeat("x", 9000) + "\r\n"
	for name, c := range map[string]struct {
		raw, want string
		cut       int64
	}{
		"the last field":       {"A: 1\r\nStatus: RO\r\n\r\nbody", "A: 1\r\n\r\nbody", 12},
		"none":                 {"A: 1\r\n\r\nbody", "A: 1\r\n\r\nbody", 0},
		"not the last":         {"Status: RO\r\nA: 1\r\n\r\nbody", "Status: RO\r\nA: 1\r\n\r\nbody", 0},
		"in the body":          {"A: 1\r\n\r\nStatus: RO\r\n\r\n", "A: 1\r\n\r\nStatus: RO\r\n\r\n", 0},
		"behind a long field":  {long + "Status: O\r\n\r\nbody", long + "\r\nbody", 11},
		"no body":              {"A: 1\r\nStatus: R\r\n\r\n", "A: 1\r\n\r\n", 11},
		"a header without end": {"A: 1\r\nStatus: R\r\n", "A: 1\r\nStatus: R\r\n", 0}, // it may go on in another session
		"nothing":              {"", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.raw), iotest.OneByteReader(strings.NewReader(c.raw))} {
				cut := message.CutStatus(r)
				got, err := io.ReadAll(cut)
				if err != nil || string(got) != c.want || cut.Cut != c.cut {
					t.Errorf("got %q, %d octets cut, %v; want %q, %d", got, cut.Cut, err, c.want, c.cut)
				}
				if header := string(message.Split([]byte(c.raw))); c.cut > 0 && string(cut.Header) != header {
					t.Errorf("header: got %q, want %q", cut.Header, header)
				}
			}
		})
	}
}

func TestCutStatusOfABrokenLine(t *testing.T) {
	broken := errors.New("the line is gone")
	for _, raw := range []string{"A: 1\r\nStat", "A: 1\r\nStatus: RO\r\n\r\nbo"} {
		_, err := io.ReadAll(message.CutStatus(io.MultiReader(strings.NewReader(raw), iotest.ErrReader(broken))))
		if !errors.Is(err, broken) {
			t.Errorf("%q: got %v, want the error of the line", raw, err)
		}
	}
}

// A header without end takes no more memory than its room.
func TestCutStatusOfAnEndlessHeader(t *testing.T) {
	const size = 8 << 20
	cut := message.CutStatus(io.LimitReader(endless{}, size))
	n, err := io.Copy(io.Discard, cut)
	if err != nil || n != size || cut.Header != nil {
		t.Errorf("got %d octets, %v and a header of %d, want all %d and none", n, err, len(cut.Header), size)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "A\n:"[i%3]
	}
	return len(p), nil
}

// Whatever the server's Status says, the message is the same.
func TestTheMessageIsTheSameWithEachStatus(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := strings.Join(rapid.SliceOf(rapid.StringMatching(`[A-Z][a-z]{1,9}: [ -~]{0,20}\r\n`)).Draw(t, "fields"), "")
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		value := rapid.SampledFrom([]string{"RO", " O", "R ", "  "}).Draw(t, "status")
		raw := fields + "Status: " + value + "\r\n\r\n" + string(body)
		got, err := io.ReadAll(message.CutStatus(strings.NewReader(raw)))
		if want := fields + "\r\n" + string(body); err != nil || !bytes.Equal(got, []byte(want)) {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	})
}
