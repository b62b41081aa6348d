package pop3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pop2imap/pop2imap/sync"
)

// What a listing may be at the most. A UIDL has 70 octets by RFC 1939 §7, and more in the wild.
const (
	listMax     = 2 << 20   // messages
	listLineMax = 2 << 10   // octets of one line
	listOctets  = 128 << 20 // octets of all lines
)

// List gives what UIDL and LIST say. A message that only one of them knows came or went in between, and is left
// for another session. A server without UIDL gives messages without one.
func (s *Session) List(ctx context.Context) (sync.Listing, error) {
	defer s.w.Bind(ctx)()
	var listing sync.Listing
	uidls, err := s.uidls()
	if err != nil {
		return listing, err
	}
	sizes, err := s.entries("LIST")
	if err != nil {
		return listing, err
	}
	for _, e := range sizes {
		size, err := parseNumber(firstField(e.text))
		if err != nil {
			return listing, s.malformed("LIST", e.text)
		}
		m := sync.Listed{Number: e.number, Size: size}
		if uidls != nil {
			uidl, ok := uidls[e.number]
			if !ok {
				continue
			}
			m.UIDL = uidl
		}
		listing.Messages = append(listing.Messages, m)
	}
	listing.HasTop, err = s.hasTop(listing.Messages)
	return listing, err
}

// uidls gives the UIDL of each message number, or nil if the server has no UIDL. A server that has it and refuses it
// is in trouble, and must not be taken for one that lacks it.
func (s *Session) uidls() (map[int]string, error) {
	entries, err := s.entries("UIDL")
	if e, ok := errors.AsType[*sync.Error](err); ok && s.lost == nil && e.Code == "" && !s.caps.has("UIDL") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	uidls := make(map[int]string, len(entries))
	for _, e := range entries {
		uidls[e.number] = e.text
	}
	return uidls, nil
}

// hasTop says whether headers can be had. A server without CAPA is asked for one.
func (s *Session) hasTop(messages []sync.Listed) (bool, error) {
	if s.caps != nil {
		return s.caps.has("TOP"), nil
	}
	if len(messages) == 0 {
		return false, nil
	}
	if _, err := s.command(fmt.Sprintf("TOP %d 0", messages[0].Number)); err != nil {
		return false, s.lost
	}
	_, err := s.header(headerMax, topMax)
	return true, err
}

// entry is one line of a listing: a message number and what stands behind it.
type entry struct {
	number int
	text   string
}

// entries gets a listing. It is strict: numbers ascend, nothing is passed over, nothing is guessed.
func (s *Session) entries(verb string) ([]entry, error) {
	if _, err := s.command(verb); err != nil {
		return nil, err
	}
	var list []entry
	last := 0
	err := s.lines(listMax, func(line string) error {
		e, ok := parseEntry(line, last)
		if !ok {
			return s.malformed(verb, line)
		}
		last = e.number
		list = append(list, e)
		return nil
	})
	return list, err
}

// parseEntry takes a line of a listing whose line before has the number after; 0: there is none.
func parseEntry(line string, after int) (e entry, ok bool) {
	first, rest, _ := strings.Cut(line, " ")
	n, err := parseNumber(first)
	if err != nil || n <= int64(after) || n > 1<<31-1 {
		return entry{}, false
	}
	return entry{int(n), strings.Trim(rest, " \t")}, true
}

func (s *Session) malformed(verb, line string) error {
	return s.lose(&sync.Error{Class: sync.Protocol, Server: sync.Clean(line),
		Err: fmt.Errorf("%s sent a line in its %s listing that cannot be understood", s.w.Host(), verb)})
}

// parseNumber takes decimal digits only, as RFC 1939 has them.
func parseNumber(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err
}

func firstField(s string) string {
	first, _, _ := strings.Cut(s, " ")
	return first
}

// lines reads a multi-line reply (RFC 1939 §3) of at most most lines.
func (s *Session) lines(most int, each func(line string) error) error {
	octets := 0
	for n := 0; ; n++ {
		raw, err := s.w.ReadLine(listLineMax)
		if err != nil {
			return s.lose(err)
		}
		line := bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
		if string(line) == "." {
			return nil
		}
		if octets += len(line); n == most || octets > listOctets {
			return s.lose(&sync.Error{Class: sync.Protocol,
				Err: fmt.Errorf("%s sent a listing of more than %d lines or %d octets", s.w.Host(), most, listOctets)})
		}
		if err := each(string(bytes.TrimPrefix(line, []byte(".")))); err != nil {
			return s.lose(err)
		}
	}
}
