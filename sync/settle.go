package sync

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pop2imap/pop2imap/internal/sabotage"
	"github.com/pop2imap/pop2imap/state"
)

// settle finds out what became of the appends whose reply nobody read, because the line or the program died. It comes
// before anything else, so that no message is appended while it may still be arriving. See docs/design.md, "The lost
// reply".
func (r *run) settle(ctx context.Context) error {
	if r.DryRun {
		return nil
	}
	open, err := r.State.Intents(ctx)
	if err != nil || len(open) == 0 {
		return StateError(err)
	}
	if sabotage.NoSettle {
		return r.absent(ctx, open)
	}
	if err := r.letItSettle(ctx); err != nil {
		return err
	}
	if err := r.login(ctx); err != nil {
		return err
	}
	r.doing("finding out what became of messages that were under way")
	for folder, intents := range byFolder(open) {
		err := r.settleFolder(ctx, folder, intents)
		if err != nil && r.alone(folder, err) { // they stay in doubt
			r.leaveOut(folder, err)
		} else if err != nil {
			return Doing(err, "find out what became of an interrupted message")
		}
	}
	r.boxes = nil // what was looked at before may have changed
	return nil
}

// letItSettle waits until the server must be done with what it had when the line died.
func (r *run) letItSettle(ctx context.Context) error {
	last := r.died
	if last.IsZero() { // it was an earlier run's
		last = r.last.Ended
	}
	// Not since the intent: a large message is under way for minutes. A run that was killed did so at an unknown time.
	if last.IsZero() {
		last = r.report.Began
	}
	wait := min(r.Settle-time.Since(last), r.Settle) // a clock that was set back must not make it longer
	if wait <= 0 {
		return nil
	}
	what := "an earlier run was interrupted"
	if !r.died.IsZero() {
		what = "the line was lost"
	}
	return r.pause(ctx, wait, what+" while messages were being stored, and the server may not be done with them", "looking for them")
}

func byFolder(list []state.Record) map[string][]state.Record {
	folders := map[string][]state.Record{}
	for _, rec := range list {
		folders[rec.Folder] = append(folders[rec.Folder], rec)
	}
	return folders
}

// settleFolder gives each intent of one folder its verdict.
func (r *run) settleFolder(ctx context.Context, folder string, intents []state.Record) error {
	f, err := r.dest.Open(ctx, folder, false)
	if err != nil && ClassOf(err) == Missing {
		return r.absent(ctx, intents)
	}
	if err != nil {
		return err
	}
	missing, err := r.seek(ctx, f, intents, true)
	if err != nil || len(missing) == 0 {
		return err
	}
	moved, err := r.moved(ctx, f, missing)
	if err != nil {
		return err
	}
	if moved && sabotage.UIDNextProof {
		return StateError(r.State.Stored(ctx, []state.Place{{ID: missing[0].ID}}, time.Now()))
	}
	if moved { // something came: the server may be slow with the rest
		why := fmt.Sprintf("something came into the folder %q since, but not that message", folder)
		if err := r.pause(ctx, r.Settle, why, "looking once more"); err != nil {
			return err
		}
		if f, err = r.dest.Open(ctx, folder, false); err != nil {
			return err
		}
		if missing, err = r.seek(ctx, f, missing, true); err != nil {
			return err
		}
		if missing, err = r.seekElsewhere(ctx, missing); err != nil {
			return err
		}
	}
	return r.absent(ctx, missing)
}

// moved says whether anything that we do not know can have been stored since the first of the intents: in a folder whose
// UIDVALIDITY is the same and whose UIDNEXT has not moved, nothing was (RFC 9051 §2.3.1.1). The reverse proves nothing.
func (r *run) moved(ctx context.Context, f Folder, intents []state.Record) (bool, error) {
	lowest := since(f, intents[0])
	for _, rec := range intents {
		lowest = min(lowest, since(f, rec))
	}
	claimed, err := r.claimed(ctx, f, lowest)
	if err != nil {
		return false, err
	}
	for claimed[lowest] {
		lowest++
	}
	return f.UIDNext != lowest, nil
}

// absent records that messages were not stored. They are new again.
func (r *run) absent(ctx context.Context, intents []state.Record) error {
	ids := make([]int64, len(intents))
	for i, rec := range intents {
		ids[i] = rec.ID
		r.freed[rec.UIDL] = true
	}
	if len(ids) == 0 {
		return nil
	}
	return StateError(r.State.Absent(ctx, ids...))
}

