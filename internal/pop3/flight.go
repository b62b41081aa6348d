package pop3

import (
	"fmt"
	"strconv"

	"github.com/pop2imap/pop2imap/sync"
)

// What may be on its way at once where the server announces PIPELINING (RFC 2449 §6.6). So many commands fit into the
// buffers of any two sockets: never do both sides wait for each other to read.
const (
	windowCommands = 400
	windowOctets   = 32 << 20
)

// A flight is one command for each of many messages, sent ahead of the replies, which come in the same order.
type flight struct {
	s      *Session
	verb   string
	rest   string            // what stands behind the message number
	total  int               // messages
	number func(i int) int   // of message i
	cost   func(i int) int64 // about how many octets its reply has; nil: none to speak of
	sent   int               // commands
	read   int               // status lines
	octets int64             // that the replies between the two may have
	buf    []byte            // commands that go out together
}

// next sends what there is room for, and reads the next status line. The reply before must have been read to its end.
// text is valid until the next read.
func (f *flight) next() (ok bool, text []byte, err error) {
	if err := f.fill(); err != nil {
		return false, nil, err
	}
	f.octets -= f.price(f.read)
	f.read++
	return f.s.status()
}

// fill sends commands when half the window is free, many with one Write: a packet for each would cost more than it holds.
func (f *flight) fill() error {
	most := 1
	if f.s.caps.has("PIPELINING") {
		most = windowCommands
	}
	out := f.sent - f.read
	if f.sent == f.total || out > most/2 || f.octets > windowOctets/2 {
		return nil
	}
	if out == 0 {
		if err := f.s.quiet(); err != nil {
			return err
		}
	}
	f.buf = f.buf[:0]
	for ; f.sent < f.total && out < most; f.sent++ {
		price := f.price(f.sent)
		if out > 0 && f.octets+price > windowOctets {
			break
		}
		f.octets += price
		out++
		f.write(f.number(f.sent))
	}
	if _, err := f.s.w.Write(f.buf); err != nil {
		return f.s.lose(err)
	}
	return nil
}

// price is what a reply takes of the window: never more than all of it.
func (f *flight) price(i int) int64 {
	if f.cost == nil {
		return 0
	}
	return min(f.cost(i), windowOctets)
}

// write adds the command for one message to what is to be sent.
func (f *flight) write(number int) {
	begin := len(f.buf)
	f.buf = append(f.buf, f.verb...)
	f.buf = append(f.buf, ' ')
	f.buf = strconv.AppendInt(f.buf, int64(number), 10)
	f.buf = append(f.buf, f.rest...)
	if f.s.w.Traced() {
		f.s.w.Trace("C", string(f.buf[begin:]))
	}
	f.buf = append(f.buf, "\r\n"...)
}

// status reads a status line past go-pop3, which would make much of it. text is valid until the next read.
func (s *Session) status() (ok bool, text []byte, err error) {
	if err := s.link.fetch(); err != nil {
		return false, nil, s.lose(err)
	}
	s.link.rest = nil
	ok, text = s.link.status()
	return ok, text, nil
}

// quiet makes sure that no reply is there before a command is sent: it would be taken for the answer to that one, and
// each answer after it for another's. A server that gives up (RFC 1939 §3: autologout) says so without being asked.
func (s *Session) quiet() error {
	if s.lost != nil || s.w.Buffered().Buffered() == 0 {
		return s.lost
	}
	ok, text, err := s.status()
	if err != nil {
		return err
	}
	if !ok {
		return s.lose(s.refusal(string(text), sync.Temporary, "%s gave up", s.w.Host()))
	}
	return s.lose(&sync.Error{Class: sync.Protocol, Server: sync.Clean("+OK " + s.link.masked(string(text))),
		Err: fmt.Errorf("%s sent a reply that nobody had asked for", s.w.Host())})
}
