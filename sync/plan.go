package sync

import (
	"context"
	"slices"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/state"
)

// A todo is a message that is to be copied.
type todo struct {
	Listed
	was      state.Record // of an earlier refusal; zero: there was none
	header   [32]byte     // fingerprint, if the header was asked for
	byDigest bool         // only its content can tell whether it is new: see identify.go
}

// A plan says what a listing means to what is remembered.
type plan struct {
	known, quarantined, recognised, inDoubt int
	todo                                    []todo  // in the maildrop's order
	used                                    []int64 // the records that stand for a message
}

// compare makes the plan. keys says by what each message is known. Maildrop and memory are multisets: where a key is
// listed more often than there are records of it, the surplus is new, so that a message that is there twice is copied
// twice. records is consumed.
func compare(listing []todo, keys []string, records map[string][]state.Record, settled map[int64]bool, now time.Time) (p plan) {
	for _, rs := range records {
		slices.SortStableFunc(rs, func(a, b state.Record) int { return rank(a, now) - rank(b, now) })
	}
	for i, m := range listing {
		rs := records[keys[i]]
		if m.byDigest || len(rs) == 0 {
			p.todo = append(p.todo, m)
			continue
		}
		records[keys[i]] = rs[1:]
		p.used = append(p.used, rs[0].ID)
		p.add(m, rs[0], settled, now)
	}
	return p
}

// add counts a message that has a record.
func (p *plan) add(m todo, r state.Record, settled map[int64]bool, now time.Time) {
	switch rank(r, now) {
	case delivered:
		if settled[r.ID] {
			p.recognised++
		} else {
			p.known++
		}
	case doubted:
		p.inDoubt++
	case waiting:
		p.quarantined++
	case due:
		m.was = r
		p.todo = append(p.todo, m)
	}
}

// What a record says about a message that is listed; the better news first.
const (
	delivered = iota
	doubted   // nobody knows whether it was stored
	waiting   // refused, and not to be tried again yet
	due       // refused, and to be tried again
)

func rank(r state.Record, now time.Time) int {
	switch {
	case r.Phase == state.PhaseStored:
		return delivered
	case r.Phase == state.PhaseIntent:
		return doubted
	case now.Before(r.NextTry):
		return waiting
	}
	return due
}

// plan lists the maildrop and decides what is to be copied.
func (r *run) plan(ctx context.Context, src Source) ([]todo, error) {
	listing, err := src.List(ctx)
	if err != nil {
		return nil, err
	}
	r.report.Listed = len(listing.Messages)
	all := make([]todo, 0, len(listing.Messages))
	for _, m := range listing.Messages {
		all = append(all, todo{Listed: m})
	}
	keys, records, err := r.identify(ctx, src, listing.HasTop, all)
	if err != nil {
		return nil, err
	}
	p := compare(all, keys, records, r.settled, time.Now())
	r.tally(p)
	list, err := r.narrow(ctx, src, listing.HasTop, p.todo)
	if err == nil && r.Watch != nil {
		r.Watch.Planned(len(list), octets(list))
	}
	return list, err
}

// tally counts what a plan found in the memory.
func (r *run) tally(p plan) {
	r.report.Known += p.known
	r.report.Quarantined += p.quarantined
	r.report.Recognised += p.recognised
	r.report.InDoubt += p.inDoubt
	for _, id := range p.used {
		r.used[id] = true
	}
}

func octets(list []todo) (n int64) {
	for _, m := range list {
		n += m.Size
	}
	return n
}

// narrow leaves what the user does not want now. It is counted as left.
func (r *run) narrow(ctx context.Context, src Source, hasTop bool, list []todo) ([]todo, error) {
	n := r.Narrow
	if n.Size > 0 {
		list = slices.DeleteFunc(list, func(m todo) bool { return m.Size > n.Size })
	}
	dated := !n.Since.IsZero() || !n.Until.IsZero()
	if hasTop && dated && len(list) > 0 {
		in := map[int]bool{}
		err := src.Headers(ctx, numbers(list), func(number int, header []byte) error {
			date, _ := message.Arrival(header, time.Now())
			in[number] = n.covers(date)
			return nil
		})
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(m todo) bool { return !in[m.Number] })
	}
	// Which ones are the first is not known before they are retrieved if only that tells their dates, or whether they
	// are new. Then copyAll counts.
	unsure := dated && !hasTop || slices.ContainsFunc(list, func(m todo) bool { return m.byDigest })
	if n.Messages > 0 && len(list) > n.Messages && !unsure {
		list = list[:n.Messages]
	}
	return list, nil
}

// covers says whether a message of that date is wanted. One without a date is, unless it must be of a certain age.
func (n Narrow) covers(date time.Time) bool {
	return (n.Since.IsZero() || !date.Before(n.Since)) && (n.Until.IsZero() || !date.IsZero() && date.Before(n.Until))
}

func numbers(list []todo) []int {
	ns := make([]int, len(list))
	for i, m := range list {
		ns[i] = m.Number
	}
	return ns
}
