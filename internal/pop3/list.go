package pop3

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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
	uidls, sizes, err := s.listings()
	if err != nil {
		return listing, err
	}
	if listing.Messages, err = joined(s.w.Host(), uidls, sizes); err != nil {
		return listing, s.lose(err)
	}
	listing.LoginDelay = s.caps.loginDelay()
	listing.Expires = slices.Equal(s.caps["EXPIRE"], []string{"0"})
	listing.Partial = s.caps.has("X-GOOGLE-RICO") // Gmail lists its oldest few hundred messages
	listing.Status = !s.caps.has("PIPELINING")    // which UW's ipop3d has not
	if listing.HasTop, err = s.hasTop(listing.Messages); err != nil {
		return listing, err
	}
	listing.Last, err = s.last(len(listing.Messages))
	return listing, err
}

// last asks a server that is old enough to know LAST (RFC 1081, gone since RFC 1725) for the highest number that was ever
// accessed. Those that have CAPA would count it as a mistake of ours.
func (s *Session) last(messages int) (int, error) {
	if messages == 0 || s.caps != nil && !s.caps.has("LAST") {
		return 0, nil
	}
	text, err := s.command("LAST")
	if err != nil {
		return 0, s.lost
	}
	n, err := parseNumber(firstField(text))
	if err != nil || n > int64(messages) {
		return 0, nil
	}
	return int(n), nil
}

// listings gets both listings, and what the server can do if that is not known yet: with PIPELINING in one flight. uidls
// is nil if the server has no UIDL.
func (s *Session) listings() (uidls, sizes []entry, err error) {
	ahead := s.caps.has("PIPELINING")
	if ahead {
		verbs := []string{"UIDL", "LIST"}
		if s.stale {
			verbs = []string{"CAPA", "UIDL", "LIST"}
		}
		if err := s.send(verbs...); err != nil {
			return nil, nil, err
		}
		if err := s.renew(); err != nil {
			return nil, nil, err
		}
	}
	uidls, uidlErr := s.entries("UIDL", ahead)
	if uidlErr != nil && s.lost == nil && s.lacksUIDL(uidlErr) {
		uidls, uidlErr = nil, nil
	}
	if s.lost != nil || uidlErr != nil && !ahead {
		return nil, nil, uidlErr
	}
	sizes, err = s.entries("LIST", ahead)
	return uidls, sizes, cmp.Or(uidlErr, err)
}

// lacksUIDL tells a server that has no UIDL from one that has it and refuses it: that one is in trouble.
func (s *Session) lacksUIDL(err error) bool {
	e, ok := errors.AsType[*sync.Error](err)
	return ok && e.Code == "" && !s.caps.has("UIDL")
}

// joined brings the two listings together. Both ascend. uidls is nil if there are none to be had.
func joined(host string, uidls, sizes []entry) ([]sync.Listed, error) {
	messages := make([]sync.Listed, 0, len(sizes))
	at := 0
	for _, e := range sizes {
		size, err := parseNumber(firstField(e.text))
		if err != nil {
			return nil, malformed(host, "LIST", e.text)
		}
		m := sync.Listed{Number: e.number, Size: size}
		if uidls != nil {
			for at < len(uidls) && uidls[at].number < e.number {
				at++
			}
			if at == len(uidls) || uidls[at].number != e.number {
				continue
			}
			m.UIDL = uidls[at].text
		}
		if strings.HasPrefix(m.UIDL, "ENOMEM-") {
			return nil, noListing(host, m.UIDL)
		}
		messages = append(messages, m)
	}
	return messages, nil
}

// noListing is the error for what Courier lists when the disk is full on which it keeps its UIDLs: messages under names
// that they have for this session only.
func noListing(host, uidl string) error {
	return &sync.Error{Class: sync.Temporary, Server: sync.Clean(uidl),
		Err:    fmt.Errorf("%s cannot list the maildrop: it has no room on its disk for that", host),
		Remedy: "free some space on the server (or in the mailbox, if that has a quota), and run it again"}
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
	return true, s.header(new(bytes.Buffer), headerMax, topMax)
}

// entry is one line of a listing: a message number and what stands behind it.
type entry struct {
	number int
	text   string
}

// entries gets a listing, never nil if it has been got. It is strict: numbers ascend, nothing is passed over, nothing is
// guessed. ahead: it has been asked for.
func (s *Session) entries(verb string, ahead bool) ([]entry, error) {
	if !ahead {
		if err := s.send(verb); err != nil {
			return nil, err
		}
	}
	if _, err := s.reply(verb); err != nil {
		return nil, err
	}
	list, err := readEntries(s.w, verb)
	if err != nil {
		return nil, s.lose(err)
	}
	return list, nil
}

// A lineReader is a [wire.Conn] as far as listings need one.
type lineReader interface {
	ReadLine(most int) ([]byte, error)
	Host() string
}

func readEntries(r lineReader, verb string) ([]entry, error) {
	list := []entry{}
	last := 0
	err := readLines(r, listMax, func(line string) error {
		e, ok := parseEntry(line, last)
		if !ok {
			return malformed(r.Host(), verb, line)
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

func malformed(host, verb, line string) error {
	return &sync.Error{Class: sync.Protocol, Server: sync.Clean(line),
		Err: fmt.Errorf("%s sent a line in its %s listing that cannot be understood", host, verb)}
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

// readLines reads a multi-line reply (RFC 1939 §3) of at most most lines.
func readLines(r lineReader, most int, each func(line string) error) error {
	octets := 0
	for n := 0; ; n++ {
		raw, err := r.ReadLine(listLineMax)
		if err != nil {
			return err
		}
		line := unended(raw)
		if string(line) == "." {
			return nil
		}
		if octets += len(line); n == most || octets > listOctets {
			return &sync.Error{Class: sync.Protocol,
				Err: fmt.Errorf("%s sent a listing of more than %d lines or %d octets", r.Host(), most, listOctets)}
		}
		if err := each(string(bytes.TrimPrefix(line, []byte(".")))); err != nil {
			return err
		}
	}
}
