package sync

import (
	"context"
	"slices"
	"time"

	"github.com/pop2imap/pop2imap/internal/sabotage"
	"github.com/pop2imap/pop2imap/state"
)

// browse looks through a folder for messages that were there before us, once in a run: a first run into a folder with
// mail, or a state that was lost, must not store a message that is there. What an earlier run that left nothing waiting
// had compared is not looked at again.
func (r *run) browse(ctx context.Context, box *mailbox) error {
	if r.NoDedup || box.Created {
		return nil
	}
	from, err := r.lookedThrough(ctx, box.Folder)
	if err != nil {
		return err
	}
	// The copy of a record that does not know its UID is no message from before us.
	if err := r.place(ctx, box.Folder); err != nil {
		return err
	}
	if box.UIDNext == 1 { // nothing was ever there
		box.shelf = newShelf(box.Folder, from)
		return nil
	}
	box.shelf, err = r.look(ctx, box.Folder, from, func(string) bool { return true })
	return Doing(err, "look for messages that are there already")
}

// lookedThrough gives the UID from which on a folder was not yet compared with the maildrop.
func (r *run) lookedThrough(ctx context.Context, f Folder) (uint32, error) {
	if r.State == nil {
		return 1, nil
	}
	validity, next, err := r.State.LookedThrough(ctx, f.Name)
	if err != nil {
		return 0, StateError(err)
	}
	if validity != f.UIDValidity || validity == 0 {
		return 1, nil
	}
	return max(next, 1), nil
}

// remember notes how far the folders were compared with the maildrop, if nothing is left in that to compare them with. An
// empty listing where there were messages is no such thing: servers have bad days.
func (r *run) remember(ctx context.Context) error {
	if r.DryRun || r.suspicious() {
		return nil
	}
	for _, entries := range r.book {
		if slices.ContainsFunc(entries, func(e *entry) bool { return e.fate == left || e.fate == doubted || e.fate == vanished }) {
			return nil
		}
	}
	for _, box := range r.boxes {
		if box.shelf == nil {
			continue
		}
		if err := r.rememberBox(ctx, box.shelf.folder); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) rememberBox(ctx context.Context, f Folder) error {
	next := max(f.UIDNext, 1)
	claimed, err := r.claimed(ctx, f, next)
	if err != nil {
		return err
	}
	for claimed[next] {
		next++
	}
	return StateError(r.State.LookThrough(ctx, f.Name, f.UIDValidity, next))
}

// suspicious says whether the last listing lacks everything that should be in the maildrop.
func (r *run) suspicious() bool {
	return !sabotage.EmptyListingBelieved && len(r.listing.Messages) == 0 && r.last.Listed > r.last.Deleted
}

// recognise takes out of a batch what the destination has already. Octets are compared: what has the same Message-ID
// and another body is another message.
func (r *run) recognise(ctx context.Context, shelf *shelf, batch []*item) (rest []*item, err error) {
	var lists [][]*found
	for _, it := range batch {
		if list := shelf.candidates(it.claimant()); len(list) > 0 {
			lists = append(lists, list)
		}
	}
	if len(lists) == 0 {
		return batch, nil
	}
	if err := r.read(ctx, shelf, lists); err != nil {
		return batch, Doing(err, "compare messages that are there already")
	}
	for i, it := range batch {
		if err := r.spare(ctx, shelf, it.digest); err != nil {
			return append(rest, batch[i:]...), err
		}
		f, exact := shelf.take(it.claimant(), false)
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
	rec.Given = state.Given{Date: it.date} // it has flags of its own there
	if !exact {
		rec.Keep = keepChanged
	}
	id, err := r.State.Recognised(ctx, rec, it.marks...)
	if err != nil {
		return StateError(err)
	}
	r.used[id], r.entryOf[id] = true, it.entry
	o := it.outcome()
	o.Result, o.UIDValidity, o.UID, o.Keep = Recognised, it.box.UIDValidity, uid, rec.Keep
	r.conclude(it.entry, recognised, o)
	return nil
}

const keepChanged = "the destination changed it"
