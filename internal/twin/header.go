package twin

import (
	"context"
	"io"
	"slices"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

// Sizes differ where a server counts other line ends than it sends, where RETR adds a line end or a Status line, and where
// it estimates. So without a message of the very size, those are looked at whose sizes are nearest.
const (
	nearest   = 100     // messages
	slack     = 64      // octets, and
	share     = 50      // one part in so many of the size
	headerMax = 1 << 20 // octets of a header that are looked at
	aheadMax  = 400     // headers fetched beyond those that are needed
)

// A lead is for how many of the following messages headers are fetched with those that are needed. The next message of
// the maildrop is mostly the next one here: while half of what was fetched ahead is asked for, it is worth to fetch more.
type lead struct {
	from     int // position of the second message after the one that was told by its header last
	messages int
	asked    int // that needed no FETCH since
}

func (l *lead) next() int {
	if 2*l.asked >= l.messages {
		l.messages = min(2*l.messages+1, aheadMax)
	} else {
		l.messages /= 2
	}
	l.asked = 0
	return l.messages
}

// same gives the messages that have the header of s: those that its UIDL may stand for and those of its size; if there
// are none, those of nearly its size.
func (t *Twin) same(ctx context.Context, s sync.Subject) ([]*entry, error) {
	candidates := slices.Clone(t.index.sized(s.Size))
	for _, f := range t.formats {
		if i, ok := t.index.at(f.uid(s.UIDL)); ok {
			candidates = append(candidates, uint32(i))
		}
	}
	list, err := t.among(ctx, candidates, s.Fingerprint)
	if err != nil || len(list) > 0 {
		return list, err
	}
	return t.among(ctx, t.index.near(s.Size, nearest, slack+s.Size/share), s.Fingerprint)
}

// among gives those that have the fingerprint, each once.
func (t *Twin) among(ctx context.Context, candidates []uint32, fingerprint [32]byte) (list []*entry, err error) {
	if err := t.fetch(ctx, candidates); err != nil {
		return nil, err
	}
	slices.Sort(candidates)
	for _, i := range slices.Compact(candidates) {
		if t.index.prints[i] == fingerprint {
			list = append(list, &t.index.entries[i])
			t.lead.from = min(int(i)+2, len(t.index.entries))
		}
	}
	return list, nil
}

// fetch gets those headers that are not there yet, and some ahead.
func (t *Twin) fetch(ctx context.Context, wanted []uint32) error {
	x := t.index
	if x.prints == nil {
		x.prints = make([][32]byte, len(x.entries))
	}
	uids := t.lacking(nil, wanted)
	if len(uids) == 0 {
		t.lead.asked++
		return nil
	}
	following := x.entries[t.lead.from:]
	for _, next := range following[:min(t.lead.next(), len(following))] {
		if alike := x.sized(next.size); len(uids)+len(alike) <= len(wanted)+aheadMax {
			uids = t.lacking(uids, alike)
		}
	}
	return t.headers(ctx, uids)
}

// lacking adds the UIDs of those whose header is not there. From now on it is.
func (t *Twin) lacking(uids []uint32, positions []uint32) []uint32 {
	for _, i := range positions {
		if e := &t.index.entries[i]; !e.fetched {
			uids, e.fetched = append(uids, e.uid), true
		}
	}
	return uids
}

// headers takes in the fingerprints of headers. A server may have closed a line on which nothing was asked for long, and
// so another one is tried.
func (t *Twin) headers(ctx context.Context, uids []uint32) error {
	err := t.session.Headers(ctx, t.folder, uids, t.note)
	if err == nil || sync.ClassOf(err) != sync.Temporary {
		return err
	}
	session, err := t.dial(ctx)
	if err != nil {
		return err
	}
	t.session.Close(ctx) // it is gone
	t.session = session
	return t.session.Headers(ctx, t.folder, uids, t.note)
}

func (t *Twin) note(uid uint32, header io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(header, headerMax))
	if err != nil {
		return err
	}
	if i, ok := t.index.at(uid); ok {
		t.index.prints[i] = message.Fingerprint(raw)
	}
	return nil
}
