package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/doctor"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// A round is one run of a command over its accounts.
type round struct {
	*program
	wish  *wish
	sig   *signalled
	store *state.Store // for all accounts; nil: a dry run, and there is no state

	complained atomic.Bool // in this pass some account had temporary trouble that --quiet does not keep silent, or no longer
}

// A task works on one account, shows what came of it, and gives its exit code and its part of the summary in JSON. With an
// err it has only to show that.
type task func(ctx context.Context, r *round, c *candidate, s *screen, err error) (exit int, line any)

// accounts runs the accounts of a command side by side. One that fails, even by a panic, does not stop the others. An
// error means that none could begin.
func (p *program) accounts(cmd *cobra.Command, names []string, w *wish, kind string, work task) (err error) {
	list, err := p.choose(cmd, names, w)
	if err != nil {
		return err
	}
	if err := p.log.open(); err != nil {
		return err
	}
	if err := w.present(); err != nil {
		return err
	}
	t := &terminal{look: w.look, out: p.out, err: p.err, log: p.log, several: len(list) > 1, all: fmt.Sprintf("%d accounts", len(list)),
		dumb: p.dumb(), escapes: p.escapes(), passes: passes{every: w.Every}}
	if w.DryRun {
		t.passes.every = 0 // the config file may say it of real runs
	}
	if len(list) == 1 {
		t.all = list[0].account.name
	}
	if t.progress == "auto" && p.log.objects() {
		t.progress = "never" // no machine wants to see it
	}
	if err := checkMetrics(w.Metrics); err != nil {
		return err
	}
	if err := t.beginReport(w.Report); err != nil {
		return err
	}
	defer func() { t.report.close() }()
	ctx, sig := signals(cmd.Context(), t)
	defer sig.release()
	r := &round{program: p, wish: w, sig: sig}
	r.ask(ctx, list)
	r.warn(t)
	once := func() error { return r.once(ctx, list, t, kind, work) }
	if t.passes.every > 0 && able(list) {
		return r.repeat(ctx, cmd, t, once)
	}
	return once()
}

func (t *terminal) beginReport(path string) (err error) {
	t.report, err = openReport(path, func(err error) { t.say("%s  %v", t.all, err) })
	return err
}

// once makes one pass, with a state that is open for as long as that takes: between two passes it may be saved, brought back
// or removed, and the next one finds what is there then. An error means that the pass could not begin.
func (r *round) once(ctx context.Context, list []*candidate, t *terminal, kind string, work task) (err error) {
	if t.passes.n > 1 { // that of the first was begun before anybody was asked for a password
		err = t.beginReport(r.wish.Report)
		defer func() { t.report.close() }()
	}
	if err == nil {
		r.store, err = r.wish.open(ctx)
	}
	if err != nil {
		err = r.sig.wrap(err)
		if summary := r.begin(ctx, t)(list, unbegun(list, kind, err)); r.wish.json && r.wish.copies() {
			t.line(summary)
		}
		return err
	}
	if r.store != nil {
		defer r.store.Close()
	}
	summary := r.pass(ctx, list, t, kind, work)
	r.exit = summary.Exit
	if r.wish.json {
		t.line(summary)
	}
	return nil
}

// warn warns of a state that a restart takes away. With --quiet it does not: cron would send that with each run, and doctor says it.
func (r *round) warn(t *terminal) {
	kind := r.fileSystem
	if kind == nil {
		kind = doctor.FileSystem
	}
	if r.wish.copies() && !r.wish.DryRun && kind(r.wish.State) == "tmpfs" {
		t.notice(t.all, fmt.Sprintf("the state %s lies in memory (tmpfs) and is gone after a restart: keep it on a disk with --state FILE; "+
			"in a container, on a volume", r.wish.State))
	}
}

// pass works once on each account, and ends the report.
func (r *round) pass(ctx context.Context, list []*candidate, t *terminal, kind string, work task) summaryJSON {
	if err := r.log.follow(); err != nil {
		t.tell(failing(t.all, "", err))
	}
	end := r.begin(ctx, t)
	screens := t.open(list)
	exits, lines := make([]int, len(list)), make([]any, len(list))
	dispatch(list, r.wish.Jobs, r.sig.stop, func(i int) {
		exits[i], lines[i] = r.contained(ctx, list[i], screens[i], work)
	})
	if err := t.report.close(); err != nil {
		exits = append(exits, exitCode(err))
	}
	return end(list, summaryJSON{kind, gravest(exits...), lines})
}

