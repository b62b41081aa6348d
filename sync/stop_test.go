package sync_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

func TestStopFinishesTheMessageUnderWay(t *testing.T) {
	drop := []lab.Mail{mail("a"), mail("b"), mail("c")}
	for n := 1; n <= 3; n++ {
		for _, command := range []string{"RETR", "APPEND"} {
			t.Run(fmt.Sprintf("during %s %d", command, n), func(t *testing.T) {
				stop := make(chan struct{})
				hook := trap{Then: func() { close(stop) }}
				w := create(t, lab.POP3Options{Hook: hook.Answer("", false)}, lab.IMAPOptions{Hook: hook.Fate(lab.Execute)}, drop...)
				hook.Set(command, n)
				r := w.run(func(o *sync.Options) { o.Stop = stop })
				if r.InDoubt != 0 || r.Copied+r.Left != 3 || r.Left > 0 && sync.ClassOf(r.Err) != sync.Stopped {
					t.Errorf("got %s (%v)", counts(r), r.Err)
				}
				w.Holds(drop[:r.Copied]...)
				if command == "APPEND" && r.Copied < n {
					t.Errorf("%d were copied, and %d were under way", r.Copied, n)
				}
				w.wants(w.run(), counts(sync.Report{Listed: 3, Known: r.Copied, New: r.Left, Copied: r.Left}))
				w.Holds(drop...)
			})
		}
	}
}

// A stopper wants a run to stop as soon as it has read so many octets.
type stopper struct {
	watcher
	after int
	stop  chan struct{}
	once  stdsync.Once
}

func (w *stopper) Moved(n int) {
	w.watcher.Moved(n)
	if w.Octets >= w.after {
		w.once.Do(func() { close(w.stop) })
	}
}

// TestStopIsNotHeldUpByTheRate: at 1,000 octets a second the second message would take minutes.
func TestStopIsNotHeldUpByTheRate(t *testing.T) {
	drop := []lab.Mail{mail("a"), mail("b"), mail("c")}
	drop[1].Raw = append(drop[1].Raw, strings.Repeat("more of it\r\n", 30_000)...)
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, drop...)
	watch := &stopper{after: 10_000, stop: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w.fails(w.runIn(ctx, func(o *sync.Options) { o.Stop, o.Rate, o.Watch = watch.stop, 1000, watch }), sync.Stopped, "3 listed, 3 new, 2 copied, 1 left")
	if ctx.Err() != nil {
		t.Error("the rate held it up")
	}
	w.Holds(drop[:2]...)
}

func TestStopBeforeTheFirstMessage(t *testing.T) {
	for _, command := range []string{"PASS", "UIDL", "LIST"} {
		stop := make(chan struct{})
		hook := trap{Then: func() { close(stop) }}
		w := create(t, lab.POP3Options{Hook: hook.Answer("", false)}, lab.IMAPOptions{}, mail("a"))
		hook.Set(command, 1)
		r := w.run(func(o *sync.Options) { o.Stop = stop })
		if r.Copied != 0 || sync.ClassOf(r.Err) != sync.Stopped {
			t.Errorf("during %s: got %s (%v)", command, counts(r), r.Err)
		}
		w.silent("RETR", "QUIT")
		w.wants(w.run(), "1 listed, 1 new, 1 copied")
	}
}

// lister lists, and then waits until it is told to stop: what comes next meets a context that is over.
type lister struct {
	sync.Source
	stop func()
}

func (l lister) List(ctx context.Context) (sync.Listing, error) {
	listing, err := l.Source.List(ctx)
	l.stop()
	<-ctx.Done()
	return listing, err
}

func TestStopIsNoErrorOfTheState(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"))
	stop := make(chan struct{})
	r := w.run(func(o *sync.Options) {
		from := o.From
		o.Stop = stop
		o.From = func(ctx context.Context) (sync.Source, error) {
			src, err := from(ctx)
			return lister{src, func() { close(stop) }}, err
		}
	})
	w.fails(r, sync.Stopped, "")
	w.wants(w.run(), "1 listed, 1 new, 1 copied")
}

func TestCancelledRunLosesNothing(t *testing.T) {
	drop := []lab.Mail{mail("a"), mail("b"), mail("c")}
	for _, command := range []string{"USER", "UIDL", "RETR 1", "RETR 2", "LOGIN", "EXAMINE", "APPEND"} {
		t.Run("during "+command, func(t *testing.T) {
			why := errors.New("second signal")
			ctx, cancel := context.WithCancelCause(t.Context())
			hook := trap{Then: func() { cancel(why) }}
			w := create(t, lab.POP3Options{Hook: hook.Answer("", false)}, lab.IMAPOptions{Hook: hook.Fate(lab.Execute)}, drop...)
			hook.Set(command, 1)
			r := w.runIn(ctx)
			if sync.ClassOf(r.Err) != sync.Stopped || !errors.Is(r.Err, why) {
				t.Errorf("got %v, want class Stopped with the reason", r.Err)
			}
			w.silent("QUIT")
			if r = w.run(); r.Err != nil || r.Known+r.Recognised+r.Copied != 3 {
				t.Errorf("second run: got %s (%v)", counts(r), r.Err)
			}
			w.Holds(drop...)
		})
	}
}

