package pop3

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/pop2imap/pop2imap/sync"
)

// Delete marks messages: UIDL n for all of them, and only if each reply is what it should be, DELE n; then the whole
// listing must show that no other message is gone. After any error the session is lost, and so Close sends no QUIT: the
// server removes nothing (RFC 1939 §6).
func (s *Session) Delete(ctx context.Context, messages []sync.Listed) error {
	defer s.w.Bind(ctx)()
	s.idle = false
	// From the last to the first: a server that counts anew after each DELE, against RFC 1939 §5, then moves only
	// numbers that are not needed any more.
	messages = slices.SortedFunc(slices.Values(messages), func(a, b sync.Listed) int { return cmp.Compare(b.Number, a.Number) })
	for _, m := range messages {
		if m.UIDL == "" {
			return s.lose(&sync.Error{Class: sync.Bug, Err: fmt.Errorf("message %d is to be deleted, and has no UIDL", m.Number)})
		}
	}
	before, err := s.entries("UIDL", false)
	if err == nil {
		err = s.confirm(messages)
	}
	if err == nil {
		err = s.mark(messages)
	}
	if err == nil {
		err = s.othersStay(before, messages)
	}
	if err != nil {
		return s.lose(err)
	}
	return nil
}

// othersStay says whether all that is not to be deleted is listed as before: numbers may have shifted under our hands.
func (s *Session) othersStay(before []entry, doomed []sync.Listed) error {
	after, err := s.entries("UIDL", false)
	if err != nil {
		return err
	}
	missing := map[string]int{}
	for _, e := range before {
		missing[e.text]++
	}
	for _, e := range after {
		missing[e.text]--
	}
	for _, m := range doomed {
		missing[m.UIDL]--
	}
	for _, n := range missing {
		if n > 0 {
			return &sync.Error{Class: sync.Protocol,
				Err: fmt.Errorf("%s marked another message than the one that was to be deleted: nothing is deleted", s.w.Host())}
		}
	}
	return nil
}

// confirm asks for each UIDL again: there are servers whose numbers shift within a session.
func (s *Session) confirm(messages []sync.Listed) error {
	f := flight{s: s, verb: "UIDL", total: len(messages), number: func(i int) int { return messages[i].Number }}
	for _, m := range messages {
		ok, text, err := f.next()
		if err != nil {
			return err
		}
		if !ok {
			return s.refused("UIDL", string(text))
		}
		if e, ok := parseEntry(string(text), 0); !ok || e.number != m.Number || e.text != m.UIDL {
			return &sync.Error{Class: sync.Protocol, Server: sync.Clean(string(text)),
				Err: fmt.Errorf("message %d at %s is no longer the one that was listed: nothing is deleted", m.Number, s.w.Host())}
		}
	}
	return s.lost
}

// mark sends DELE for each.
func (s *Session) mark(messages []sync.Listed) error {
	f := flight{s: s, verb: "DELE", total: len(messages), number: func(i int) int { return messages[i].Number }}
	for range messages {
		ok, text, err := f.next()
		if err != nil {
			return err
		}
		if !ok {
			return s.refused("DELE", string(text))
		}
	}
	return s.lost
}
