package pop3

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// chunks gives a stream in pieces of these sizes, over and over.
type chunks struct {
	data  []byte
	sizes []byte
	at    int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := len(p)
	if len(c.sizes) > 0 {
		n = min(n, 1+int(c.sizes[c.at%len(c.sizes)]))
		c.at++
	}
	n = copy(p[:n], c.data)
	c.data = c.data[n:]
	return n, nil
}

// canonical is a message with each line end as CRLF, also the last (package sync: Source.Retrieve).
func canonical(raw []byte) []byte {
	out := bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	if len(out) > 0 && !bytes.HasSuffix(out, []byte("\n")) {
		out = append(out, "\r\n"...)
	}
	return out
}

// stuff is what a good server sends for a message (RFC 1939 §3), with this line end.
func stuff(raw []byte, eol string) []byte {
	var out []byte
	for line := range bytes.SplitSeq(bytes.TrimSuffix(canonical(raw), []byte("\r\n")), []byte("\r\n")) {
		if len(raw) == 0 {
			break
		}
		if bytes.HasPrefix(line, []byte(".")) {
			out = append(out, '.')
		}
		out = append(append(out, line...), eol...)
	}
	return append(append(out, '.'), eol...)
}

// plainly is body, written for a stream that is all there: what comes out, how much of the stream is left, and
// whether the message came to its end.
func plainly(stream []byte, lf bool) (out []byte, left int, whole bool) {
	fresh := true
	for {
		line, rest, ended := bytes.Cut(stream, []byte("\n"))
		if !ended {
			return out, 0, false
		}
		stream = rest
		proper := lf || bytes.HasSuffix(line, []byte("\r"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if fresh && proper && string(line) == "." {
			return out, len(stream), true
		}
		if fresh {
			line = bytes.TrimPrefix(line, []byte("."))
		}
		out = append(append(out, line...), "\r\n"...)
		fresh = proper
	}
}

func TestBodyEndsAtItsDotAndNowhereElse(t *testing.T) {
	const next = "+OK next\r\n"
	long, dots := strings.Repeat("x", 100), strings.Repeat(".", 98)
	for _, c := range []struct {
		name, stream, want string
		lf, cut            bool
	}{
		{name: "nothing at all", stream: ".\r\n", want: ""},
		{name: "an ordinary message", stream: "A: 1\r\n\r\nb\r\n.\r\n", want: "A: 1\r\n\r\nb\r\n"},
		{name: "dots at the beginning", stream: "..\r\n...\r\n..x\r\n.\r\n", want: ".\r\n..\r\n.x\r\n"},
		{name: "a dot elsewhere", stream: "a.\r\n .\r\n.\r\n", want: "a.\r\n .\r\n"},
		{name: "a long line after a dot", stream: ".." + long + "\r\n.\r\n", want: "." + long + "\r\n"},
		{name: "a long line of dots", stream: "." + dots + "\r\n.\r\n", want: dots + "\r\n"},
		{name: "LF alone is no end", stream: "a\n.\n.\r\nb\r\n.\r\n", want: "a\r\n.\r\n.\r\nb\r\n"},
		{name: "a dot after LF alone stays", stream: "a\n..b\r\n.\r\n", want: "a\r\n..b\r\n"},
		{name: "a dot and LF alone is no end", stream: ".\nb\r\n.\r\n", want: "\r\nb\r\n"},
		{name: "CR alone stays", stream: "a\rb\r\r\n\r.\r\n.\r\n", want: "a\rb\r\r\n\r.\r\n"},
		{name: "CR after the dot is no end", stream: ".\r.\r\n.\r\n", want: "\r.\r\n"},
		{name: "CR CR LF after the dot is no end", stream: ".\r\r\n.\r\n", want: "\r\r\n"},
		{name: "NUL and 8-bit", stream: "\x00\xff\x80\r\n.\r\n", want: "\x00\xff\x80\r\n"},
		{name: "LF everywhere", lf: true, stream: "a\n..b\n.\n", want: "a\r\n.b\r\n"},
		{name: "LF everywhere but at the end", lf: true, stream: "a\n.\r\n", want: "a\r\n"},
		{name: "LF server with CRLF mail", lf: true, stream: "a\r\n..b\r\n.\n", want: "a\r\n.b\r\n"},
		{name: "cut before anything", cut: true, stream: ""},
		{name: "cut in a line", cut: true, stream: "a\r\nb"},
		{name: "cut after a line", cut: true, stream: "a\r\n", want: "a\r\n"},
		{name: "cut after the dot", cut: true, stream: "a\r\n.", want: "a\r\n"},
		{name: "cut in the last line end", cut: true, stream: "a\r\n.\r", want: "a\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := c.stream
			if !c.cut {
				stream += next
			}
			everyWay(t, stream, func(t *testing.T, r io.Reader, size, piece int) {
				br := bufio.NewReaderSize(r, size)
				got, err := inPieces(newBody(br, c.lf), piece)
				if c.cut {
					if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(string(got), c.want) {
						t.Fatalf("got %q and %v", got, err)
					}
					return
				}
				rest, _ := io.ReadAll(br)
				if string(got) != c.want || err != nil || string(rest) != next {
					t.Fatalf("got %q, error %v, then %q; want %q", got, err, rest, c.want)
				}
			})
		})
	}
}

// everyWay gives a stream cut in two at each place, and octet by octet, with different buffers on both sides.
func everyWay(t *testing.T, stream string, try func(t *testing.T, r io.Reader, size, piece int)) {
	for _, size := range []int{16, 17, 18, 19, 64} {
		for _, piece := range []int{1, 2, 3, 512} {
			for at := range len(stream) + 1 {
				try(t, io.MultiReader(strings.NewReader(stream[:at]), strings.NewReader(stream[at:])), size, piece)
			}
			try(t, iotest.OneByteReader(strings.NewReader(stream)), size, piece)
		}
	}
}

// inPieces reads to the end, so many octets at a time. The error is nil after io.EOF, which must be given twice.
func inPieces(r io.Reader, piece int) (all []byte, err error) {
	p := make([]byte, piece)
	for {
		n, err := r.Read(p)
		all = append(all, p[:n]...)
		if err == io.EOF {
			if n, err := r.Read(p); n != 0 || err != io.EOF {
				return all, fmt.Errorf("after the end: %d octets and %v", n, err)
			}
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// Every octet that matters, at each place around the end of the read buffer.
func TestBodyAtTheEdgeOfTheBuffer(t *testing.T) {
	const size = 16
	for before := range 2*size + 2 {
		for _, what := range []string{"\r", "\n", "\r\n", "\r\r\n", "\n\r", ".", "\r\n.", "\r\n..", "\n.",
			"\r\n.\r", "\r.\r\n"} {
			raw := []byte(strings.Repeat("x", before) + what + "y")
			br := bufio.NewReaderSize(bytes.NewReader(append(stuff(raw, "\r\n"), "+OK"...)), size)
			got, err := inPieces(newBody(br, false), 512)
			rest, _ := io.ReadAll(br)
			if !bytes.Equal(got, canonical(raw)) || err != nil || string(rest) != "+OK" {
				t.Errorf("%q: got %q, error %v, then %q", raw, got, err, rest)
			}
		}
	}
}

func TestBodyTellsWhyItBroke(t *testing.T) {
	broken := errors.New("broken")
	r := io.MultiReader(strings.NewReader("a\r\nb"), iotest.ErrReader(broken))
	got, err := inPieces(newBody(bufio.NewReader(r), false), 512)
	if string(got) != "a\r\n" || err != broken {
		t.Errorf("got %q and %v", got, err)
	}
}

func FuzzBodyUndoesStuffing(f *testing.F) {
	for _, raw := range []string{"", ".", "\r", "\n", "a\r\n.\r\nb", ".\r", "..\n.\n\r\n", strings.Repeat(".\r", 40)} {
		f.Add([]byte(raw), []byte{0, 3}, false, uint8(0), uint8(0))
		f.Add([]byte(raw), []byte{15}, true, uint8(1), uint8(1))
	}
	f.Fuzz(func(t *testing.T, raw, sizes []byte, lf bool, buffer, piece uint8) {
		eol, want := "\r\n", canonical(raw)
		if lf { // nobody can tell the CR at the end of a line from one of the line end
			eol, want = "\n", bytes.ReplaceAll(want, []byte("\r\r\n"), []byte("\r\n"))
		}
		stream := append(stuff(raw, eol), "+OK next"...)
		br := bufio.NewReaderSize(&chunks{data: stream, sizes: sizes}, 16+int(buffer))
		got, err := inPieces(newBody(br, lf), 1+int(piece))
		rest, _ := io.ReadAll(br)
		if !bytes.Equal(got, want) || err != nil || string(rest) != "+OK next" {
			t.Fatalf("got %q, error %v, then %q; want %q", got, err, rest, want)
		}
	})
}

func FuzzBodyOfAnyStream(f *testing.F) {
	for _, s := range []string{"", "a\n.\r\n.\r\n", ".\r\r\n\r\n.\n.\r\n", "\r\r\r\n.\r",
		strings.Repeat("\r", 33) + "\n.\r\nz"} {
		f.Add([]byte(s), []byte{0, 3}, false, uint8(0), uint8(0))
		f.Add([]byte(s), []byte{15}, true, uint8(1), uint8(1))
	}
	f.Fuzz(func(t *testing.T, stream, sizes []byte, lf bool, buffer, piece uint8) {
		want, left, whole := plainly(stream, lf)
		br := bufio.NewReaderSize(&chunks{data: stream, sizes: sizes}, 16+int(buffer))
		got, err := inPieces(newBody(br, lf), 1+int(piece))
		rest, _ := io.ReadAll(br)
		switch {
		case !whole && (!errors.Is(err, io.ErrUnexpectedEOF) || !bytes.HasPrefix(got, want)):
			t.Fatalf("got %q and %v of a message that does not end", got, err)
		case whole && (!bytes.Equal(got, want) || err != nil || len(rest) != left):
			t.Fatalf("got %q, error %v, %d octets left; want %q and %d", got, err, len(rest), want, left)
		}
	})
}
