package imap

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// A sender gathers what is appended, so that small messages share packets, and knows how much the kernel has of it.
type sender struct {
	w      *wire.Conn
	buf    *bufio.Writer // over the sender itself
	sent   int64         // octets that the kernel has, or may have after an error
	line   gauge
	spoilt bool // a message could not be read: the rest of its literal will not come
}

func newSender(w *wire.Conn) *sender {
	s := &sender{w: w}
	s.buf = bufio.NewWriterSize(s, 64<<10)
	return s
}

// Write is for buf.
func (s *sender) Write(p []byte) (int, error) {
	began := time.Now()
	n, err := s.w.Write(p)
	s.sent += int64(n)
	s.line.add(n, time.Since(began))
	return n, err
}

// put gives how many octets were written, those that the kernel has not yet included.
func (s *sender) put() int64 { return s.sent + int64(s.buf.Buffered()) }

func (s *sender) flush() error {
	if s.spoilt {
		return nil
	}
	return s.buf.Flush()
}

func (s *sender) say(text string) error {
	s.w.Trace("C", strings.TrimRight(text, "\r\n"))
	_, err := s.buf.WriteString(text)
	return err
}

// body writes the literal. Where a message cannot be read that is the error, and half a literal cannot be taken back.
func (s *sender) body(m sync.Outgoing) error {
	src := &source{Reader: io.LimitReader(m.Body(), m.Size)}
	n, err := io.Copy(s.buf, src)
	if src.err == nil && err == nil && n < m.Size {
		src.err = fmt.Errorf("a message of %d octets ended after %d", m.Size, n)
	}
	if src.err != nil {
		s.spoilt = true
		return open(src.err)
	}
	return err
}

// A source remembers that it could not be read.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// send writes one APPEND. A refusal in place of "+" is the answer to it, and no error. Until the line end behind the
// last message is written, nothing of it is stored.
func (s *Session) send(p *part) error {
	p.command = s.mux.command(p.asks)
	for i, m := range p.messages {
		head := p.heads[i]
		if i == 0 {
			head = p.command.tag + " APPEND " + p.mailbox + head
		}
		if err := s.out.say(head); err != nil {
			return err
		}
		if p.asks {
			if goOn, err := s.wanted(p); !goOn {
				return err
			}
		}
		if err := s.out.body(m); err != nil {
			return err
		}
	}
	_, err := s.out.buf.WriteString("\r\n")
	p.end = s.out.put()
	return err
}

// wanted waits until the server asks for the literal.
func (s *Session) wanted(p *part) (goOn bool, err error) {
	if err := s.out.flush(); err != nil {
		return false, err
	}
	s.mux.write(false)
	defer s.mux.write(true)
	r, err := s.mux.await(p.command)
	switch {
	case err != nil:
		p.fail(unsent(err))
		return false, err
	case r.tag == "+":
		return true, nil
	}
	p.answers = s.outcome(p, r, false)
	return false, nil
}
