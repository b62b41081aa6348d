package sync

import (
	"context"
	"slices"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/state"
)

// A preview is what the header of a message that is not retrieved tells.
type preview struct {
	id        string // Message-ID
	told      message.Inference
	placement Placement
}

// ahead asks for the headers of messages (TOP). It gives nothing where there is no TOP.
func (r *run) ahead(ctx context.Context, list []todo) (map[int]preview, error) {
	told := map[int]preview{}
	if !r.listing.HasTop || len(list) == 0 {
		return told, nil
	}
	by := byNumber(list)
	err := r.src.Headers(ctx, numbers(list), func(n int, header []byte) error {
		m := by[n]
		said := r.infer(header, m, time.Now())
		told[n] = preview{message.ID(header), said, r.placement(header, m.Size, said)}
		return nil
	})
	return told, err
}

// refuseLarge takes out what the destination has said that it would refuse (RFC 7889). Nothing of that is retrieved, unless
// only that can tell into which folder it would go.
func (r *run) refuseLarge(ctx context.Context, list []todo) (rest []todo, err error) {
	if !slices.ContainsFunc(list, func(m todo) bool { return !m.byDigest }) {
		return list, nil // all may be known: the destination is not needed yet
	}
	home, err := r.mailbox(ctx, Placement{}, nil)
	if err != nil {
		return nil, err
	}
	large := slices.DeleteFunc(slices.Clone(list), func(m todo) bool { return m.byDigest || !home.overLimit(m.Size) })
	told := map[int]preview{}
	if r.Place != nil {
		if told, err = r.ahead(ctx, large); err != nil {
			return nil, err
		}
	}
	for _, m := range list {
		box := home
		if p, ok := told[m.Number]; ok {
			if box, err = r.mailbox(ctx, p.placement, nil); err != nil {
				return nil, err
			}
		} else if r.Place != nil {
			box = &mailbox{} // nobody knows which
		}
		if m.byDigest || !box.overLimit(m.Size) {
			rest = append(rest, m)
		} else if err := r.tooBig(ctx, m, box.Folder, state.Record{Size: m.Size, Header: m.header}); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// overLimit says whether a message is larger than the folder takes.
func (f Folder) overLimit(size int64) bool { return f.AppendLimit > 0 && size > f.AppendLimit }

// rehearse says what would be copied, and where to.
func (r *run) rehearse(ctx context.Context, list []todo) error {
	if _, err := r.mailbox(ctx, Placement{}, nil); err != nil {
		return err
	}
	told, err := r.ahead(ctx, list)
	if err != nil {
		return err
	}
	for _, m := range list {
		p, ok := told[m.Number]
		box, err := r.mailbox(ctx, p.placement, nil)
		if err != nil {
			return err
		}
		if err := r.rehearseOne(ctx, m, box, p, ok || r.Place == nil); err != nil {
			return err
		}
	}
	r.report.AtMost = r.report.AtMost || slices.ContainsFunc(r.boxes, func(b *mailbox) bool { return b.shelf.holds() })
	return nil
}

// rehearseOne says what would become of a message. certain says that it is known into which folder it would go.
func (r *run) rehearseOne(ctx context.Context, m todo, box *mailbox, p preview, certain bool) error {
	o := Outcome{Result: WouldCopy, UIDL: m.UIDL, Listed: m.Size, Flags: r.flagsOf(p.told, p.placement), Date: p.told.Date,
		DateWhy: p.told.DateWhy, Deleted: p.told.Deleted}
	if certain {
		o.Folder = box.Name
	}
	switch {
	case box.refusal != nil:
		code, words := wordsOf(box.refusal)
		return r.refuseUnsent(ctx, m, box.Folder, state.Record{Size: m.Size}, code, words)
	case box.shelf.seems(p.id, m.Size):
		o.Result = WouldKnow
		m.entry.fate = recognised
	case box.overLimit(m.Size) && !m.byDigest:
		return r.tooBig(ctx, m, box.Folder, state.Record{Size: m.Size})
	}
	r.done(o)
	return nil
}
