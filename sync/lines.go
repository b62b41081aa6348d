package sync

import (
	"context"
	"time"

	"github.com/pop2imap/pop2imap/state"
)

// A door is a login at the destination under way.
type door struct {
	open   chan struct{} // closed when it is through
	cancel context.CancelFunc
	dest   Destination
	err    error
}

// knock logs in to the destination while the maildrop is still being listed, in a run that will hardly do without: the
// first of an account.
func (r *run) knock(ctx context.Context) error {
	if r.dest != nil || r.door != nil || r.DryRun {
		return nil
	}
	if c, err := r.State.Counts(ctx); err != nil || c != (state.Counts{}) {
		return StateError(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	d := &door{open: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(d.open)
		defer Caught(&d.err)
		d.dest, d.err = r.To(ctx)
	}()
	r.door = d
	return nil
}

// through waits for the login under way.
func (r *run) through() error {
	d := r.door
	<-d.open
	r.door, r.dest = nil, d.dest
	return d.err
}

// enter logs in to the maildrop. Numbers of an earlier session mean nothing in the new one.
func (r *run) enter(ctx context.Context) (err error) {
	r.hangUpSource()
	r.goodbyes.Wait() // a maildrop takes one session at a time
	r.src, err = r.From(ctx)
	r.reached = r.reached || err == nil
	return err
}

// quit ends the session with the maildrop. Where something was retrieved that is not stored there is no QUIT: it may expire
// what was retrieved (RFC 2449 §6.7). Where the server says that it does, there is none either: nobody asked for that, and
// nothing was read back yet.
func (r *run) quit(ctx context.Context) {
	if r.src == nil || r.unsaved > 0 || r.fetched > 0 && r.listing.Expires {
		r.hangUpSource()
		return
	}
	src := r.src
	r.src = nil
	r.goodbyes.Go(func() { // nothing was to be deleted, so nothing depends on it
		defer Caught(&r.late)
		src.Close(ctx)
		src.Abandon()
	})
}

// hangUp drops both connections: the next step makes new ones.
func (r *run) hangUp(ctx context.Context) {
	r.hangUpSource()
	r.turnAway()
	if r.dest != nil {
		short, cancel := context.WithTimeout(ctx, 5*time.Second) // it may be the one that is dead
		r.dest.Close(short)
		cancel()
	}
	r.dest, r.boxes, r.lost = nil, nil, false
}

func (r *run) hangUpSource() {
	if r.src != nil {
		r.src.Abandon()
	}
	r.src, r.fetched, r.unsaved, r.neighbour = nil, 0, 0, neighbour{}
}

// login connects to the destination when that is first needed.
func (r *run) login(ctx context.Context) (err error) {
	if r.door != nil {
		err = r.through()
		r.reached = r.reached || err == nil
		return err
	}
	if r.dest == nil {
		r.dest, err = r.To(ctx)
		r.reached = r.reached || err == nil
	}
	return err
}

// turnAway ends a login that nobody waits for any more.
func (r *run) turnAway() {
	if r.door == nil {
		return
	}
	r.door.cancel()
	if err := r.through(); err != nil {
		r.dest = nil
		if ClassOf(err) == Bug {
			r.late = err
		}
	}
}

// leave says goodbye. That this fails changes nothing that was done.
func (r *run) leave(ctx context.Context) {
	defer r.goodbyes.Wait()
	r.hangUpSource()
	r.turnAway()
	if r.dest == nil {
		return
	}
	r.dest.Close(ctx)
}