// ask gets the passwords that have to be asked for, before anything runs.
func (r *round) ask(ctx context.Context, list []*candidate) {
	ask, ring := r.asker(r.sig.stop), &config.Ring{Keyring: r.keyring}
	for _, c := range list {
		if c.err != nil || closed(r.sig.stop) {
			continue
		}
		c.job.Prepare(r.getenv, ring, len(list) == 1)
		if !r.wish.onlyTo {
			c.err = c.job.From.Secret.Ask(ctx, ask)
		}
		if c.err == nil || r.wish.looks {
			c.err = c.job.To.Secret.Ask(ctx, ask)
		}
		if c.err == nil && c.job.Twin != nil && !r.wish.looks {
			c.err = c.job.TwinSecret().Ask(ctx, ask)
		}
		if r.wish.looks {
			c.err = nil
		}
	}
}

// present refuses to ask for passwords where nothing was synced before, and that is all that matters.
func (w *wish) present() error {
	if _, err := os.Stat(w.State); w.before && errors.Is(err, fs.ErrNotExist) {
		return unknownJob(fmt.Errorf("nothing has been synced yet: there is no state at %s", w.State))
	}
	return nil
}

// open opens the state, once for all accounts. A dry run writes none: it looks into the one that is there, if any.
func (w *wish) open(ctx context.Context) (*state.Store, error) {
	if w.looks {
		return nil, nil
	}
	if !w.DryRun {
		store, err := state.Open(ctx, w.State)
		return store, sync.StateError(err)
	}
	store, err := state.OpenReadOnly(ctx, w.State)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return store, sync.StateError(err)
}

// contained does the work on one account, and makes an error of a panic.
func (r *round) contained(ctx context.Context, c *candidate, s *screen, work task) (exit int, line any) {
	var bug error
	defer func() {
		if bug != nil {
			exit, line = work(ctx, r, c, s, bug)
		}
	}()
	defer sync.Caught(&bug)
	defer s.change(func(p *part) { p.came = cmp.Or(p.came, "done") })
	s.Doing("getting ready")
	err := c.err
	if err == nil && closed(r.sig.stop) {
		err = &sync.Error{Class: sync.Stopped, Err: errors.New("stopped before it began")}
	}
	return work(ctx, r, c, s, r.sig.wrap(err))
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Many servers allow few sessions from one address, and a maildrop is locked by the one that has it (RFC 1939 §4). Two
// maildrops that go into one IMAP account take turns, so that what arrives in a folder meanwhile is never another account's: own
// sent mail of both may go into the same one.
const atOneHost = 2

// dispatch does the work on each account, in order but for those that have to wait: at most so many at a time, two of them at
// one POP3 host, one at a maildrop and one at an IMAP account. After stop nothing waits: do then has nothing to do.
func dispatch(list []*candidate, most int, stop <-chan struct{}, do func(i int)) {
	waiting := make([]int, len(list))
	for i := range list {
		waiting[i] = i
	}
	busy, running, done := places{}, 0, make(chan int)
	for len(waiting) > 0 || running > 0 {
		next := -1
		if running < most || closed(stop) {
			next = slices.IndexFunc(waiting, func(i int) bool { return closed(stop) || busy.room(list[i].job) })
		}
		if next >= 0 {
			i := waiting[next]
			waiting = slices.Delete(waiting, next, next+1)
			busy.take(list[i].job, 1)
			running++
			go func() {
				do(i)
				done <- i
			}()
			continue
		}
		wake := stop
		if len(waiting) == 0 {
			wake = nil
		}
		select {
		case i := <-done:
			busy.take(list[i].job, -1)
			running--
		case <-wake:
		}
	}
}

// places counts the accounts that are at work, by what they share.
type places map[string]int

// limits say how many accounts may be at each of the places of a job.
func limits(job *config.Job) map[string]int {
	if job == nil { // it goes nowhere
		return nil
	}
	key := job.Key()
	from := job.From.Endpoint
	return map[string]int{"host " + net.JoinHostPort(from.Host, strconv.Itoa(from.Port)): atOneHost, "from " + key.From: 1, "to " + job.Mailbox(): 1}
}

func (p places) room(job *config.Job) bool {
	for place, most := range limits(job) {
		if p[place] >= most {
			return false
		}
	}
	return true
}

func (p places) take(job *config.Job, n int) {
	for place := range limits(job) {
		p[place] += n
	}
}
