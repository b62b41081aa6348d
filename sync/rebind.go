package sync

import (
	"context"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/pop2imap/pop2imap/state"
)

// rebind finds out which messages merely have another UIDL than before: a server was moved, or makes new ones. It asks
// for the headers of the unknown messages, not for their bodies. Where one header with a Message-ID is that of one record
// whose UIDL is no longer listed, and LIST says the size that it said then, it is that message. What is not so clear is
// retrieved, and its content compared (byContent).
func (r *run) rebind(ctx context.Context) error {
	unknown, err := r.unknown(ctx)
	if err != nil || len(unknown) == 0 {
		return err
	}
	headers, err := telling(ctx, r.src, numbersOf(r.matches, unknown))
	if err != nil {
		return err
	}
	var bindings []state.Binding
	for _, i := range unknown {
		m := &r.matches[i]
		h, ok := headers[m.Number]
		if !ok {
			continue
		}
		rec, ok, err := r.orphan(ctx, h.fingerprint)
		if err != nil {
			return err
		}
		if ok && rec.Listed == m.Size {
			m.record, m.verdict = &rec, judge(rec, r.report.Began)
			r.settled[rec.ID], r.used[rec.ID] = true, true
			bindings = append(bindings, state.Binding{ID: rec.ID, UIDL: m.UIDL, Listed: m.Size})
		}
	}
	if len(bindings) == 0 {
		return nil
	}
	r.notice("the server calls its messages by new names: %s recognised, %s new", humanize.Comma(int64(len(bindings))),
		humanize.Comma(int64(len(unknown)-len(bindings))))
	if r.DryRun {
		return nil
	}
	return StateError(r.State.Rebind(ctx, bindings))
}

// unknown gives the messages that may have had another UIDL before, by their place in the matches: none if each record
// of a message that should be in the maildrop has found its own.
func (r *run) unknown(ctx context.Context) (list []int, err error) {
	r.orphans = false
	if r.State == nil {
		return nil, nil
	}
	clear(r.used)
	found := 0
	for i, m := range r.matches {
		switch {
		case m.record != nil:
			r.used[m.record.ID] = true
			found++
		case m.verdict == fresh && m.UIDL != "":
			list = append(list, i)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	c, err := r.State.Counts(ctx)
	if err != nil {
		return nil, StateError(err)
	}
	if r.orphans = c.Delivered-c.Deleted+c.Refused+c.Doubted > found; !r.orphans || !r.listing.HasTop {
		return nil, nil
	}
	return list, nil
}

// orphan gives the one record with that header whose message is not listed under its UIDL.
func (r *run) orphan(ctx context.Context, fingerprint [32]byte) (rec state.Record, ok bool, err error) {
	rs, err := r.State.ByHeader(ctx, fingerprint)
	if err != nil {
		return rec, false, StateError(err)
	}
	rs = slices.DeleteFunc(rs, func(rec state.Record) bool {
		return r.used[rec.ID] || rec.Phase == state.PhaseDeleted
	})
	if len(rs) != 1 {
		return rec, false, nil
	}
	return rs[0], true, nil
}

func numbersOf(matches []match, which []int) []int {
	ns := make([]int, len(which))
	for i, at := range which {
		ns[i] = matches[at].Number
	}
	return ns
}
