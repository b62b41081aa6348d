package pop3

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pop2imap/pop2imap/sync"
)

// headerMax is how much of a header is kept. Nothing that we read from a header stands behind so much.
const headerMax = 1 << 20

// Headers asks for each header with TOP n 0.
func (s *Session) Headers(ctx context.Context, numbers []int, each func(int, []byte) error) error {
	defer s.w.Bind(ctx)()
	for _, n := range numbers {
		if _, err := s.command(fmt.Sprintf("TOP %d 0", n)); s.lost != nil {
			return s.lost
		} else if err != nil {
			continue
		}
		b := newBody(s.w.Buffered(), s.link.lf)
		header, err := io.ReadAll(io.LimitReader(b, headerMax))
		if err == nil {
			_, err = io.Copy(io.Discard, b)
		}
		if err != nil {
			return s.lose(err)
		}
		if err := each(n, header); err != nil {
			return err
		}
	}
	return nil
}

// skip reads a multi-line reply to its end and forgets it.
func (s *Session) skip() error {
	if _, err := io.Copy(io.Discard, newBody(s.w.Buffered(), s.link.lf)); err != nil {
		return s.lose(err)
	}
	return nil
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
		if !errors.Is(b.err, io.EOF) {
			return s.lose(fmt.Errorf("message %d was not read to its end", n))
		}
	}
	return nil
}

// vanished makes the refusal of one message an error about that message alone, unless the server says that it, or
// the whole maildrop, is in trouble.
func vanished(err error) error {
	e, ok := errors.AsType[*sync.Error](err)
	if !ok || e.Code != "" && e.Class != sync.Temporary {
		return err
	}
	if e.Code == "" {
		e.Class = sync.Vanished
	}
	return e
}
