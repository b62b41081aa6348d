package sync

import (
	"context"
	"math/rand/v2"
	"time"
)

// firstPatience is for a run that has got nowhere yet: a mistyped host should not keep a person waiting.
const firstPatience = 10 * time.Second

// DefaultPatience outlives the lock that some servers leave on a maildrop for ten minutes after a line died.
const DefaultPatience = 11 * time.Minute

const longestPause = time.Minute

// persist takes a step again and again, on new connections, while it fails for reasons that pass, and there is patience
// left since something was last achieved. Pauses grow, unless the server says how long it wants.
func (r *run) persist(ctx context.Context, step func(context.Context) error) error {
	pause := time.Second
	waited := time.Duration(0)
	achieved := r.achieved
	for {
		err := step(ctx)
		if err == nil || ClassOf(err) != Temporary || lasting(err) && !r.reached && !r.killed {
			return err
		}
		r.hangUp(ctx)
		if r.achieved != achieved {
			achieved, pause, waited = r.achieved, time.Second, 0
		}
		wait := max(pause+rand.N(pause/4), askedPause(err))
		if waited += wait; waited > r.patience() {
			return err
		}
		if err := r.pause(ctx, wait, err.Error(), "trying again"); err != nil {
			return err
		}
		pause = min(2*pause, longestPause)
	}
}

func (r *run) patience() time.Duration {
	if r.achieved > 0 || r.killed {
		return max(r.Patience, 0)
	}
	return min(r.Patience, firstPatience)
}

// longPause is one after which a person may wonder whether it goes on.
const longPause = 10 * time.Second

// pause says why it waits and what comes then, and waits; but not longer than the user does.
func (r *run) pause(ctx context.Context, d time.Duration, why, then string) error {
	until := time.Now().Add(d)
	in := d.Round(100 * time.Millisecond).String()
	if d >= time.Minute {
		in = d.Round(time.Second).String() + ", at " + until.Format("15:04:05")
	}
	r.notice("%s; %s in %s", why, then, in)
	r.tell(func(w Watcher) { w.Paused(until, why) })
	defer r.tell(func(w Watcher) { w.Paused(time.Time{}, "") })
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		if d >= longPause {
			r.notice("going on after %s: %s", d.Round(time.Second), then)
		}
		return nil
	case <-r.Stop:
	case <-ctx.Done():
	}
	return stopped(ctx)
}