// seek looks for the messages of intents, and for stored ones whose UID is not known, in a folder, and records where
// they are. Each takes, in the order in which they were sent, the lowest UID that no other record claims and that is its
// own: two equal messages never take the same. It gives back the intents that it did not find, and leaves alone, in
// doubt, those of which something with the same header and another body is there. careful reads the octets of
// all that may be one of them; otherwise Message-ID and size are enough where only one message has them.
func (r *run) seek(ctx context.Context, f Folder, intents []state.Record, careful bool) (missing []state.Record, err error) {
	wanted, err := r.wanted(ctx, f, intents)
	if err != nil || len(wanted) == 0 {
		return intents, err
	}
	from := since(f, wanted[0])
	ids := map[string]int{}
	for _, rec := range wanted {
		from = min(from, since(f, rec))
		ids[rec.MessageID]++
	}
	shelf, err := r.look(ctx, f, from, func(id string) bool { return ids[id] > 0 })
	if err != nil {
		return nil, err
	}
	var unclear [][]*found
	for _, rec := range wanted {
		list := shelf.candidates(claimantOf(rec, f))
		if careful || len(list) > 1 || ids[rec.MessageID] > 1 || len(list) == 1 && list[0].size != rec.Sent {
			unclear = append(unclear, list)
		}
	}
	if err := r.read(ctx, shelf, unclear); err != nil {
		return nil, err
	}
	for _, rec := range intents {
		if rec.UIDValidity == f.UIDValidity {
			continue
		}
		if err := r.spare(ctx, shelf, rec.Digest); err != nil {
			return nil, err
		}
	}
	return r.claim(ctx, shelf, wanted)
}

// claim gives each record its copy.
func (r *run) claim(ctx context.Context, shelf *shelf, wanted []state.Record) (missing []state.Record, err error) {
	var stored []state.Place
	for _, rec := range wanted {
		c := claimantOf(rec, shelf.folder)
		copy, _ := shelf.take(c, true)
		if list := shelf.candidates(c); copy == nil && len(list) == 1 && list[0].print == nil {
			copy, list[0].taken = list[0], true // it was clear enough
		}
		if copy == nil {
			unclear, err := r.unclear(ctx, shelf, rec)
			if err != nil {
				return nil, err
			}
			if rec.Phase == state.PhaseIntent && !unclear {
				missing = append(missing, rec)
			}
			continue
		}
		p := state.Place{ID: rec.ID, UIDValidity: shelf.folder.UIDValidity, UID: copy.uid}
		if rec.Phase != state.PhaseIntent {
			if err := r.State.Learn(ctx, p); err != nil {
				return nil, StateError(err)
			}
			continue
		}
		stored = append(stored, p)
		r.settledAt(rec, p)
	}
	if len(stored) == 0 {
		return missing, nil
	}
	r.achieved += len(stored)
	return missing, StateError(r.State.Stored(ctx, stored, time.Now()))
}

// wanted merges the intents with the stored messages of the folder whose UID is not known, in the order of sending.
func (r *run) wanted(ctx context.Context, f Folder, intents []state.Record) ([]state.Record, error) {
	unplaced, err := r.State.Unplaced(ctx)
	if err != nil {
		return nil, StateError(err)
	}
	list, names := slices.Clone(intents), r.namesOf(f)
	for _, rec := range unplaced {
		if slices.Contains(names, rec.Folder) {
			list = append(list, rec)
		}
	}
	slices.SortStableFunc(list, func(a, b state.Record) int { return a.Begun.Compare(b.Begun) })
	return list, nil
}

// seekElsewhere looks for the messages of intents in the folders into which a filter may have moved them.
func (r *run) seekElsewhere(ctx context.Context, intents []state.Record) (missing []state.Record, err error) {
	if len(intents) == 0 {
		return nil, nil
	}
	folders, err := r.elsewhere(ctx)
	if err != nil {
		return nil, err
	}
	missing = intents
	for _, folder := range folders {
		if len(missing) == 0 || folder == missing[0].Folder {
			continue
		}
		if missing, err = r.findIn(ctx, folder, missing); err != nil {
			return nil, err
		}
	}
	return missing, nil
}

// settledAt notes that a message whose reply was lost is at the destination. One that an earlier run sent is told of when it
// is listed, see met.
func (r *run) settledAt(rec state.Record, p state.Place) {
	r.settled[rec.ID] = true
	if rec.Run != r.id {
		return
	}
	r.dealt++
	r.report.Bytes += rec.Sent
	r.report.Folders[rec.Folder]++
	r.done(Outcome{Result: Copied, UIDL: rec.UIDL, Listed: rec.Listed, Size: rec.Size, Digest: rec.Digest, Folder: rec.Folder,
		UIDValidity: p.UIDValidity, UID: p.UID, Keep: rec.Keep})
}
