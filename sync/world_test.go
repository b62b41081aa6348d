package sync_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
	"github.com/pop2imap/pop2imap/sync"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What is package trial's, by a short name.
type (
	watcher = trial.Watcher
	trap    = trial.Trap
)

var counts, mail, anonymous, as, sized = trial.Counts, trial.Mail, trial.Anonymous, trial.As, trial.Sized

// A world is one of package trial, and what these tests want of it.
type world struct{ *trial.World }

// create starts both servers with mail in the maildrop.
func create(t *testing.T, p lab.POP3Options, i lab.IMAPOptions, mail ...lab.Mail) *world {
	t.Helper()
	return &world{trial.Start(t, t.TempDir(), p, i, mail...)}
}

// run is one run of the program, and what was on its way to the servers at its end.
func (w *world) run(change ...func(*sync.Options)) sync.Report {
	w.Helper()
	return w.runIn(w.Context(), change...)
}

func (w *world) runIn(ctx context.Context, change ...func(*sync.Options)) sync.Report {
	w.Helper()
	r := w.RunIn(ctx, change...)
	w.POP.Quiet()
	w.IMAP.Quiet()
	return r
}

// wants checks a report: its counts, and that it ended well.
func (w *world) wants(r sync.Report, want string) {
	w.Helper()
	if got := counts(r); got != want {
		w.Errorf("got  %s\nwant %s", got, want)
	}
	if r.Err != nil {
		w.Errorf("the run ended early: %v", r.Err)
	}
}

// fails checks a report: its counts, and the class of what ended it.
func (w *world) fails(r sync.Report, class sync.Class, want string) {
	w.Helper()
	if got := counts(r); got != want {
		w.Errorf("got  %s\nwant %s", got, want)
	}
	if r.Err == nil || sync.ClassOf(r.Err) != class {
		w.Errorf("got error %v, want one of class %d", r.Err, class)
	}
}

// silent checks that the last run said nothing of the kind to either server.
func (w *world) silent(verbs ...string) {
	w.Helper()
	for _, v := range verbs {
		if got := append(w.Asked(v), w.Told(v)...); len(got) != 0 {
			w.Errorf("the run said %q", got)
		}
	}
}
