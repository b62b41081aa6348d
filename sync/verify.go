package sync

import (
	"context"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/state"
)

// A Verification is what [Verify] came to. The counts are of records: messages that were delivered at any time.
type Verification struct {
	Proved  int // found at the destination
	Changed int // of those: not octet for octet
	Absent  int // not found. Whoever deleted or moved them there, they are not copied again
	Unsure  int // in doubt: the destination said that it stored them, and nobody has found them there since
	Err     error
}

// Verify looks at the destination for each message that is recorded as delivered, at the level o.Verify, which must not
// be Unproved. It speaks to the destination only, and changes nothing there. each is told of every message that is not
// found.
func Verify(ctx context.Context, o Options, each func(state.Record)) (v Verification) {
	r := newRun(o)
	err := r.whole(ctx, func(ctx context.Context) (err error) {
		defer Caught(&err)
		return r.persist(ctx, func(ctx context.Context) (err error) {
			v, err = r.verify(ctx, each)
			return err
		})
	})
	v.Err = orStopped(ctx, err)
	return v
}

func (r *run) verify(ctx context.Context, each func(state.Record)) (v Verification, err error) {
	early, release := r.untilStop(ctx)
	defer release()
	var recs []state.Record
	for rec, err := range r.State.Records(ctx) {
		if err != nil {
			return v, StateError(err)
		}
		switch {
		case r.provedNow[rec.ID]: // before the line died
			v.Proved++
		case rec.Phase.Delivered() || rec.Phase == state.PhaseMissing:
			recs = append(recs, rec)
		}
	}
	if len(recs) == 0 {
		v.Changed = r.changed
		return v, nil
	}
	if err := r.login(early); err != nil {
		return v, err
	}
	r.progress = &progress{of: len(recs), told: time.Now()}
	r.doing("looking for what was delivered")
	var absent []state.Record
	for folder, some := range byFolder(recs) {
		lost, err := r.lookFor(early, folder, some, r.Verify)
		if err != nil && early.Err() != nil {
			return v, stopped(early)
		}
		if err != nil && r.alone(folder, err) {
			r.leaveOut(folder, err)
			v.Unsure += len(some)
			continue
		}
		if err != nil {
			return v, Doing(err, "read back what was stored")
		}
		v.Proved += len(some) - len(lost)
		for _, rec := range lost {
			if rec.Phase == state.PhaseMissing || rec.Phase == state.PhaseStored {
				v.Unsure++
			} else {
				v.Absent++
			}
		}
		absent = append(absent, lost...)
	}
	for _, rec := range absent { // now that no line can die any more
		each(rec)
	}
	v.Changed = r.changed
	return v, nil
}

// A progress is how far a verification is.
type progress struct {
	found, of int       // messages
	told      time.Time // when that was told last
}

// progressEvery is how often it is told: reading a large mailbox takes as long as copying it did.
const progressEvery = 30 * time.Second

// tellProgress counts messages that a verification has found. A run has other ways to tell how far it is.
func (r *run) tellProgress(found int) {
	p := r.progress
	if p == nil {
		return
	}
	if p.found += found; time.Since(p.told) >= progressEvery {
		p.told = time.Now()
		r.notice("%s of %s found so far", humanize.Comma(int64(p.found)), units.Plural(p.of, "message"))
	}
}
