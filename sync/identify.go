package sync

import (
	"context"
	"slices"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/state"
)

// identify says by what each message of a listing is known, and what is remembered under that.
//
//	a  it has a UIDL: by that.
//	b  it has none, but its header has a Message-ID and is the only one of its kind, here and in the memory: by the
//	   header's fingerprint.
//	c  otherwise by its content. It must be retrieved before anyone can say whether it is new: see byContent.
func (r *run) identify(ctx context.Context, src Source, hasTop bool, all []todo) (
	keys []string, records map[string][]state.Record, err error) {
	keys = make([]string, len(all))
	var uidls []string
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
	headers := map[int][32]byte{}
	if hasTop {
		if headers, err = telling(ctx, src, numbers(without)); err != nil {
			return nil, nil, err
		}
	}
	return keys, records, r.identifyByHeader(ctx, all, keys, records, headers)
}

// telling gives, by message number, the fingerprints of those headers that have a Message-ID and are alone of their
// kind in the maildrop.
func telling(ctx context.Context, src Source, numbers []int) (map[int][32]byte, error) {
	headers := map[int][32]byte{}
	times := map[[32]byte]int{}
	err := src.Headers(ctx, numbers, func(number int, header []byte) error {
		fingerprint := message.Fingerprint(header)
		times[fingerprint]++
		if message.ID(header) != "" {
			headers[number] = fingerprint
		}
		return nil
	})
	for number, fingerprint := range headers {
		if times[fingerprint] > 1 {
			delete(headers, number)
		}
	}
	return headers, err
}

// identifyByHeader decides between (b) and (c).
func (r *run) identifyByHeader(ctx context.Context, all []todo, keys []string, records map[string][]state.Record,
	headers map[int][32]byte) error {
	for i := range all {
		m := &all[i]
		if m.UIDL != "" {
			continue
		}
		var ok bool
		if m.header, ok = headers[m.Number]; !ok {
			m.byDigest = true // (c)
			continue
		}
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
		keys[i] = "header " + string(m.header[:]) // (b)
		records[keys[i]] = rs
		m.byDigest = len(rs) > 1 // (c)
	}
	return nil
}

// byContent compares a message that was retrieved to what is remembered. Each record stands for one message of the
// maildrop.
func (r *run) byContent(ctx context.Context, digest [32]byte, m todo) (plan, error) {
	rs, err := r.State.ByDigest(ctx, digest)
	if err != nil {
		return plan{}, StateError(err)
	}
	rs = slices.DeleteFunc(rs, func(rec state.Record) bool { return r.used[rec.ID] })
	m.byDigest = false
	p := compare([]todo{m}, []string{""}, map[string][]state.Record{"": rs}, r.settled, time.Now())
	r.tally(p)
	return p, nil
}
