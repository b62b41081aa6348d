package sync

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/state"
)

// infer says what a header tells, given what is known of the message beside it.
func (r *run) infer(header []byte, m todo, now time.Time) message.Inference {
	return message.Infer(header, message.Facts{Now: now, UIDL: m.UIDL, Trust: r.TrustHeaders, Junk: r.Junk,
		ServerStatus: r.marking, Accessed: m.entry.accessed, Identities: r.Identities})
}

// noteAccessed notes which messages somebody had retrieved (LAST). It tells that only before the first run of an account,
// and in the first listing of that: what we retrieve ourselves moves it.
func (r *run) noteAccessed(all []todo) {
	first := r.State == nil || !r.DryRun && r.last == (state.Run{})
	if !first || r.asked {
		return
	}
	r.asked = true
	for _, m := range all {
		m.entry.accessed = m.Number <= r.listing.Last
	}
}

// inquire learns what tells more of the messages that are to be copied than their headers do.
func (r *run) inquire(ctx context.Context, list []todo) error {
	if len(list) == 0 {
		return nil
	}
	opened := make(chan error, 1)
	go func() { opened <- r.openAhead(ctx, list) }()
	err := r.sample(ctx)
	if err = firstOf(<-opened, err); err != nil || r.DryRun {
		return err
	}
	return r.summon(ctx)
}

// openAhead opens the folder of the account, which a first run does not know, while the maildrop is asked.
func (r *run) openAhead(ctx context.Context, list []todo) (err error) {
	defer Caught(&err)
	if r.door != nil && slices.ContainsFunc(list, func(m todo) bool { return !m.byDigest }) {
		_, err = r.mailbox(ctx, Placement{}, nil)
	}
	return err
}

// How many headers tell whether the maildrop's server adds a Status of its own, and how few do not.
const (
	sampled = 20
	tooFew  = 5
)

// sample finds out whether the maildrop's server ends each header with a Status of its own (UW's ipop3d): it does if all
// of a sample end so. The first one tells most servers from it. All of a small maildrop can be from one sender, and so a
// server that is known to be another is not asked.
func (r *run) sample(ctx context.Context) error {
	r.marking = false
	all := r.listing.Messages
	if !r.listing.HasTop || !r.listing.Status || len(all) < tooFew {
		return nil
	}
	n := min(len(all), sampled)
	spread := make([]int, n)
	for i := range spread {
		spread[i] = all[i*len(all)/n].Number
	}
	seen, marked := 0, 0
	for _, some := range [][]int{spread[:1], spread[1:]} {
		err := r.src.Headers(ctx, some, func(_ int, header []byte) error {
			seen++
			if _, _, ok := message.TrailingStatus(header); ok {
				marked++
			}
			return nil
		})
		if err != nil || marked < seen || seen == 0 {
			return err
		}
	}
	r.marking = marked >= tooFew
	return nil
}

// summon opens the witnesses, once in a run: before the first message is retrieved, since many servers set \Seen on what
// is.
func (r *run) summon(ctx context.Context) error {
	openers := r.Witnesses
	r.Witnesses = nil
	for i, open := range openers {
		w, err := open(ctx)
		if err != nil && ctx.Err() != nil {
			r.Witnesses = openers[i:]
			return stopped(ctx)
		}
		if err != nil {
			r.notice("flags and dates are taken without it: %v", err)
			continue
		}
		r.witnesses = append(r.witnesses, w)
	}
	return nil
}

// testified is what is told of a message when the witnesses were asked too. whole: one of them knew all of its flags. An
// error means that ctx has ended.
func (r *run) testified(ctx context.Context, told message.Inference, s Subject, now time.Time) (
	_ message.Inference, whole bool, err error) {
	for _, w := range slices.Clone(r.witnesses) {
		t, found, err := w.Know(ctx, s)
		if err != nil && ctx.Err() != nil {
			return told, false, stopped(ctx)
		}
		if err != nil {
			r.notice("flags and dates are taken without it from now on: %v", err)
			r.witnesses = slices.DeleteFunc(r.witnesses, func(other Witness) bool { return other == w })
			continue
		}
		if found {
			return t.over(told, now), t.Whole, nil
		}
	}
	return told, false, nil
}

// A neighbour is the message that was retrieved last.
type neighbour struct {
	number int
	date   time.Time
}

// dateByNeighbour gives a message of which nobody knows when it came the date of the one before it in the maildrop, which has
// them in the order in which they came. Nothing else follows from that date: no flag, no mark. If the one before is known
// already nobody remembers its date; then this one has just come.
func (r *run) dateByNeighbour(it *item) {
	last := r.neighbour
	if it.date.IsZero() && !last.date.IsZero() && last.number == it.Number-1 {
		it.date, it.why, it.guessed = last.date, "the message before it", true
	}
	r.neighbour = neighbour{it.Number, it.date}
}

// over is what a message tells, with the testimony before it.
func (t Testimony) over(told message.Inference, now time.Time) message.Inference {
	if t.Whole {
		told.Flags, told.Junk = nil, "" // the header says nothing more
	}
	told.Flags = slices.Clone(told.Flags)
	for _, f := range t.Flags {
		switch {
		case strings.EqualFold(f.Name, "$Junk"):
			told.Junk = f.Why
		case strings.EqualFold(f.Name, "$NotJunk"): // a person's word outweighs a filter's
			told.Junk = ""
			told.Flags = slices.DeleteFunc(told.Flags, func(f message.Flag) bool {
				return strings.EqualFold(f.Name, "$Junk") || strings.EqualFold(f.Name, "$Phishing")
			})
		}
		if !has(told.Flags, f.Name) {
			told.Flags = append(told.Flags, f)
		}
	}
	if t.Deleted != "" || t.Whole {
		told.Deleted = t.Deleted
	}
	if !t.Date.IsZero() && message.Plausible(t.Date, now) {
		told.Date, told.DateWhy = t.Date, t.Why
	}
	return told
}
