package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// minutes is how times are told to who reads a mail from cron.
const minutes = "2006-01-02 15:04"

// conclude ends an account on the screen, but for temporary trouble with --quiet: that is told once when it has lasted
// --complain-after, and once more when it is over. How long it has lasted only the state knows. What cannot be remembered
// is said at once, and so is all on a terminal: there somebody looks. A dry run and one that was stopped change nothing of it.
func (r *round) conclude(ctx context.Context, c *candidate, s *screen, report sync.Report, exit int) {
	ctx = context.WithoutCancel(ctx) // another account may have been told to stop meanwhile
	var err error
	switch {
	case r.wish.DryRun, c.job == nil, exit > 128: // stopped by a signal
		s.summary(report, r.wish.DryRun)
	case exit == exits[sync.Temporary]:
		err = r.troubled(ctx, c, s, report)
	default:
		s.summary(report, false)
		err = r.relieved(ctx, c, s, report.Err == nil)
	}
	if err != nil {
		s.failed(sync.StateError(err), "temporary trouble is told in each run until it can be remembered")
	}
}

// troubled remembers temporary trouble, and says what is due. It is told before that is remembered: who dies in between
// tells it once more.
func (r *round) troubled(ctx context.Context, c *candidate, s *screen, report sync.Report) error {
	now := r.now()
	a, err := r.store.Find(ctx, c.job.Key())
	if errors.Is(err, state.ErrNoAccount) { // it did not come so far
		a, err = r.store.Account(ctx, c.job.Name(), c.job.Key())
	}
	var t state.Trouble
	if err == nil {
		t, err = a.TroubleMet(ctx, now, report.Copied+report.Recognised+report.Deleted > 0)
	}
	said := err != nil || !s.quiet || isTerminal(s.err)
	lasts := !t.Told.IsZero() || now.Sub(t.Began) >= time.Duration(c.job.ComplainAfter)
	if said || lasts {
		r.complained.Store(true)
	}
	if said {
		s.summary(report, false)
		return err
	}
	s.unsaid(report)
	if !t.Told.IsZero() || !lasts {
		return nil
	}
	s.say("%s  %s", s.name, complaint(t, now, report))
	return a.TroubleTold(ctx, now)
}

// relieved forgets the trouble there was. Who was told of it is told that it is over if the run got through; else it met
// something worse, and that was told.
func (r *round) relieved(ctx context.Context, c *candidate, s *screen, through bool) error {
	a, err := r.store.Find(ctx, c.job.Key())
	if errors.Is(err, state.ErrNoAccount) {
		return nil
	}
	if err != nil {
		return err
	}
	t, ok, err := a.Trouble(ctx)
	if err != nil || !ok {
		return err
	}
	if through && !t.Told.IsZero() {
		s.say("%s  a run got through: the trouble since %s is over (%s)", s.name, t.Began.Local().Format(minutes), extent(t, r.now()))
	}
	return a.TroubleOver(ctx)
}

// complaint is all that there is to know of trouble that has lasted, in one line: it may be the only one in a mail.
func complaint(t state.Trouble, now time.Time, r sync.Report) string {
	words := []string{fmt.Sprintf("no run got through since %s (%s): %s", t.Began.Local().Format(minutes), extent(t, now), sync.Clean(r.Err.Error()))}
	if r.Left > 0 {
		words = append(words, units.Plural(r.Left, "message")+" waiting")
	}
	if e, ok := errors.AsType[*sync.Error](r.Err); ok {
		words = append(words, "what to do: "+e.Advice())
	}
	return strings.Join(append(words, "nothing more is said until it is over"), "; ")
}

// extent says how long, as far as that is of interest, and how often.
func extent(t state.Trouble, now time.Time) string {
	var words []string
	left := now.Sub(t.Began)
	if left >= 24*time.Hour {
		left = left.Truncate(time.Hour)
	}
	for _, unit := range []struct {
		long time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}} {
		if n := left / unit.long; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, unit.name))
		}
		left %= unit.long
	}
	return strings.TrimPrefix(strings.Join(words, " ")+", "+units.Plural(t.Runs, "run"), ", ")
}

// lasting is what status says of trouble.
func lasting(t state.Trouble) string {
	told := "not told yet"
	if !t.Told.IsZero() {
		told = "told " + t.Told.Local().Format(time.DateTime)
	}
	return fmt.Sprintf("no run got through since %s (%s), %s", t.Began.Local().Format(time.DateTime), units.Plural(t.Runs, "run"), told)
}

type troubleJSON struct {
	Since string  `json:"since"`
	Runs  int     `json:"runs"`
	Told  *string `json:"told"` // null: not yet
}

func troubleLine(t state.Trouble) *troubleJSON {
	j := &troubleJSON{Since: t.Began.Format(time.RFC3339), Runs: t.Runs}
	if !t.Told.IsZero() {
		j.Told = orNull(t.Told.Format(time.RFC3339))
	}
	return j
}
