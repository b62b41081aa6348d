package pop3

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// body reads one message off the wire: dots unstuffed, line ends CRLF, nothing else changed. It ends, with io.EOF,
// at a line of "." and nowhere else (RFC 1939 §3). On a server that ends lines with CRLF, a bare LF inside a message
// is not the end of a line of the protocol: neither does a message end there, nor is a dot behind it unstuffed.
type body struct {
	r     *bufio.Reader
	lf    bool   // the server ends its lines with LF alone
	line  []byte // what can be given; points into r's buffer, valid until the next fill
	crlf  bool   // and then CRLF
	fresh bool   // at the beginning of a line of the protocol
	cr    bool   // what was given last ended in CR, and its line goes on
	err   error  // what comes then: io.EOF, or why there is no more
}

func newBody(r *bufio.Reader, lf bool) *body { return &body{r: r, lf: lf, fresh: true} }

func (b *body) Read(p []byte) (n int, err error) {
	for n < len(p) {
		switch {
		case len(b.line) > 0:
			m := copy(p[n:], b.line)
			b.line = b.line[m:]
			n += m
		case b.crlf && n+2 <= len(p):
			n += copy(p[n:], "\r\n")
			b.crlf = false
		case b.crlf && n > 0:
			return n, nil // no room for both: they come first next time
		case b.crlf:
			p[0], b.line, b.crlf = '\r', []byte("\n"), false
			n = 1
		case b.err != nil:
			if n > 0 {
				return n, nil
			}
			return 0, b.err
		case n > 0 && b.r.Buffered() == 0:
			return n, nil // give what there is before waiting
		default:
			b.fill()
		}
	}
	return n, nil
}

// fill takes one line, or a bufferful of a long one, off the wire. It keeps back a CR that a LF may follow.
func (b *body) fill() {
	raw, err := b.r.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // the line ended, the message did not
		}
		b.err = err
		return
	}
	fresh := b.fresh
	ended := err == nil
	if fresh && ended && (string(raw) == ".\r\n" || b.lf && string(raw) == ".\n") {
		b.err = io.EOF
		return
	}
	if fresh && raw[0] == '.' {
		raw = raw[1:]
	}
	b.take(raw, ended)
}

// take sorts out the end of a piece of a line.
func (b *body) take(raw []byte, ended bool) {
	held := b.cr // a CR that was kept back from the piece before
	b.cr = false
	if ended {
		raw = raw[:len(raw)-1]
		proper := bytes.HasSuffix(raw, []byte("\r")) || held && len(raw) == 0
		b.fresh = proper || b.lf
		b.crlf = true
	} else {
		b.fresh = false
	}
	if ended && held && len(raw) == 0 {
		return // it was the CR of this line end
	}
	raw, cr := bytes.CutSuffix(raw, []byte("\r"))
	if cr && !ended {
		b.cr = true
	}
	if held {
		raw = append([]byte("\r"), raw...)
	}
	b.line = raw
}
