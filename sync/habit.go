package sync

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/internal/units"
)

// A habit is what a run has learnt of what a folder makes of flags and dates. It outlives the connection.
type habit struct {
	asked     bool            // for the flags it keeps
	permanent []string        // those; nil: the server does not say
	taken     map[string]bool // keywords it has, or took from us
	refused   map[string]bool // keywords it does not take
	dropped   map[string]bool // flags that messages came without
	bare      int             // messages that came without some

	dated   []datedCopy // the first messages that were stored there with a date
	checked bool        // those were looked at
}

// A datedCopy is a message that was stored with a date.
type datedCopy struct {
	at   Placed
	date time.Time
}

// How much is learnt: servers keep a hundred keywords or so in a folder, and a few messages tell what becomes of dates.
const (
	keywordsMax = 1000
	datesMax    = 8
)

func (r *run) habit(folder string) *habit {
	h := r.habits[folder]
	if h == nil {
		h = &habit{taken: map[string]bool{}, refused: map[string]bool{}, dropped: map[string]bool{}}
		r.habits[folder] = h
	}
	return h
}

// note puts a flag into a set, in one spelling: the case of letters does not matter (RFC 9051 §2.3.2).
func note(set map[string]bool, flag string) {
	if len(set) < keywordsMax {
		set[strings.ToLower(flag)] = true
	}
}

func keyword(flag string) bool { return !strings.HasPrefix(flag, `\`) }

// keeps says whether the folder keeps a flag, as far as that is known (RFC 9051 §7.1, PERMANENTFLAGS).
func (h *habit) keeps(flag string) bool {
	listed := func(flag string) bool {
		return slices.ContainsFunc(h.permanent, func(f string) bool { return strings.EqualFold(f, flag) })
	}
	switch {
	case h.refused[strings.ToLower(flag)]:
		return false
	case len(h.permanent) == 0 || listed(flag):
		return true
	}
	return keyword(flag) && listed(`\*`)
}

// ask learns which flags the folder of a message keeps, once in a run, and only if the message has keywords: the five
// system flags every server has, and the answer costs \Recent. It needs the connection for itself, see mailbox.
func (r *run) ask(ctx context.Context, it *item, land func(context.Context) error) error {
	h := r.habits[it.box.Name]
	if h != nil && h.asked || !slices.ContainsFunc(it.flags, func(f message.Flag) bool { return keyword(f.Name) }) {
		return nil
	}
	if err := land(ctx); err != nil {
		return err
	}
	permanent, err := r.dest.Permanent(ctx, it.box.Folder)
	if err != nil {
		return err
	}
	h = r.habit(it.box.Name)
	h.asked, h.permanent = true, permanent
	for _, f := range permanent {
		if keyword(f) {
			note(h.taken, f)
		}
	}
	return nil
}

// trim takes from a message the flags that its folder does not keep, and the date that the server did not take.
func (r *run) trim(it *item) {
	if r.undated[it.entry] {
		it.date, it.why = time.Time{}, "the server refused the date"
	}
	h := r.habits[it.box.Name]
	if h == nil {
		return
	}
	it.flags = slices.DeleteFunc(slices.Clone(it.flags), func(f message.Flag) bool {
		if h.keeps(f.Name) {
			return false
		}
		it.lacks = append(it.lacks, f.Name)
		return true
	})
}

// untried gives the keywords of a message that its folder has not taken yet: if it refuses the message, they may be why.
func (r *run) untried(it *item) (list []string) {
	for _, f := range it.flags {
		if keyword(f.Name) && !r.habit(it.box.Name).taken[strings.ToLower(f.Name)] {
			list = append(list, f.Name)
		}
	}
	return list
}

// without leaves keywords out, of this message and of all others for the folder.
func (r *run) without(it *item, keywords []string) {
	for _, k := range keywords {
		note(r.habit(it.box.Name).refused, k)
	}
	r.trim(it)
}

// took learns from a message that was stored.
func (r *run) took(it *item, placed Placed) {
	h := r.habit(it.box.Name)
	for _, f := range it.flags {
		if keyword(f.Name) {
			note(h.taken, f.Name)
		}
	}
	for _, name := range it.lacks {
		if len(h.dropped) < keywordsMax {
			h.dropped[name] = true
		}
	}
	h.bare += min(len(it.lacks), 1)
	if !it.date.IsZero() && placed.UID != 0 && len(h.dated) < datesMax {
		h.dated = append(h.dated, datedCopy{placed, it.date})
	}
}

// lookAtDates finds out, once for each folder, whether the first messages have the date that they were stored with. A
// server that tells no UIDs (no UIDPLUS) is not asked, and none is by a user who wants nothing read back.
func (r *run) lookAtDates(ctx context.Context) error {
	if r.Verify == Unproved {
		return nil
	}
	for _, box := range r.boxes {
		h := r.habits[box.Name]
		if h == nil || h.checked || len(h.dated) == 0 {
			continue
		}
		var uids []uint32
		for _, d := range h.dated {
			if d.at.UIDValidity == box.UIDValidity {
				uids = append(uids, d.at.UID)
			}
		}
		dates, err := r.dest.Dates(ctx, box.Folder, uids)
		switch {
		case err == nil:
		case ClassOf(err) == Unavailable || ClassOf(err) == Missing: // it tells no dates: nothing depends on them
		default:
			return err
		}
		h.checked = true
		if h.ignores(dates) && !r.report.DatesIgnored {
			r.report.DatesIgnored = true
			r.notice("the destination sets its own dates: messages are there with the time at which they were stored (INTERNALDATE)")
		}
	}
	return nil
}

// ignores says whether none of the messages has its date. One that has another may have been too old for the server, or
// too new.
func (h *habit) ignores(dates map[uint32]time.Time) bool {
	others := 0
	for _, d := range h.dated {
		got, ok := dates[d.at.UID]
		if ok && got.Sub(d.date).Abs() <= time.Second {
			return false
		}
		if ok {
			others++
		}
	}
	return others > 0
}

// redate offers a message once more without the date that the server did not like: it was not stored. In another session
// it goes without from the beginning.
func (d *delivery) redate(ctx context.Context, it *item) error {
	if len(d.r.undated) == 0 {
		d.r.notice("the destination refuses a date: what it refuses is stored without one, and has the time of storing (INTERNALDATE)")
	}
	d.r.undated[it.entry] = true
	again := []*item{it}
	return d.settleBatch(ctx, again, <-d.send(again))
}

// tellDropped says which flags folders have not kept, one notice for each.
func (r *run) tellDropped() {
	const most = 20
	for _, folder := range slices.Sorted(maps.Keys(r.habits)) {
		h := r.habits[folder]
		names := slices.Sorted(maps.Keys(h.dropped))
		if len(names) == 0 {
			continue
		}
		more := ""
		if len(names) > most {
			more = " and " + units.Plural(len(names)-most, "other")
			names = names[:most]
		}
		r.notice("the folder %q does not keep the flags %s%s: %s went there without", folder, strings.Join(names, ", "), more,
			units.Plural(h.bare, "message"))
	}
}
