package sync

import (
	"context"
	"slices"
	"strconv"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/state"
)

// identify says by what each message of a listing is known, and what is remembered under that.
//
//	a  it has a UIDL: by that. If no record has it, its header may be that of a record whose UIDL is no longer listed:
//	   see rebind.go.
//	b  it has none, but its header has a Message-ID and is the only one of its kind, here and in the memory: by the
//	   header's fingerprint.
//	c  otherwise by its content. It must be retrieved before anyone can say whether it is new: see byContent.
func (r *run) identify(ctx context.Context, all []todo) (
	keys []string, records map[string][]state.Record, err error) {
	keys = make([]string, len(all))
	uidls := make([]string, 0, len(all))
	var without []todo
	for i, m := range all {
		keys[i] = "uidl " + m.UIDL
		if m.UIDL == "" {
			without = append(without, m)
		} else {
			uidls = append(uidls, m.UIDL)
		}
	}
	records = map[string][]state.Record{}
	if r.State != nil {
		byUIDL, err := r.State.ByUIDL(ctx, uidls)
		if err != nil {
			return nil, nil, StateError(err)
		}
		for uidl, rs := range byUIDL {
			records["uidl "+uidl] = rs // (a)
		}
	}
	if len(without) == 0 {
		return keys, records, nil
	}
	headers := map[int]heading{}
	if r.listing.HasTop {
		if headers, err = telling(ctx, r.src, numbers(without)); err != nil {
			return nil, nil, err
		}
	}
	return keys, records, r.identifyByHeader(ctx, all, keys, records, headers)
}

// A heading is what is kept of a header.
type heading struct {
	fingerprint [32]byte
	id          string
}

// telling gives, by message number, what is told by those headers that have a Message-ID and are alone of their kind among
// these messages.
func telling(ctx context.Context, src Source, numbers []int) (map[int]heading, error) {
	headers := map[int]heading{}
	times := map[[32]byte]int{}
	err := src.Headers(ctx, numbers, func(number int, header []byte) error {
		fingerprint := message.Fingerprint(header)
		times[fingerprint]++
		if id := message.ID(header); id != "" {
			headers[number] = heading{fingerprint, id}
		}
		return nil
	})
	for number, h := range headers {
		if times[h.fingerprint] > 1 {
			delete(headers, number)
		}
	}
	return headers, err
}

// identifyByHeader decides between (b) and (c).
func (r *run) identifyByHeader(ctx context.Context, all []todo, keys []string, records map[string][]state.Record,
	headers map[int]heading) error {
	for i := range all {
		m := &all[i]
		if m.UIDL != "" {
			continue
		}
		h, ok := headers[m.Number]
		keys[i] = "content " + strconv.FormatInt(m.Size, 10) // there is nothing else to tell it by
		if !ok {
			m.byDigest = true // (c)
			continue
		}
		m.header = h.fingerprint
		keys[i] = "header " + string(m.header[:]) // (b)
		if r.State == nil {
			continue
		}
		rs, err := r.State.ByHeader(ctx, m.header)
		if err != nil {
			return StateError(err)
		}
		rs = slices.DeleteFunc(rs, func(rec state.Record) bool {
			return len(records["uidl "+rec.UIDL]) > 0 // it stands for a message that is listed with its UIDL
		})
		records[keys[i]] = rs
		m.byDigest = len(rs) > 1 // (c)
	}
	return nil
}

// byContent finds the record of a message by its octets. Each record stands for one message of the maildrop. A message
// whose unsteady fields (Status, X-UID) changed is the same.
func (r *run) byContent(ctx context.Context, it *item) (rec state.Record, ok bool, err error) {
	rs, err := r.State.ByDigest(ctx, it.digest)
	if err == nil && it.messageID != "" {
		var more []state.Record
		more, err = r.State.ByHeader(ctx, it.fingerprint)
		more = slices.DeleteFunc(more, func(rec state.Record) bool { return rec.Body != it.body || rec.Digest == it.digest })
		rs = append(rs, more...)
	}
	if err != nil {
		return rec, false, StateError(err)
	}
	best := fresh
	for _, candidate := range rs {
		if r.used[candidate.ID] || candidate.Phase == state.PhaseDeleted && candidate.UIDL != it.UIDL {
			continue
		}
		if v := judge(candidate, it.now); v < best {
			rec, best = candidate, v
		}
	}
	return rec, best != fresh, nil
}
