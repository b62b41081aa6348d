package imap

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/pop2imap/pop2imap/sync"
)

// How much one FETCH asks for. Servers take a line of 8,000 octets (RFC 7162 §4), which is 360 ranges at their longest.
// What is left of an answer has to be read when a caller has seen enough: so of bodies there are fewer.
const (
	sizesAtOnce  = 360
	bodiesAtOnce = 100
)

// Sizes implements [sync.Destination].
func (s *Session) Sizes(ctx context.Context, f sync.Folder, uids []uint32) (map[uint32]int64, error) {
	defer s.begin(ctx)()
	sizes := map[uint32]int64{}
	err := s.fetchAll(f, slices.Collect(slices.Chunk(ranges(proper(uids)), sizesAtOnce)), &imap.FetchOptions{UID: true, RFC822Size: true},
		func(m *imapclient.FetchMessageData) error {
			var uid uint32
			size := int64(-1)
			for item := m.Next(); item != nil; item = m.Next() {
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					uid = uint32(item.UID)
				case imapclient.FetchItemDataRFC822Size:
					size = item.Size
				}
			}
			if size >= 0 {
				sizes[uid] = size
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	return sizes, nil
}

// Dates implements [sync.Destination].
func (s *Session) Dates(ctx context.Context, f sync.Folder, uids []uint32) (map[uint32]time.Time, error) {
	defer s.begin(ctx)()
	dates := map[uint32]time.Time{}
	sets := slices.Collect(slices.Chunk(ranges(proper(uids)), sizesAtOnce))
	ask := s.fetchAll
	if s.selected == f.Name { // and has shown what was appended
		ask = s.fetchSets
	}
	err := ask(f, sets, &imap.FetchOptions{UID: true, InternalDate: true}, func(m *imapclient.FetchMessageData) error {
		if mark, _ := markOf(m); !mark.Date.IsZero() {
			dates[mark.UID] = mark.Date
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return dates, nil
}

// Read implements [sync.Destination].
func (s *Session) Read(ctx context.Context, f sync.Folder, uids []uint32, each func(uint32, io.Reader) error) error {
	return s.read(ctx, f, uids, &imap.FetchItemBodySection{Peek: true}, each)
}

// Headers is Read for the headers alone, with the blank line that ends them (RFC 9051 §6.4.5, BODY.PEEK[HEADER]).
func (s *Session) Headers(ctx context.Context, f sync.Folder, uids []uint32, each func(uint32, io.Reader) error) error {
	return s.read(ctx, f, uids, &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, Peek: true}, each)
}

func (s *Session) read(ctx context.Context, f sync.Folder, uids []uint32, part *imap.FetchItemBodySection,
	each func(uint32, io.Reader) error) error {
	defer s.begin(ctx)()
	var sets []imap.UIDSet
	for some := range slices.Chunk(proper(uids), bodiesAtOnce) {
		sets = append(sets, ranges(some))
	}
	return s.fetchAll(f, sets, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{part}},
		func(m *imapclient.FetchMessageData) error {
			var uid uint32
			for item := m.Next(); item != nil; item = m.Next() {
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					uid = uint32(item.UID) // before the body: see overlooked
				case imapclient.FetchItemDataBodySection:
					if item.Literal != nil && item.MatchCommand(part) {
						return each(uid, &body{item.Literal, s.mux}) // once: what else there may be is skipped
					}
				}
			}
			return nil
		})
}

// A body ends with an error when the line is gone: the mux makes up the rest of a literal then, for imapclient's sake.
type body struct {
	literal io.Reader
	mux     *mux
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.literal.Read(p)
	if why := b.mux.why(); why != nil {
		return 0, why
	}
	return n, err
}

// proper gives the UIDs in order, each once. 0 would become "*" (RFC 9051 §9, seq-number).
func proper(uids []uint32) []uint32 {
	uids = slices.DeleteFunc(slices.Clone(uids), func(uid uint32) bool { return uid == 0 })
	slices.Sort(uids)
	return slices.Compact(uids)
}

// fetchAll asks for those UIDs, one set after the other, and calls each with every message that is there. An error from
// each is returned as it is, when the answer to the FETCH under way is read.
func (s *Session) fetchAll(f sync.Folder, sets []imap.UIDSet, o *imap.FetchOptions,
	each func(*imapclient.FetchMessageData) error) error {
	if len(sets) == 0 || s.mute[f.Name] {
		if _, err := s.reopen(f); err != nil {
			return err
		}
		return s.fetchSets(f, sets, o, each)
	}
	name, err := s.names.raw(f.Name)
	if err != nil {
		return err
	}
	examining, first := s.examining(name), s.ask(sets[0], o) // in one flight
	if err := s.same(f, examining); err != nil {
		first.Close()
		return s.closed(f.Name, name, err)
	}
	if err := s.answer(f, first, each); err != nil {
		return err
	}
	return s.fetchSets(f, sets[1:], o, each)
}

// fetchSets is fetchAll in a folder that is open.
func (s *Session) fetchSets(f sync.Folder, sets []imap.UIDSet, o *imap.FetchOptions,
	each func(*imapclient.FetchMessageData) error) error {
	for _, set := range sets {
		if err := s.answer(f, s.ask(set, o), each); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) ask(set imap.UIDSet, o *imap.FetchOptions) *imapclient.FetchCommand {
	s.unnamed.Store(false) // before the command: its answer may be there at once
	return s.client.Fetch(set, o)
}

// answer reads what a FETCH gives.
func (s *Session) answer(f sync.Folder, cmd *imapclient.FetchCommand, each func(*imapclient.FetchMessageData) error) error {
	var enough error
	for m := cmd.Next(); m != nil && enough == nil; m = cmd.Next() {
		enough = each(m)
	}
	err := cmd.Close()
	switch {
	case enough != nil:
		return enough
	case err != nil:
		return sync.Doing(s.fault(err), "read from %q", f.Name)
	}
	return s.overlook()
}

// ranges writes ascending UIDs in as few ranges as there are.
func ranges(uids []uint32) (set imap.UIDSet) {
	for _, uid := range uids {
		if n := len(set); n > 0 && uint32(set[n-1].Stop)+1 == uid {
			set[n-1].Stop = imap.UID(uid)
		} else {
			set = append(set, imap.UIDRange{Start: imap.UID(uid), Stop: imap.UID(uid)})
		}
	}
	return set
}
