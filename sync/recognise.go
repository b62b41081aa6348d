package sync

import (
	"context"
	"slices"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/internal/sabotage"
)

// browse looks through the folder for messages that were there before us, once in a run: a first run into a folder with
// mail, or a state that was lost, must not store a message that is there. What an earlier run that left nothing waiting
// had compared is not looked at again.
func (r *run) browse(ctx context.Context) error {
	if err := r.destination(ctx); err != nil {
		return err
	}
	if r.shelf != nil || r.NoDedup || r.folder.Created {
		return nil
	}
	from := uint32(1)
	if r.State != nil {
		validity, next, err := r.State.LookedThrough(ctx)
		if err != nil {
			return StateError(err)
		}
		if validity == r.folder.UIDValidity && validity != 0 {
			from = max(next, 1)
		}
	}
	if err := r.place(ctx); err != nil { // the copy of a record that does not know its UID is no message from before us
		return err
	}
	shelf, err := r.look(ctx, r.folder, from, func(string) bool { return true })
	if err != nil {
		return Doing(err, "look for messages that are there already")
	}
	r.shelf = shelf
	return nil
}

// remember notes how far the folder was compared with the maildrop, if nothing is left in that to compare it with. An empty
// listing where there were messages is no such thing: servers have bad days.
func (r *run) remember(ctx context.Context) error {
	if r.shelf == nil || r.DryRun || r.suspicious() {
		return nil
	}
	for _, entries := range r.book {
		if slices.ContainsFunc(entries, func(e *entry) bool { return e.fate == left || e.fate == doubted || e.fate == vanished }) {
			return nil
		}
	}
	f := r.shelf.folder
	next := max(f.UIDNext, 1)
	claimed, err := r.State.Claimed(ctx, f.Name, f.UIDValidity, next)
	if err != nil {
		return StateError(err)
	}
	for claimed[next] {
		next++
	}
	return StateError(r.State.LookThrough(ctx, f.UIDValidity, next))
}

// suspicious says whether the last listing lacks everything that should be in the maildrop.
func (r *run) suspicious() bool {
	return !sabotage.EmptyListingBelieved && len(r.listing.Messages) == 0 && r.last.Listed > r.last.Deleted
}

// recognise takes out of a batch what the destination has already. Octets are compared: what has the same Message-ID
// and another body is another message.
func (r *run) recognise(ctx context.Context, batch []*item) (rest []*item, err error) {
	if r.shelf == nil {
		return batch, nil
	}
	var lists [][]*found
	for _, it := range batch {
		if list := r.shelf.candidates(it.claimant()); len(list) > 0 {
			lists = append(lists, list)
		}
	}
	if len(lists) == 0 {
		return batch, nil
	}
	if err := r.read(ctx, r.shelf, lists); err != nil {
		return batch, Doing(err, "compare messages that are there already")
	}
	for i, it := range batch {
		if err := r.spare(ctx, r.shelf, it.digest); err != nil {
			return append(rest, batch[i:]...), err
		}
		f, exact := r.shelf.take(it.claimant(), false)
		if f == nil {
			rest = append(rest, it)
			continue
		}
		if err := r.recognised(ctx, it, f.uid, exact); err != nil {
			return append(rest, batch[i:]...), err
		}
	}
	return rest, nil
}

// recognised records that the destination had a message before.
func (r *run) recognised(ctx context.Context, it *item, uid uint32, exact bool) error {
	rec := it.intent(r)
	rec.UID, rec.Proof, rec.Ended = uid, ByDigest.String(), time.Now()
	if !exact {
		rec.Keep = keepChanged
	}
	id, err := r.State.Recognised(ctx, rec)
	if err != nil {
		return StateError(err)
	}
	r.used[id], r.entryOf[id] = true, it.entry
	o := it.outcome(r)
	o.Result, o.UIDValidity, o.UID, o.Keep = Recognised, r.folder.UIDValidity, uid, rec.Keep
	r.conclude(it.entry, recognised, o)
	return nil
}

const keepChanged = "the destination changed it"

// foresee says in a dry run what would be recognised, by Message-ID and size: nothing may be retrieved.
func (r *run) foresee(ctx context.Context, list []todo) (there map[int]bool, err error) {
	there = map[int]bool{}
	if err := r.browse(ctx); err != nil || r.shelf == nil || len(r.shelf.copies) == 0 || !r.listing.HasTop {
		return there, err
	}
	sizes := map[int]int64{}
	for _, m := range list {
		sizes[m.Number] = m.Size
	}
	err = r.src.Headers(ctx, numbers(list), func(n int, header []byte) error {
		id := message.ID(header)
		for _, f := range r.shelf.copies[id] {
			if id != "" && !f.taken && f.size == sizes[n] {
				f.taken, there[n] = true, true
				break
			}
		}
		return nil
	})
	return there, err
}
