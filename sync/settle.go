package sync

import (
	"context"
	"slices"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
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
	// Not since the intent: a large message is under way for minutes. A run that was killed did so at an unknown time.
	last := r.last.Ended
	if last.IsZero() {
		last = time.Now()
	}
	if wait := min(r.Settle-time.Since(last), r.Settle); wait > 0 { // a clock that was set back must not make it longer
		r.notice("an earlier run was interrupted while it stored a message: waiting %s until the server must be done with it",
			wait.Round(100*time.Millisecond))
		if err := r.pause(ctx, wait); err != nil {
			return err
		}
	}
	if err := r.login(ctx); err != nil {
		return err
	}
	for folder, intents := range byFolder(open) {
		if err := r.settleFolder(ctx, folder, intents); err != nil {
			return Doing(err, "find out what became of an interrupted message")
		}
	}
	return nil
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
	intents, err = r.seek(ctx, f, intents)
	if err != nil {
		return err
	}
	if moved(f, intents) { // something came: the server may be slow with the rest
		r.notice("something came into the folder %q since, but not that message: waiting %s more", folder, r.Settle)
		if err := r.pause(ctx, r.Settle); err != nil {
			return err
		}
		if intents, err = r.seek(ctx, f, intents); err != nil {
			return err
		}
	}
	return r.absent(ctx, intents)
}

// moved says whether anything can have been stored since one of the intents: in a folder whose UIDVALIDITY is the same
// and whose UIDNEXT has not moved, nothing was (RFC 9051 §2.3.1.1). The reverse proves nothing.
func moved(f Folder, intents []state.Record) bool {
	for _, rec := range intents {
		if since(f, rec) != f.UIDNext {
			return true
		}
	}
	return false
}

// since is the lowest UID that the message of a record can have.
func since(f Folder, rec state.Record) uint32 {
	if rec.UIDValidity != f.UIDValidity || f.UIDValidity == 0 {
		return 1 // the folder was made anew: UIDs of before mean nothing
	}
	return max(rec.UIDNext, 1)
}

// absent records that messages were not stored. They are new again.
func (r *run) absent(ctx context.Context, intents []state.Record) error {
	for _, rec := range intents {
		if err := r.State.Absent(ctx, rec.ID); err != nil {
			return StateError(err)
		}
	}
	return nil
}

// place learns the UIDs of what this run stored at a server that does not tell them (no UIDPLUS).
func (r *run) place(ctx context.Context) error {
	if r.dest == nil || r.DryRun {
		return nil
	}
	_, err := r.seek(ctx, r.folder, nil)
	return err
}

// seek looks for the messages of intents, and for stored ones whose UID is not known, in a folder, and records where
// they are. Each takes, in the order in which they were sent, the lowest UID that no other record claims and whose
// size and Message-ID are its own: two equal messages never take the same. It gives back the intents that it did not
// find, and leaves alone those whose Message-ID is there in another size: they stay in doubt.
func (r *run) seek(ctx context.Context, f Folder, intents []state.Record) (missing []state.Record, err error) {
	wanted, err := r.wanted(ctx, f, intents)
	if err != nil || len(wanted) == 0 {
		return intents, err
	}
	copies, err := r.copies(ctx, f, wanted)
	if err != nil {
		return nil, err
	}
	if err := r.spare(ctx, copies, f, intents); err != nil {
		return nil, err
	}
	for _, rec := range wanted {
		uid, doubt := claim(copies, f, rec)
		switch {
		case uid != 0 && rec.Phase == state.PhaseIntent:
			err = r.State.Stored(ctx, rec.ID, f.UIDValidity, uid, time.Now())
			r.settled[rec.ID] = true
		case uid != 0:
			err = r.State.Learn(ctx, rec.ID, uid)
		case rec.Phase == state.PhaseIntent && !doubt:
			missing = append(missing, rec)
		}
		if err != nil {
			return nil, StateError(err)
		}
	}
	return missing, nil
}

// wanted merges the intents with the stored messages of the folder whose UID is not known, in the order of sending.
func (r *run) wanted(ctx context.Context, f Folder, intents []state.Record) ([]state.Record, error) {
	unplaced, err := r.State.Unplaced(ctx)
	if err != nil {
		return nil, StateError(err)
	}
	list := slices.Clone(intents)
	for _, rec := range unplaced {
		if rec.Folder == f.Name && rec.UIDValidity == f.UIDValidity {
			list = append(list, rec)
		}
	}
	slices.SortStableFunc(list, func(a, b state.Record) int { return a.Begun.Compare(b.Begun) })
	return list, nil
}

// spare takes out the copies that belong to others. In a folder that was made anew no record claims any, so the copy
// of a stored message could be taken for that of an intent with the same content.
func (r *run) spare(ctx context.Context, copies map[string][]found, f Folder, intents []state.Record) error {
	done := map[[32]byte]bool{}
	for _, rec := range intents {
		if rec.UIDValidity == f.UIDValidity || done[rec.Digest] {
			continue
		}
		done[rec.Digest] = true
		same, err := r.State.ByDigest(ctx, rec.Digest)
		if err != nil {
			return StateError(err)
		}
		for _, other := range same {
			if other.Phase == state.PhaseStored && other.Folder == f.Name && other.UIDValidity != f.UIDValidity {
				claim(copies, f, other)
			}
		}
	}
	return nil
}

// A found is a message at the destination that no record claims.
type found struct {
	uid  uint32 // 0: one does now
	size int64
}

// copies goes through the folder once, from the lowest UID on that one of the records can have. It gives, by
// Message-ID, what may be one of them, in order of UID.
func (r *run) copies(ctx context.Context, f Folder, wanted []state.Record) (copies map[string][]found, err error) {
	copies = map[string][]found{}
	from := since(f, wanted[0])
	ids := map[string]bool{}
	for _, rec := range wanted {
		from = min(from, since(f, rec))
		ids[rec.MessageID] = true
	}
	claimed, err := r.State.Claimed(ctx, f.Name, f.UIDValidity, from)
	if err != nil {
		return nil, StateError(err)
	}
	for c, err := range r.dest.Find(ctx, f, from) {
		if err != nil {
			return nil, err
		}
		if id := message.ID(c.Header); ids[id] && !claimed[c.UID] {
			copies[id] = append(copies[id], found{c.UID, c.Size})
		}
	}
	return copies, nil
}

// claim takes the lowest of the copies that is the message of a record. doubt means that one with its Message-ID is
// there in another size: that may be it, changed by the server, or another message.
func claim(copies map[string][]found, f Folder, rec state.Record) (uid uint32, doubt bool) {
	same := copies[rec.MessageID]
	for i := range same {
		c := &same[i]
		if c.uid < since(f, rec) {
			continue
		}
		if c.size == rec.Size {
			uid, c.uid = c.uid, 0
			return uid, false
		}
		doubt = rec.MessageID != ""
	}
	return 0, doubt
}

// pause waits, but not longer than the user does.
func (r *run) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.Stop:
	case <-ctx.Done():
	}
	return stopped(ctx)
}
