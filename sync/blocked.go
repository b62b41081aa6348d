package sync

import (
	"context"
	"fmt"
	"slices"

	"github.com/pop2imap/pop2imap/state"
)

// A blockage is a message at which sessions end. Either nothing goes through just now, or there is something in it that a
// server cannot bear; and one message must not stop the others.
type blockage struct {
	at     *entry // nil: there is none
	times  int    // sessions in a row that ended there
	why    error  // how the last of them did
	behind bool   // it has been put behind the others
	before int    // what was achieved until then
	passed bool   // others went through while it did not
}

// chances is how many sessions may end at a message before the others go first: a line is lost for many reasons. The pauses
// between them must have room in firstPatience.
const chances = 3

// blocked notes at which message a session ended.
func (r *run) blocked(list []todo, err error) {
	first := slices.IndexFunc(list, func(m todo) bool { return !m.entry.ended() })
	if ClassOf(err) != Temporary || first < 0 {
		return
	}
	b, at := &r.block, list[first].entry
	b.passed = b.passed || b.behind && r.achieved > b.before
	if b.at != at && !b.passed { // where one that stood behind let none through, it is not to blame
		*b = blockage{at: at}
	}
	b.passed = b.passed || slices.ContainsFunc(list[first:], func(m todo) bool { return m.entry.fate == copied })
	b.times++
	b.why = err
}

// unblock puts the message at which it goes no further behind the others. If they get past it, it is refused, and so it is
// if it was before: it stays at the source, and is tried again after a pause.
func (r *run) unblock(ctx context.Context, list []todo) ([]todo, error) {
	b := &r.block
	at := slices.IndexFunc(list, func(m todo) bool { return m.entry == b.at })
	if at < 0 || b.times < chances {
		return list, nil
	}
	m := list[at]
	list = slices.Delete(list, at, at+1)
	if !b.passed && m.was == nil || m.UIDL == "" {
		b.behind, b.before = true, r.achieved
		return append(list, m), nil
	}
	code, words := wordsOf(fmt.Errorf("%d sessions in a row ended at it: %w", b.times, b.why))
	*b = blockage{}
	return list, r.refuseUnsent(ctx, m, r.home(), state.Record{Header: m.header, Size: m.Size}, code, words)
}
