package imap

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/pop2imap/pop2imap/sync"
)

// fieldMax is how much of a Message-ID field is read: a line has 998 octets (RFC 5322 §2.1.1).
const fieldMax = 4 << 10

// Find goes through the messages from a UID on. The upper end is what EXAMINE said a moment ago: "*" would give the
// last message even where its UID is below from (RFC 9051 §9, seq-range).
func (s *Session) Find(ctx context.Context, f sync.Folder, from uint32) iter.Seq2[sync.Copy, error] {
	return func(yield func(sync.Copy, error) bool) {
		defer s.begin(ctx)()
		if err := s.find(f, max(from, 1), yield); err != nil {
			yield(sync.Copy{}, err)
		}
	}
}

func (s *Session) find(f sync.Folder, from uint32, yield func(sync.Copy, error) bool) error {
	now, err := s.reopen(f)
	if err != nil {
		return err
	}
	if now.UIDNext != 0 && from >= now.UIDNext {
		return nil
	}
	last := imap.UID(now.UIDNext) - 1
	if now.UIDNext == 0 {
		last = 1<<32 - 1
	}
	s.unnamed.Store(false) // before the command: its answer may be there at once
	cmd := s.client.Fetch(imap.UIDSet{{Start: imap.UID(from), Stop: last}}, &imap.FetchOptions{
		UID: true, RFC822Size: true,
		BodySection: []*imap.FetchItemBodySection{{Specifier: imap.PartSpecifierHeader,
			HeaderFields: []string{"Message-ID"}, Peek: true}},
	})
	stopped := false
	var held sync.Copy // given when what follows shows that it came whole
	give := func() {
		if !stopped && held.UID >= from {
			stopped = !yield(held, nil)
		}
	}
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		give()
		whole := false
		if held, whole = copyOf(m); !whole {
			s.unnamed.Store(true)
		}
	}
	err = cmd.Close()
	switch {
	case stopped:
		return nil
	case err != nil:
		return sync.Doing(s.fault(err), "look through %q", f.Name)
	}
	if err := s.overlook(); err != nil {
		return err
	}
	give()
	return nil
}

// reopen looks at a folder again: it shows what was appended since. Its UIDs must still mean the same.
func (s *Session) reopen(f sync.Folder) (sync.Folder, error) {
	name, err := s.names.raw(f.Name)
	if err != nil {
		return sync.Folder{}, err
	}
	now, err := s.examined(f.Name, name, s.examining(name))
	if err = s.closed(f.Name, name, err); err == nil && now.UIDValidity != f.UIDValidity {
		err = replaced(f)
	}
	return now, err
}

// same waits until a folder is open again, and says whether its UIDs still mean the same. Nothing else may be asked: the
// answer to a FETCH comes behind it.
func (s *Session) same(f sync.Folder, asked *imapclient.SelectCommand) error {
	data, err := asked.Wait()
	if err != nil {
		return err
	}
	s.selected, s.unsticky[f.Name] = f.Name, s.mux.unsticky.Load()
	if data.UIDValidity != f.UIDValidity {
		return replaced(f)
	}
	return nil
}

// overlook says whether the answer to a FETCH can be believed: all that belongs to it could be given to the command.
func (s *Session) overlook() error {
	if s.unnamed.Load() {
		return s.mux.broken(fmt.Errorf("%s tells of messages in an order in which it cannot be read", s.server.Host))
	}
	return nil
}

// overlooked gets each FETCH response that imapclient gives to no command. One whose header or body comes before its UID
// may be a message that was asked for: imapclient does not know that yet. To pass it over would be to say that it is not
// there.
func (s *Session) overlooked(m *imapclient.FetchMessageData) {
	s.mux.chatter.Add(1)
	for item, named := m.Next(), false; item != nil; item = m.Next() {
		switch item.(type) {
		case imapclient.FetchItemDataUID:
			named = true
		case imapclient.FetchItemDataBodySection:
			if !named {
				s.unnamed.Store(true) // before it is read, and so before the command ends
			}
		}
	}
}

// copyOf reads one FETCH response to its end. It is not whole if the server tells of a message in several.
func copyOf(m *imapclient.FetchMessageData) (c sync.Copy, whole bool) {
	sized, headed := false, false
	for item := m.Next(); item != nil; item = m.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			c.UID = uint32(item.UID)
		case imapclient.FetchItemDataRFC822Size:
			c.Size, sized = item.Size, true
		case imapclient.FetchItemDataBodySection:
			headed = true
			if item.Literal != nil {
				c.Header, _ = io.ReadAll(io.LimitReader(item.Literal, fieldMax)) // an error ends the whole FETCH
			}
		}
	}
	return c, sized && headed
}
