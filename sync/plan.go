package sync

import (
	"context"
	"slices"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/state"
)

// A todo is a message that is listed, on its way through the plan.
type todo struct {
	Listed
	entry    *entry
	was      *state.Record // of an earlier refusal; nil: there was none
	header   [32]byte      // fingerprint, if the header was asked for
	byDigest bool          // only its content can tell whether it is new: see identify.go
}

// earlier is the record of an earlier refusal; the zero value: there was none.
func (m *todo) earlier() state.Record {
	if m.was == nil {
		return state.Record{}
	}
	return *m.was
}

// A match says what the memory knows of a listed message.
type match struct {
	todo
	record  *state.Record // nil: none
	verdict verdict
}

// A verdict is what a record says about a message that is listed; the better news first.
type verdict int

const (
	delivered verdict = iota
	inDoubt           // nobody knows whether it was stored
	waiting           // refused, and not to be tried again yet
	due               // refused, and to be tried again
	unsure            // only its content can tell
	fresh             // there is no record
)

func judge(r state.Record, now time.Time) verdict {
	switch {
	case r.Phase.Delivered():
		return delivered
	case r.Phase == state.PhaseIntent, r.Phase == state.PhaseMissing:
		return inDoubt
	case now.Before(r.NextTry):
		return waiting
	}
	return due
}

// compare says what a listing means to what is remembered. keys says by what each message is known. Maildrop and memory
// are multisets: where a key is listed more often than there are records of it, the surplus is new, so that a message
// that is there twice is copied twice. A record whose message was listed in another size may be that of another message
// (FAULTS: a UIDL that is used again), and so may that of one that was deleted: the content decides. records is consumed.
func compare(listing []todo, keys []string, records map[string][]state.Record, now time.Time) []match {
	for _, rs := range records {
		slices.SortStableFunc(rs, func(a, b state.Record) int { return int(judge(a, now) - judge(b, now)) })
	}
	matches := make([]match, len(listing))
	for i, m := range listing {
		matches[i] = match{todo: m, verdict: fresh}
		rs := records[keys[i]]
		if m.byDigest {
			matches[i].verdict = unsure
			continue
		}
		if len(rs) == 0 {
			continue
		}
		at := slices.IndexFunc(rs, func(r state.Record) bool { return r.Listed == m.Size && r.Phase != state.PhaseDeleted })
		if at < 0 {
			matches[i].verdict, matches[i].byDigest = unsure, true
			continue
		}
		rec := rs[at]
		matches[i].record, matches[i].verdict = &rec, judge(rec, now)
		records[keys[i]] = slices.Delete(rs, at, at+1)
	}
	return matches
}

// plan lists the maildrop and decides what is to be copied.
func (r *run) plan(ctx context.Context) ([]todo, error) {
	if err := r.survey(ctx); err != nil {
		return nil, err
	}
	list, err := r.narrow(ctx, r.weigh())
	if err == nil {
		r.tell(func(w Watcher) { w.Planned(len(list), octets(list)) })
	}
	return list, err
}

// survey lists the maildrop and finds out what is known of each message.
func (r *run) survey(ctx context.Context) (err error) {
	if r.listing, err = r.src.List(ctx); err != nil {
		return err
	}
	if r.suspicious() {
		r.notice("the maildrop is empty, and listed %s before: nothing is forgotten", units.Plural(r.last.Listed, "message"))
	}
	all := make([]todo, len(r.listing.Messages))
	for i, m := range r.listing.Messages {
		all[i].Listed = m
	}
	keys, records, err := r.identify(ctx, all)
	if err != nil {
		return err
	}
	for i, e := range r.book.enter(keys, all) {
		all[i].entry = e
	}
	r.noteAccessed(all)
	r.matches = compare(all, keys, records, time.Now())
	if err := r.rebind(ctx); err != nil || r.DryRun {
		return err
	}
	return r.resolveDeletions(ctx)
}

