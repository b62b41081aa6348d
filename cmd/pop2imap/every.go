package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// passes says where a run is that makes several. The zero value is one that makes one only.
type passes struct {
	every time.Duration
	n     int       // the pass that goes on, or the last one; from 1
	began time.Time // it
	next  time.Time // when the next one begins; zero: this one goes on
}

// restsFor is the least time between the end of a pass and the next: servers want a pause between two logins (RFC 2449 §6.5).
const restsFor = time.Minute

// after says when the next pass begins, if this one ends now: so long after this one began, but not at once.
func (p *passes) after(now time.Time) time.Time {
	next, rested := p.began.Add(p.every), now.Add(min(p.every, restsFor))
	if next.Before(rested) {
		return rested
	}
	return next
}

func (p *passes) standing(now time.Time) string {
	switch {
	case p.every == 0:
		return ""
	case p.next.IsZero():
		return fmt.Sprintf(", pass %d since %s; the next one from %s on", p.n, p.began.Format(time.TimeOnly), p.after(now).Format(time.TimeOnly))
	}
	return fmt.Sprintf(", pass %d is over; the next one at %s", p.n, p.next.Format(time.TimeOnly))
}

// repeat makes one pass after the other, until it is told to stop. What goes wrong in a pass does not end it, unless it is the
// first, and that could not even begin: so it would be for ever.
func (r *round) repeat(ctx context.Context, cmd *cobra.Command, t *terminal, pass func() error) error {
	for {
		t.turn(func(p *passes) { p.n, p.began, p.next = p.n+1, time.Now(), time.Time{} })
		err := pass()
		if err != nil && t.passes.n == 1 {
			return err
		}
		if err != nil && !closed(r.sig.stop) {
			t.mu.Lock()
			r.complain(cmd, err)
			t.mu.Unlock()
		}
		t.turn(func(p *passes) { p.next = p.after(time.Now()) })
		if !r.rest(ctx, t) {
			r.exit = r.sig.exit()
			return nil
		}
	}
}

// rest waits for the next pass. false: it was told to stop.
func (r *round) rest(ctx context.Context, t *terminal) bool {
	wait := time.Until(t.passes.next)
	if !closed(r.sig.stop) {
		t.notice(t.all, fmt.Sprintf("the next pass begins at %s, in %s", t.passes.next.Format(time.TimeOnly), wait.Round(time.Second)))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-r.sig.stop:
		return false
	case <-ctx.Done():
		return false
	case <-timer.C:
		return !closed(r.sig.stop)
	}
}

// turn changes where the run is.
func (t *terminal) turn(how func(*passes)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	how(&t.passes)
}

// able says whether any account can begin: what keeps all of them (no password, a bad value in the config) does so for ever.
func able(list []*candidate) bool {
	for _, c := range list {
		if c.err == nil {
			return true
		}
	}
	return false
}
