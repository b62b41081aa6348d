package pop3

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pop2imap/pop2imap/sync"
)

// What there may be of a header. Nothing that we read from one stands behind headerMax. There are servers that send the
// whole message instead, so that much more is read, and thrown away.
const (
	headerMax = 1 << 20 // octets that are kept
	topMax    = 1 << 30 // octets in all
)

// Headers asks for each header with TOP n 0.
func (s *Session) Headers(ctx context.Context, numbers []int, each func(int, []byte) error) error {
	defer s.w.Bind(ctx)()
	for _, n := range numbers {
		if _, err := s.command(fmt.Sprintf("TOP %d 0", n)); s.lost != nil {
			return s.lost
		} else if err != nil {
			continue
		}
		header, err := s.header(headerMax, topMax)
		if err != nil {
			return err
		}
		if err := each(n, header); err != nil {
			return err
		}
	}
	return nil
}

// header reads the reply to TOP to its end, which must come within most octets, and keeps the first of them.
func (s *Session) header(keep, most int64) ([]byte, error) {
	b := newBody(s.w.Buffered(), s.link.lf)
	header, err := io.ReadAll(io.LimitReader(b, keep))
	if err == nil {
		_, err = io.CopyN(io.Discard, b, most-keep)
	}
	switch {
	case errors.Is(err, io.EOF):
		return header, nil
	case err == nil:
		err = &sync.Error{Class: sync.Protocol, Err: fmt.Errorf("%s does not come to an end after TOP", s.w.Host())}
	}
	return nil, s.lose(err)
}

// Retrieve asks for each message with RETR.
func (s *Session) Retrieve(ctx context.Context, numbers []int, each func(int, io.Reader, error) error) error {
	defer s.w.Bind(ctx)()
	for _, n := range numbers {
		_, err := s.command(fmt.Sprintf("RETR %d", n))
		if s.lost != nil {
			return s.lost
		}
		if err != nil {
			if err := each(n, nil, vanished(err)); err != nil {
				return err
			}
			continue
		}
		b := newBody(s.w.Buffered(), s.link.lf)
		if err := each(n, b, nil); err != nil {
			s.lose(err) // part of the body may still be on the wire
			return err
		}
		switch {
		case b.err == nil:
			return s.lose(fmt.Errorf("message %d was not read to its end", n))
		case b.err != io.EOF: // each has seen it, and looked away
			return s.lose(b.err)
		}
	}
	return nil
}

// vanished makes the refusal of one message an error about that message alone, whatever its code: Dovecot says SYS/TEMP
// of a message that it can never read, and one message must not stop the others. Trouble of the whole maildrop ends
// the connection.
func vanished(err error) error {
	if e, ok := errors.AsType[*sync.Error](err); ok {
		e.Class, e.Remedy = sync.Vanished, ""
	}
	return err
}
