package sync

import (
	"context"
	"errors"
	"slices"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/state"
)

// An own message may say of another that it was answered, forwarded, confirmed. Which of the two the maildrop has first is
// chance. So marks are durable together with the intent of the own message, and serve from then on:
//
//	(a) what is appended later, or in the same batch, gets the flags with its APPEND (premark);
//	(b) what was appended before gets them by one STORE, when all is transferred (mark).
//
// Then they are forgotten: a message of an earlier run has had time to be marked and unmarked by its reader, and is left
// alone. A run that was killed, or broke off, and the one that takes up its work are one run in this.
//
// A sender who knows what was answered can give another message the same Message-ID. So (a) asks that the message arrived
// before the own one was written, and (b) that it was listed before it.

// marks is a set of the flags that own messages give, a bit for each.
type marks uint8

// markings are those flags.
var markings = [...]message.Flag{
	{Name: `\Answered`, Why: "answered by a later message of yours"},
	{Name: `\Seen`, Why: "answered by a later message of yours"},
	{Name: "$Forwarded", Why: "forwarded by a later message of yours"},
	{Name: "$MDNSent", Why: "confirmed by a later message of yours"},
}

// system are those of them that every server can set. Not all take keywords: they are set apart, so as not to be refused
// together.
const system marks = 0b0011

// marksIn gives those of them that are among names.
func marksIn(names []string) (set marks) {
	for i, f := range markings {
		for _, name := range names {
			if name == f.Name {
				set |= 1 << i
			}
		}
	}
	return set
}

// allMarks are all of them: a message of which a witness knew all flags gets no others.
const allMarks marks = 1<<len(markings) - 1

func (set marks) flags() (list []message.Flag) {
	for i, f := range markings {
		if set&(1<<i) != 0 {
			list = append(list, f)
		}
	}
	return list
}

// marksOf gives what an own message says of others, if flags are wanted that are inferred.
func (r *run) marksOf(it *item, told []message.Mark) (list []state.Mark) {
	if r.Flags != Infer {
		return nil
	}
	for _, m := range told {
		for _, flag := range m.Flags {
			if m.ID != it.messageID {
				list = append(list, state.Mark{MessageID: m.ID, Flag: flag, Written: it.date})
			}
		}
	}
	return list
}

// premark gives the messages of a batch the flags that own messages gave them before they are appended. See (a).
func (r *run) premark(ctx context.Context, batch []*item) error {
	if len(r.Identities) == 0 || r.Flags != Infer {
		return nil
	}
	ids := make([]string, 0, len(batch))
	for _, it := range batch {
		ids = append(ids, it.messageID)
	}
	found, err := r.State.Marks(ctx, ids)
	if err != nil {
		return StateError(err)
	}
	for _, it := range batch {
		if it.whole {
			it.entry.has = allMarks
			continue
		}
		var given []string
		for _, m := range found[it.messageID] {
			if !it.date.IsZero() && !it.guessed && !it.date.After(m.Written) {
				given = append(given, m.Flag)
			}
		}
		for _, f := range marksIn(given).flags() {
			if !has(it.flags, f.Name) {
				it.flags = append(it.flags, f)
			}
		}
		it.entry.has = marksIn(names(it.flags))
	}
	return nil
}

// mark gives the messages that this run has stored the flags that own messages gave them later. See (b).
func (r *run) mark(ctx context.Context) error {
	if r.DryRun {
		return nil
	}
	open, err := r.State.Marked(ctx)
	if err != nil {
		return StateError(err)
	}
	early, release := r.untilStop(ctx)
	defer release()
	for folder, recs := range byFolder(open) {
		r.doing("marking what was answered")
		err := r.markIn(early, folder, recs)
		switch {
		case err != nil && early.Err() != nil:
			return stopped(early)
		case err != nil && costs(err) && !r.hopeless(err):
			return Doing(err, "mark what was answered")
		case err != nil:
			r.notice("what was answered is not marked in the folder %q: %v", folder, err)
			if costs(err) {
				r.hangUp(ctx)
			}
		}
	}
	return StateError(r.State.Unmark(ctx))
}

// costs says whether an error has cost the connection, or may pass: only then there is more to do.
func costs(err error) bool {
	switch ClassOf(err) {
	case Refused, Unavailable, Missing, Full, Config:
		return false
	}
	return true
}

