package sync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/pop2imap/pop2imap/internal/step"
	"github.com/pop2imap/pop2imap/state"
)

// window is how many octets of messages are in memory on their way from the one server to the other. Each message has
// its share of it, by what LIST says of its size, and at least smallest.
const (
	window   = 20 << 20
	smallest = 16 << 10
)

// copyAll copies what is planned, in the maildrop's order: one goroutine retrieves, this one appends and records. What an
// error leaves is for the next session.
func (r *run) copyAll(ctx context.Context, list []todo) error {
	if len(list) == 0 {
		return nil
	}
	if r.DryRun {
		return r.rehearse(ctx, list)
	}
	if r.stopping() { // the context may not have heard of it yet, and many servers set \Seen on what is retrieved
		return stopped(ctx)
	}
	list, err := r.refuseLarge(ctx, list)
	if err != nil || len(list) == 0 {
		return err
	}
	retrieving, stop := context.WithCancel(ctx)
	defer stop()
	items := make(chan *item)
	failed := make(chan error, 1)
	room := semaphore.NewWeighted(window)
	go func() {
		var err error
		defer func() { failed <- err; close(items) }()
		defer Caught(&err)
		err = r.retrieve(retrieving, list, room, items)
	}()
	d := delivery{r: r, room: room, outbox: make(chan sending, 1)}
	err = d.run(ctx, items)
	stop()
	for it := range items { // nobody wants it any more: it is retrieved, and will not be stored
		r.unsaved++
		d.release(it)
	}
	late := <-failed
	if late != nil { // the session is good for nothing more
		r.hangUpSource()
	}
	err = firstOf(err, late)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return err
}

// errEnough ends the work of this run: the user wanted no more messages.
var errEnough = errors.New("enough")

// retrieve brings messages into spools, in order, as long as there is room.
func (r *run) retrieve(ctx context.Context, list []todo, room *semaphore.Weighted, items chan<- *item) error {
	next := 0
	limit := r.limit()
	early, release := r.untilStop(ctx)
	defer release()
	return r.src.Retrieve(ctx, listed(list), func(_ int, body io.Reader, err error) error {
		it := &item{todo: list[next], gone: err}
		next++
		if r.stopping() {
			return stopped(ctx)
		}
		it.share = needs(it.Size)
		if err := room.Acquire(ctx, it.share); err != nil {
			return stopped(ctx)
		}
		it.spool = new(spool)
		if err == nil {
			if err := it.take(r, moving{ctx, early, body, r, limit}); errors.Is(err, errEndless) {
				it.endless = true
			} else if err != nil {
				return err
			} else {
				step.At("retrieved")
				if err := it.study(ctx, r); err != nil {
					return err
				}
			}
		}
		// What LIST promised and the message has not must not be kept from others: a batch would wait for more messages, and
		// they for room.
		if used := max(it.spool.taken(), smallest); used < it.share {
			room.Release(it.share - used)
			it.share = used
		}
		select {
		case items <- it:
		case <-ctx.Done():
			return stopped(ctx)
		}
		if it.endless {
			return errEndless // there is no end to wait for
		}
		return nil
	})
}

// limit holds the rate that the user wants. What is not read from the one server is not sent by it.
func (r *run) limit() *rate.Limiter {
	if r.Rate <= 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(r.Rate), pieceMax)
}

// pieceMax is how much is read of a message at a time.
const pieceMax = 32 << 10

// moving reports what passes, and holds it up. Who wants the run to stop does not want to wait for the rest of a message at the
// rate that was to spare the line.
type moving struct {
	ctx, early context.Context
	io.Reader
	r     *run
	limit *rate.Limiter
}

func (m moving) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p[:min(len(p), pieceMax)])
	if n == 0 {
		return n, err
	}
	m.r.tell(func(w Watcher) { w.Moved(n) })
	if e := m.limit.WaitN(m.early, n); e != nil && m.ctx.Err() != nil {
		return n, stopped(m.ctx)
	}
	return n, err
}

// codeTooBig is the code of what is too big to be sent (RFC 7889 §4).
const codeTooBig = "TOOBIG"

// tooBig refuses what the destination has said that it would refuse (RFC 7889).
func (r *run) tooBig(ctx context.Context, m todo, f Folder, rec state.Record) error {
	words := fmt.Sprintf("APPENDLIMIT=%d, and the message has %d octets", f.AppendLimit, rec.Size)
	return r.refuseUnsent(ctx, m, f, rec, codeTooBig, words)
}

// refuseUnsent records a message that is not sent because it would be refused. rec holds what is known of its content.
func (r *run) refuseUnsent(ctx context.Context, m todo, f Folder, rec state.Record, code, words string) error {
	was := m.earlier()
	if was.Phase == state.PhaseMissing { // sent once, and nobody has found it: that is more than a refusal
		m.entry.fate = doubted
		return nil
	}
	o := Outcome{UIDL: m.UIDL, Listed: m.Size, Size: rec.Size, Folder: f.Name}
	if r.DryRun {
		r.refuse(m.entry, o, code, words)
		return nil
	}
	now := time.Now()
	rec.ID, rec.UIDL, rec.Listed, rec.Folder, rec.UIDValidity, rec.Begun, rec.Run =
		was.ID, m.UIDL, m.Size, f.Name, f.UIDValidity, now, r.id
	id, err := r.State.RefusedUnsent(ctx, rec, code, words, now, nextTry(was, now))
	if err != nil {
		return StateError(err)
	}
	r.used[id] = true
	r.refuse(m.entry, o, code, words)
	return nil
}

// nextTry is when a message that was refused just now is tried again: after an hour, then four, sixteen … thirty days.
func nextTry(was state.Record, now time.Time) time.Time {
	pause := time.Hour
	for range min(was.Tries, 6) {
		pause *= 4
	}
	return now.Add(min(pause, 30*24*time.Hour))
}

// refuse reports a message that the destination does not take. It stays at the source.
func (r *run) refuse(e *entry, o Outcome, code, words string) {
	o.Result, o.Code, o.Server = RefusedOne, code, words
	r.report.Refusals = append(r.report.Refusals, o)
	r.conclude(e, refused, o)
}

// conclude reports what became of a message.
func (r *run) conclude(e *entry, f fate, o Outcome) {
	e.fate = f
	r.achieved++
	r.dealt++
	r.done(o)
}