func TestStopEndsTheWaitForAnInterruptedMessage(t *testing.T) {
	w, _ := lossy(t, 1, lab.CutReply, nil, mail("a"))
	w.fails(w.run(), sync.Temporary, "1 listed, 1 new, 1 in doubt")
	ctx, cancel := context.WithCancel(t.Context())
	watch := &watcher{OnNotice: func(string) { cancel() }}
	r := w.runIn(ctx, func(o *sync.Options) { o.Settle, o.Watch = time.Hour, watch })
	w.fails(r, sync.Stopped, "")
	if n := w.POP.Connections(); n != 1 {
		t.Errorf("got %d connections to the maildrop, want that of the first run", n)
	}
	w.wants(w.run(), "1 listed, 1 new, 1 recognised")
	w.Holds(mail("a"))
}

func TestLineOfTheSourceIsCutInABody(t *testing.T) {
	drop := []lab.Mail{mail("a"), sized(mail("b"), 5<<20), mail("c")}
	whole := "+OK\r\n" + strings.ReplaceAll(string(drop[1].Raw), "\r\n.", "\r\n..")
	for name, reply := range map[string]string{
		"before the reply":        "",
		"in the status line":      "+OK",
		"behind the status line":  "+OK\r\n",
		"in the header":           whole[:40],
		"in the body":             whole[:1000],
		"far into the body":       whole[:4<<20+50],
		"before the dot":          whole,
		"in the dot's line":       whole + ".",
		"in the dot's line's end": whole + ".\r",
	} {
		t.Run(name, func(t *testing.T) {
			var hook trap
			w := create(t, lab.POP3Options{Hook: hook.Answer(reply, true)}, lab.IMAPOptions{}, drop...)
			hook.Set("RETR", 2)
			w.fails(w.run(), sync.Temporary, "3 listed, 3 new, 1 copied, 2 left")
			w.Holds(drop[0])
			if n := len(w.Records()); n != 1 {
				t.Errorf("got %d records, want 1", n)
			}
			w.wants(w.run(), "3 listed, 1 known, 2 new, 2 copied")
			w.Holds(drop...)
		})
	}
}

// The state cannot be written: before the APPEND nothing is sent, behind it the next run finds out.
func TestStateThatCannotBeWritten(t *testing.T) {
	for _, c := range []struct{ name, trigger, first, second string }{
		{"the intent", "BEFORE INSERT ON record WHEN NEW.uidl = x'62'",
			"3 listed, 3 new, 1 copied, 2 left", "3 listed, 1 known, 2 new, 2 copied"},
		{"the outcome", "BEFORE UPDATE ON record WHEN NEW.uidl = x'62' AND NEW.phase = 'stored'",
			"3 listed, 3 new, 1 copied, 2 in doubt", "3 listed, 1 known, 2 new, 2 recognised"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{})
			w.wants(w.run(), "")
			w.Edit("CREATE TRIGGER full " + c.trigger + " BEGIN SELECT RAISE(ABORT, 'disk full'); END")
			w.POP.SetMail([]lab.Mail{mail("a"), mail("b"), mail("c")})
			w.fails(w.run(), sync.Storage, c.first)
			w.silent("QUIT")
			w.Edit("DROP TRIGGER full")
			w.wants(w.run(), c.second)
			w.Holds(mail("a"), mail("b"), mail("c"))
		})
	}
}

// A cutShort is a destination during whose first refusal the user wants us to leave at once.
type cutShort struct {
	sync.Destination
	leave func()
}

type cutShortPending struct {
	sync.Pending
	leave func()
}

func (c cutShort) Append(ctx context.Context, f sync.Folder, batch []sync.Outgoing) sync.Pending {
	return cutShortPending{c.Destination.Append(ctx, f, batch), c.leave}
}

func (c cutShortPending) Wait(ctx context.Context) []sync.Answer {
	answers := c.Pending.Wait(ctx)
	if answers[len(answers)-1].Err != nil {
		c.leave()
	}
	return answers
}

// After a second signal nothing is offered again, and what is known is recorded all the same.
func TestLeavingAtOnceAmidARefusal(t *testing.T) {
	w := create(t, lab.POP3Options{}, refusing("This is m0005", no("")), many(9, 0)...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := w.runIn(ctx, func(o *sync.Options) {
		to := o.To
		o.To = func(ctx context.Context) (sync.Destination, error) {
			d, err := to(ctx)
			return cutShort{d, cancel}, err
		}
	})
	w.fails(r, sync.Stopped, "9 listed, 9 new, 1 copied, 8 left")
	if got := len(w.Told("APPEND")); got != 2 {
		t.Errorf("got %d APPENDs, want 2", got)
	}
	if got := len(w.Records()); got != 1 {
		t.Errorf("got %d records, want 1", got)
	}
}
