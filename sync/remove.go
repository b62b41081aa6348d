package sync

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/internal/sabotage"
	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/state"
)

// longDelay is how long a server may want between two logins for a session to be made only to delete.
const longDelay = 30 * time.Second

// remove deletes at the source what is proved to be at the destination. It has a session of its own, in which nothing is
// retrieved, and counts as done only when the server has said +OK to QUIT. Otherwise the next listing tells.
func (r *run) remove(ctx context.Context) error {
	if !r.Delete.On || r.Retry {
		return nil
	}
	if err := r.hearOfDeletions(ctx); err != nil {
		return err
	}
	due, err := r.dueForDeletion(ctx)
	if err != nil || len(due) == 0 {
		return err
	}
	if r.DryRun {
		if err = r.brake(len(due)); err == nil {
			r.report.Deletable = len(due)
		}
		return err
	}
	if r.src == nil && r.listing.LoginDelay > longDelay {
		r.notice("%s to be deleted in the next run: the server wants %s between two logins", units.Plural(len(due), "message"),
			r.listing.LoginDelay)
		return nil
	}
	r.doing("deleting at the source")
	early, release := r.untilStop(ctx)
	defer release()
	err = r.leaveOutLost(early, due)
	var messages []match
	if err == nil {
		messages, err = r.deletable(early, due)
	}
	if err != nil && early.Err() != nil {
		return stopped(early)
	}
	if err != nil || len(messages) == 0 {
		return err
	}
	return Doing(r.deleteNow(ctx, messages), "delete at the source")
}

// dueForDeletion gives the verified records of messages that are listed and old enough, by ID.
func (r *run) dueForDeletion(ctx context.Context) (map[int64]state.Record, error) {
	due := map[int64]state.Record{}
	if r.State == nil {
		return due, nil
	}
	recs, err := r.State.Deletable(ctx, time.Now().Add(-r.Delete.Age))
	if err != nil {
		return nil, StateError(err)
	}
	for _, rec := range recs {
		if r.used[rec.ID] {
			due[rec.ID] = rec
		}
	}
	if len(due) > 0 && r.nameless() {
		return nil, nil
	}
	maps.DeleteFunc(due, func(_ int64, rec state.Record) bool { return rec.UIDL == "" })
	return due, nil
}

// nameless says whether the server does not tell its messages apart, so that none can be deleted.
func (r *run) nameless() bool {
	names := map[string]bool{}
	for _, m := range r.matches {
		if m.UIDL == "" {
			r.notice("nothing is deleted: the server has no UIDL")
			return true
		}
		if names[m.UIDL] {
			r.notice("nothing is deleted: the server calls several messages by the same UIDL")
			return true
		}
		names[m.UIDL] = true
	}
	return false
}

// leaveOutLost takes out what was verified before the destination lost it: a mailbox that was restored from a backup, or
// made anew, has another UIDVALIDITY, or a UIDNEXT that is too low. What is merely not there any more its owner has deleted.
func (r *run) leaveOutLost(ctx context.Context, due map[int64]state.Record) error {
	var old []state.Record // not read back in this very run
	for id, rec := range due {
		if !r.provedNow[id] && rec.UID != 0 {
			old = append(old, rec)
		}
	}
	if len(old) == 0 {
		return nil
	}
	if err := r.login(ctx); err != nil {
		return err
	}
	lost := 0
	for folder, recs := range byFolder(old) {
		f, err := r.dest.Open(ctx, folder, false)
		if err != nil && ClassOf(err) != Missing && !r.alone(folder, err) {
			return err
		}
		recs = slices.DeleteFunc(recs, func(rec state.Record) bool {
			return err == nil && rec.UIDValidity == f.UIDValidity && rec.UID < f.UIDNext
		})
		if len(recs) == 0 {
			continue
		}
		if recs, err = r.searchFor(ctx, folder, recs); err != nil {
			return err
		}
		for _, rec := range recs {
			delete(due, rec.ID)
			lost++
		}
	}
	if lost > 0 {
		r.notice("%s not deleted at the source: the destination has lost them since", units.Plural(lost, "message"))
	}
	return nil
}

// deletable finds the messages in a session, by UIDL and size, and by their headers where the server shows them: a UIDL
// that is used again must not delete what was never copied.
func (r *run) deletable(ctx context.Context, due map[int64]state.Record) (list []match, err error) {
	if r.src == nil {
		if err := r.enter(ctx); err != nil {
			return nil, err
		}
		if !sabotage.NumbersAcrossSessions {
			if err := r.survey(ctx); err != nil {
				return nil, err
			}
			r.weigh() // what came meanwhile is for the next run
		}
	}
	if r.nameless() {
		return nil, nil
	}
	for _, m := range r.matches {
		if m.record == nil {
			continue
		}
		rec, ok := due[m.record.ID]
		if ok && rec.UIDL == m.UIDL && rec.Listed == m.Size {
			m.record = &rec
			list = append(list, m)
		}
	}
	if err := r.brake(len(list)); err != nil {
		return nil, err
	}
	return r.sameHeaders(ctx, list)
}