// markTries is how many lines STORE may cost. What is copied has to be read back, whatever a server makes of flags.
const markTries = 3

// errMark is what a server, or its line, answered to STORE.
type errMark struct{ error }

func (e errMark) Unwrap() error { return e.error }

// hopeless says whether it is STORE that costs the lines, time and again. Broken protocol is not tried again at all.
func (r *run) hopeless(err error) bool {
	if _, ok := errors.AsType[errMark](err); !ok || ClassOf(err) != Temporary && ClassOf(err) != Protocol {
		return false
	}
	r.unmarked++
	return r.unmarked >= markTries || ClassOf(err) == Protocol
}

// markIn marks messages of one folder. Those that have other UIDs now are left alone.
func (r *run) markIn(ctx context.Context, folder string, recs []state.Record) error {
	if err := r.login(ctx); err != nil {
		return err
	}
	f, err := Folder{}, error(nil)
	if box := r.opened(folder); box != nil && box.refusal == nil {
		f = box.Folder
	} else if f, err = r.dest.Open(ctx, folder, false); err != nil {
		return err
	}
	if recs, err = r.found(ctx, f, recs); err != nil {
		return err
	}
	groups, err := r.lacking(ctx, f, recs)
	if err != nil || len(groups) == 0 {
		return err
	}
	var sets []marks
	var list []Marking
	for set, group := range groups {
		sets, list = append(sets, set), append(list, Marking{names(set.flags()), uidsOf(group)})
	}
	for i, e := range r.dest.Mark(ctx, f, list) {
		if e == nil {
			err = firstOf(r.marked(ctx, groups[sets[i]], sets[i]), err)
		} else if err == nil || costs(e) { // which says more than a refusal
			err = errMark{e}
		}
	}
	return err
}

// found learns the UIDs that are not known: a run that was killed may have had no time for that (no UIDPLUS).
func (r *run) found(ctx context.Context, f Folder, recs []state.Record) ([]state.Record, error) {
	if !slices.ContainsFunc(recs, func(rec state.Record) bool { return rec.UID == 0 }) {
		return recs, nil
	}
	if err := r.place(ctx, f); err != nil {
		return nil, err
	}
	all, err := r.State.Marked(ctx)
	return byFolder(all)[f.Name], StateError(err)
}

// lacking tells for each set of flags which messages are to get it: those whose place is known.
func (r *run) lacking(ctx context.Context, f Folder, recs []state.Record) (map[marks][]state.Record, error) {
	groups := map[marks][]state.Record{}
	for some := range slices.Chunk(recs, 500) {
		ids := make([]string, len(some))
		for i, rec := range some {
			ids[i] = rec.MessageID
		}
		found, err := r.State.Marks(ctx, ids)
		if err != nil {
			return nil, StateError(err)
		}
		for _, rec := range some {
			set := marks(0)
			for _, m := range found[rec.MessageID] {
				if rec.ID <= m.Last {
					set |= marksIn([]string{m.Flag})
				}
			}
			if e := r.entryOf[rec.ID]; e != nil {
				set &^= e.has
			}
			for _, part := range []marks{set & system, set &^ system} {
				if part != 0 && rec.UID != 0 && rec.UIDValidity == f.UIDValidity {
					groups[part] = append(groups[part], rec)
				}
			}
		}
	}
	return groups, nil
}

// marked records and reports messages that have got flags.
func (r *run) marked(ctx context.Context, recs []state.Record, set marks) error {
	ids := make([]int64, len(recs))
	for i, rec := range recs {
		ids[i] = rec.ID
	}
	if err := r.State.Flagged(context.WithoutCancel(ctx), names(set.flags()), ids); err != nil {
		return StateError(err)
	}
	r.achieved += len(recs)
	for _, rec := range recs {
		if e := r.entryOf[rec.ID]; e != nil {
			e.has |= set
		}
		for _, f := range set.flags() {
			r.report.Flags[f.Name]++
		}
		r.done(Outcome{Result: Marked, UIDL: rec.UIDL, Listed: rec.Listed, Size: rec.Size, Digest: rec.Digest, Folder: rec.Folder,
			UIDValidity: rec.UIDValidity, UID: rec.UID, Flags: set.flags()})
	}
	return nil
}