// weigh enters in the book what the matches say, and gives what is to be copied.
func (r *run) weigh() (list []todo) {
	clear(r.used)
	for i := range r.matches {
		m := &r.matches[i]
		if m.record != nil {
			r.used[m.record.ID] = true
			r.entryOf[m.record.ID] = m.entry
		}
		if m.verdict == waiting && r.Retry || m.verdict == inDoubt && r.Retry && m.record.Phase == state.PhaseMissing {
			m.verdict = due
		}
		r.settleFate(m)
		switch {
		case m.entry.ended():
		case m.verdict == due:
			m.was = m.record
			list = append(list, m.todo)
		case (m.verdict == fresh || m.verdict == unsure) && (!r.Retry || r.freed[m.UIDL]):
			r.report.AtMost = r.report.AtMost || r.DryRun && m.verdict == unsure
			list = append(list, m.todo)
		}
	}
	return list
}

// settleFate enters what a record says. What this run has done itself stands in the book already, but for what a lost
// reply left open.
func (r *run) settleFate(m *match) {
	e := m.entry
	if e.ended() {
		return
	}
	switch m.verdict {
	case delivered:
		e.fate = known
		if m.record.Run == r.id && r.id != 0 {
			e.fate = copied
		}
		if r.settled[m.record.ID] && m.record.Run != r.id {
			r.met(m)
		}
	case inDoubt:
		e.fate = doubted
	case waiting:
		e.fate = quarantined
	case unsure: // what stands in the book stands until its content is known
		if r.freed[m.UIDL] {
			e.fate = left
		}
	default:
		e.fate = left
	}
}

// met tells of a message that is at the destination already: its UIDL is another than before, or the reply to an earlier run
// was lost.
func (r *run) met(m *match) {
	m.entry.fate = recognised
	rec, result := m.record, Recognised
	if r.DryRun {
		result = WouldKnow
	}
	r.done(Outcome{Result: result, UIDL: m.UIDL, Listed: m.Size, Size: rec.Size, Digest: rec.Digest, Folder: rec.Folder,
		UIDValidity: rec.UIDValidity, UID: rec.UID, Keep: rec.Keep})
}

func octets(list []todo) (n int64) {
	for _, m := range list {
		n += m.Size
	}
	return n
}

// narrow leaves what the user does not want now. It is counted as left.
func (r *run) narrow(ctx context.Context, list []todo) ([]todo, error) {
	n := r.Narrow
	if n.Size > 0 {
		list = slices.DeleteFunc(list, func(m todo) bool { return m.Size > n.Size })
	}
	if r.listing.HasTop && n.reads() && len(list) > 0 {
		in, by := map[int]bool{}, byNumber(list)
		err := r.src.Headers(ctx, numbers(list), func(number int, header []byte) error {
			m := by[number]
			wanted, why := n.wants(header, m.Size, r.infer(header, m, time.Now()))
			if in[number] = wanted; !wanted {
				r.skip(m, why)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(m todo) bool { return !in[m.Number] })
	}
	// Which ones are the first is not known before they are retrieved if only that tells whether they are wanted, or
	// are new. Then copyAll counts.
	unsure := n.reads() && !r.listing.HasTop || slices.ContainsFunc(list, func(m todo) bool { return m.byDigest })
	if most := n.Messages - r.dealt; n.Messages > 0 && len(list) > most && !unsure {
		list = list[:max(most, 0)]
	}
	return list, nil
}

// reads says whether it needs the headers.
func (n Narrow) reads() bool { return !n.Since.IsZero() || !n.Until.IsZero() || n.Skip != nil }

// wants says whether a message is for this run, by its header, its size in octets, and what the header tells; and if not,
// why, where the user is to be told.
func (n Narrow) wants(header []byte, size int64, told message.Inference) (wanted bool, why string) {
	if !n.covers(told.Date) {
		return false, ""
	}
	if n.Skip != nil {
		why = n.Skip(header, size, told)
	}
	return why == "", why
}

// skip tells once in a run that a message is left, and why.
func (r *run) skip(m todo, why string) {
	if why != "" && !m.entry.skipped {
		m.entry.skipped = true
		r.done(Outcome{Result: Skipped, UIDL: m.UIDL, Listed: m.Size, Why: why})
	}
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

func byNumber(list []todo) map[int]todo {
	by := make(map[int]todo, len(list))
	for _, m := range list {
		by[m.Number] = m
	}
	return by
}

func listed(list []todo) []Listed {
	ls := make([]Listed, len(list))
	for i, m := range list {
		ls[i] = m.Listed
	}
	return ls
}
