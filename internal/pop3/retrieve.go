package pop3

import (
	"bytes"
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

// topCost is about what a header has.
func topCost(int) int64 { return 4 << 10 }

// Headers asks for each header with TOP n 0.
func (s *Session) Headers(ctx context.Context, numbers []int, each func(int, []byte) error) error {
	defer s.w.Bind(ctx)()
	f := flight{s: s, verb: "TOP", rest: " 0", total: len(numbers), cost: topCost,
		number: func(i int) int { return numbers[i] }}
	var header bytes.Buffer
	for _, n := range numbers {
		ok, _, err := f.next()
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		header.Reset()
		if err := s.header(&header, headerMax, topMax); err != nil {
			return err
		}
		if err := each(n, header.Bytes()); err != nil {
			s.lose(err) // other headers are still on their way
			return err
		}
	}
	return s.lost
}

// header reads the reply to TOP to its end, which must come within most octets, and keeps the first of them.
func (s *Session) header(header *bytes.Buffer, keep, most int64) error {
	b := newBody(s.w.Buffered(), s.link.lf)
	_, err := header.ReadFrom(io.LimitReader(b, keep))
	if err == nil {
		_, err = io.CopyN(io.Discard, b, most-keep)
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		err = &sync.Error{Class: sync.Protocol, Err: fmt.Errorf("%s does not come to an end after TOP", s.w.Host())}
	}
	return s.lose(err)
}

// Retrieve asks for each message with RETR.
func (s *Session) Retrieve(ctx context.Context, messages []sync.Listed, each func(int, io.Reader, error) error) error {
	defer s.w.Bind(ctx)()
	s.idle = false
	f := flight{s: s, verb: "RETR", total: len(messages),
		number: func(i int) int { return messages[i].Number }, cost: func(i int) int64 { return messages[i].Size }}
	for _, m := range messages {
		ok, text, err := f.next()
		if err != nil {
			return err
		}
		if ok {
			err = s.body(m.Number, each)
		} else {
			err = each(m.Number, nil, s.vanished(string(text)))
		}
		if err != nil {
			s.lose(err) // part of a body, or other messages, may still be on their way
			return err
		}
	}
	return s.lost
}

// body gives each the body that follows on the wire, and makes sure that it was read to its end.
func (s *Session) body(number int, each func(int, io.Reader, error) error) error {
	b := newBody(s.w.Buffered(), s.link.lf)
	if err := each(number, b, nil); err != nil {
		return err
	}
	switch b.err {
	case io.EOF:
		return nil
	case nil:
		return &sync.Error{Class: sync.Bug, Err: fmt.Errorf("message %d was not read to its end", number)}
	}
	return b.err // each has seen it, and looked away
}

// vanished makes the refusal of one message an error about that message alone, whatever its code: Dovecot says SYS/TEMP
// of a message that it can never read, and one message must not stop the others. Trouble of the whole maildrop ends
// the connection.
func (s *Session) vanished(text string) error {
	e := s.refused("RETR", text)
	e.Class, e.Remedy = sync.Vanished, ""
	return e
}
