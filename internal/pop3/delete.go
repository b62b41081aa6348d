package pop3

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/pop2imap/pop2imap/sync"
)

// Delete marks messages: UIDL n for all of them, and only if each reply is what it should be, DELE n. After any error
// the session is lost, and so Close sends no QUIT: the server removes nothing (RFC 1939 §6).
func (s *Session) Delete(ctx context.Context, messages []sync.Listed) error {
	defer s.w.Bind(ctx)()
	// From the last to the first: a server that counts anew after each DELE, against RFC 1939 §5, then moves only
	// numbers that are not needed any more.
	messages = slices.SortedFunc(slices.Values(messages), func(a, b sync.Listed) int { return cmp.Compare(b.Number, a.Number) })
	for _, m := range messages {
		if m.UIDL == "" {
			return s.lose(&sync.Error{Class: sync.Bug, Err: fmt.Errorf("message %d is to be deleted, and has no UIDL", m.Number)})
		}
	}
	if err := s.confirm(messages); err != nil {
		return s.lose(err)
	}
	if err := s.mark(messages); err != nil {
		return s.lose(err)
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