// brake refuses to delete more than the user wants to see deleted in one run.
func (r *run) brake(n int) error {
	most := r.Delete.Most
	if p := r.Delete.Percent; p > 0 {
		most = len(r.listing.Messages) * p / 100
	}
	if r.Delete.Most == 0 && r.Delete.Percent == 0 || n <= most {
		return nil
	}
	return &Error{Class: Config, Err: fmt.Errorf("%s due for deletion, and --max-delete allows %d: none was deleted",
		units.Plural(n, "message"), most), Remedy: "if that is right, allow more with --max-delete"}
}

// sameHeaders leaves out the messages whose header is not that of what was copied.
func (r *run) sameHeaders(ctx context.Context, list []match) (same []match, err error) {
	if !r.listing.HasTop {
		return list, nil
	}
	byNumber := map[int]match{}
	numbers := make([]int, len(list))
	for i, d := range list {
		numbers[i] = d.Number
		byNumber[d.Number] = d
	}
	var others []state.Binding
	err = r.src.Headers(ctx, numbers, func(n int, header []byte) error {
		d := byNumber[n]
		if message.Fingerprint(header) == d.record.Header {
			same = append(same, d)
			return nil
		}
		others = append(others, state.Binding{ID: d.record.ID, Listed: d.record.Listed})
		return nil
	})
	if err != nil || len(others) == 0 {
		return same, err
	}
	r.notice("%s with the UIDL of another one that was copied: not deleted, and copied in the next run",
		units.Plural(len(others), "message"))
	return same, StateError(r.State.Rebind(ctx, others))
}

// deleteNow deletes. From the first record on, what an error leaves is for the next listing to say.
func (r *run) deleteNow(ctx context.Context, list []match) error {
	if len(list) == 0 {
		return nil
	}
	messages, ids := make([]Listed, len(list)), make([]int64, len(list))
	for i, d := range list {
		messages[i], ids[i] = d.Listed, d.record.ID
	}
	if err := r.State.Deleting(ctx, ids...); err != nil {
		return StateError(err)
	}
	src := r.src
	r.src, r.unheard = nil, true
	defer src.Abandon()
	if err := src.Delete(ctx, messages); err != nil {
		return err
	}
	if err := src.Close(ctx); err != nil {
		return err
	}
	r.unheard = false
	if err := r.State.Deleted(context.WithoutCancel(ctx), ids...); err != nil {
		return StateError(err)
	}
	for _, d := range list {
		r.deleted(*d.record)
	}
	return nil
}

func (r *run) deleted(rec state.Record) {
	r.report.Deleted++
	r.achieved++
	r.done(Outcome{Result: Removed, UIDL: rec.UIDL, Listed: rec.Listed, Size: rec.Size, Digest: rec.Digest, Folder: rec.Folder,
		UIDValidity: rec.UIDValidity, UID: rec.UID})
}

// hearOfDeletions learns from one more listing what became of the deletions of this run whose end nobody heard. What was not
// deleted is due again then.
func (r *run) hearOfDeletions(ctx context.Context) error {
	if !r.unheard {
		return nil
	}
	if r.listing.LoginDelay <= longDelay {
		early, release := r.untilStop(ctx)
		defer release()
		err := r.enter(early)
		if err == nil {
			err = r.survey(early)
		}
		if err != nil && early.Err() != nil {
			return stopped(early)
		}
		if err != nil {
			return Doing(err, "find out what was deleted at the source")
		}
		r.weigh() // what came meanwhile is for the next run
	}
	r.unheard = false
	open, err := r.State.InDeletion(ctx)
	if len(open) > 0 {
		r.notice("%s may have been deleted at the source: the line was lost before the server said so, and another run finds out",
			units.Plural(len(open), "message"))
	}
	return StateError(err)
}

// resolveDeletions learns from a listing what became of deletions whose end nobody heard. A listing that lacks everything
// tells nothing.
func (r *run) resolveDeletions(ctx context.Context) error {
	open, err := r.State.InDeletion(ctx)
	empty := r.suspicious() || r.unheard && len(r.listing.Messages) == 0
	if err != nil || len(open) == 0 || empty {
		return StateError(err)
	}
	there := map[string]bool{}
	for _, m := range r.listing.Messages {
		there[m.UIDL] = true
	}
	var kept, gone []int64
	for _, rec := range open {
		if there[rec.UIDL] {
			kept = append(kept, rec.ID)
			continue
		}
		gone = append(gone, rec.ID)
		r.deleted(rec)
	}
	return firstOf(StateError(r.State.Kept(ctx, kept...)), StateError(r.State.Deleted(ctx, gone...)))
}
