package sync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/state"
)

// copyAll copies what is planned, one by one, in the maildrop's order. What an error leaves is for the next run.
func (r *run) copyAll(ctx context.Context, src Source, list []todo) error {
	var s spool
	defer s.close()
	for _, m := range list {
		if r.Narrow.Messages > 0 && r.dealt >= r.Narrow.Messages {
			break
		}
		if r.stopping() {
			return stopped(ctx)
		}
		if err := r.copy(ctx, src, &s, m); err != nil {
			return err
		}
	}
	return r.place(ctx)
}

// copy takes one message from the source to the destination.
func (r *run) copy(ctx context.Context, src Source, s *spool, m todo) error {
	if !m.byDigest {
		if err := r.destination(ctx); err != nil {
			return err
		}
		if limit := r.folder.AppendLimit; limit > 0 && m.Size > limit {
			return r.tooBig(ctx, m, state.Record{Size: m.Size, Header: m.header})
		}
	}
	if r.DryRun {
		r.done(Outcome{Result: WouldCopy, UIDL: m.UIDL, Listed: m.Size, Folder: r.Folder})
		return nil
	}
	r.unsaved++ // from RETR on, until it is stored
	gone, err := r.retrieve(ctx, src, s, m)
	switch {
	case errors.Is(err, errEndless):
		if e := r.refuse(ctx, m, state.Record{Header: m.header}, errEndless.Error()); e != nil {
			return e
		}
		return err
	case err != nil:
		return err
	case gone != nil:
		r.unsaved--
		r.vanish(m, gone)
		return nil
	}
	if m.byDigest {
		p, err := r.byContent(ctx, s.digest, m)
		if err != nil {
			return err
		}
		if len(p.todo) == 0 {
			r.unsaved -= p.known + p.recognised
			return nil
		}
		m = p.todo[0]
	}
	if date, _ := message.Arrival(s.header(), time.Now()); !r.Narrow.covers(date) {
		return nil // a maildrop without TOP did not tell before
	}
	if err := r.destination(ctx); err != nil {
		return err
	}
	return r.deliver(ctx, s, m)
}

// retrieve fills the spool. gone is the source's refusal to give this message.
func (r *run) retrieve(ctx context.Context, src Source, s *spool, m todo) (gone, err error) {
	err = src.Retrieve(ctx, []int{m.Number}, func(_ int, body io.Reader, err error) error {
		if err != nil {
			gone = err
			return nil
		}
		return s.fill(moving{body, r.Watch})
	})
	return gone, err
}

// moving reports what passes.
type moving struct {
	io.Reader
	watch Watcher
}

func (m moving) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if m.watch != nil && n > 0 {
		m.watch.Moved(n)
	}
	return n, err
}

// deliver appends the message in the spool: first the intent is durable, then the last octet is sent, then the outcome
// is durable. Whoever dies in between leaves the intent, and the next run finds out what became of it (settle.go).
func (r *run) deliver(ctx context.Context, s *spool, m todo) error {
	header := s.header()
	rec := state.Record{ID: m.was.ID, UIDL: m.UIDL, Size: s.size(), Digest: s.digest,
		Header: message.Fingerprint(header), MessageID: message.ID(header), Folder: r.Folder,
		UIDValidity: r.folder.UIDValidity, UIDNext: r.folder.UIDNext, Begun: time.Now(), Run: r.id}
	if limit := r.folder.AppendLimit; limit > 0 && rec.Size > limit { // LIST had said less
		return r.tooBig(ctx, m, rec)
	}
	date, why := message.Arrival(header, time.Now())
	o := Outcome{UIDL: m.UIDL, Listed: m.Size, Size: rec.Size, Digest: s.digest, Folder: r.Folder,
		Flags: r.flags(header, date), Date: date, DateWhy: why}
	id, err := r.State.Begin(ctx, rec)
	if err != nil {
		return StateError(err)
	}
	r.used[id] = true
	placed, err := r.dest.Append(ctx, r.folder, Outgoing{Size: o.Size, Body: s.body, Flags: names(o.Flags), Date: date})
	return r.outcome(ctx, m, id, o, placed, err)
}

// outcome records what became of an APPEND.
func (r *run) outcome(ctx context.Context, m todo, id int64, o Outcome, placed Placed, err error) error {
	ctx = context.WithoutCancel(ctx) // whoever stops us now must not make us forget what has happened
	switch {
	case err == nil:
		return r.stored(ctx, id, o, placed)
	case NotStored(err) && ClassOf(err) == Refused:
		e, _ := errors.AsType[*Error](err)
		now := time.Now()
		if err := r.State.Refused(ctx, id, e.Code, e.Server, now, nextTry(m.was, now)); err != nil {
			return StateError(err)
		}
		r.refused(o, e.Code, e.Server)
		return nil
	case NotStored(err):
		if e := r.State.Absent(ctx, id); e != nil {
			r.notice("%v", err)
			return StateError(e)
		}
		return err
	}
	r.report.InDoubt++ // the intent stays
	return err
}

// stored records that a message is at the destination.
func (r *run) stored(ctx context.Context, id int64, o Outcome, placed Placed) error {
	now := time.Now()
	err := r.State.Stored(ctx, id, placed.UIDValidity, placed.UID, now)
	if errors.Is(err, state.ErrClaimed) { // the server says a place that it had given away before: we know of none
		placed = Placed{}
		err = r.State.Stored(ctx, id, 0, 0, now)
	}
	if err != nil {
		r.report.InDoubt++ // the intent stays: the next run finds the message
		return StateError(err)
	}
	if placed.UID != 0 {
		r.folder.UIDValidity, r.folder.UIDNext = placed.UIDValidity, placed.UID+1 // what comes next lies behind it
	}
	r.unsaved--
	r.report.Copied++
	r.report.Bytes += o.Size
	for _, f := range o.Flags {
		r.report.Flags[f.Name]++
	}
	o.Result, o.UIDValidity, o.UID = Copied, placed.UIDValidity, placed.UID
	r.done(o)
	return nil
}

// tooBig refuses what the destination has said that it would refuse (RFC 7889).
func (r *run) tooBig(ctx context.Context, m todo, rec state.Record) error {
	words := fmt.Sprintf("APPENDLIMIT=%d, and the message has %d octets", r.folder.AppendLimit, rec.Size)
	return r.refuse(ctx, m, rec, words)
}

// refuse records a message that is too big to be sent. rec holds what is known of its content.
func (r *run) refuse(ctx context.Context, m todo, rec state.Record, words string) error {
	const code = "TOOBIG" // RFC 7889 §4
	o := Outcome{UIDL: m.UIDL, Listed: m.Size, Size: rec.Size, Folder: r.Folder}
	if r.DryRun {
		r.refused(o, code, words)
		return nil
	}
	now := time.Now()
	rec.ID, rec.UIDL, rec.Folder, rec.UIDValidity, rec.Begun, rec.Run =
		m.was.ID, m.UIDL, r.Folder, r.folder.UIDValidity, now, r.id
	id, err := r.State.RefusedUnsent(ctx, rec, code, words, now, nextTry(m.was, now))
	if err != nil {
		return StateError(err)
	}
	r.used[id] = true
	r.refused(o, code, words)
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

// refused reports a message that the destination does not take. It stays at the source.
func (r *run) refused(o Outcome, code, words string) {
	o.Result, o.Code, o.Server = RefusedOne, code, words
	r.report.Refused++
	r.report.Refusals = append(r.report.Refusals, o)
	r.done(o)
}

// vanish reports a message that is listed and cannot be had.
func (r *run) vanish(m todo, err error) {
	o := Outcome{Result: Gone, UIDL: m.UIDL, Listed: m.Size}
	if e, ok := errors.AsType[*Error](err); ok {
		o.Code, o.Server = e.Code, e.Server
	}
	r.report.Vanished++
	r.done(o)
}

// flags are those that a message is to arrive with.
func (r *run) flags(header []byte, date time.Time) (list []message.Flag) {
	switch r.Flags {
	case Infer:
		list = message.Flags(header, r.TrustHeaders)
	case Seen:
		list = []message.Flag{{Name: `\Seen`, Why: "all are"}}
	}
	if r.SeenBefore > 0 && !date.IsZero() && time.Since(date) > r.SeenBefore && !has(list, `\Seen`) {
		list = append(list, message.Flag{Name: `\Seen`, Why: "its age"})
	}
	return list
}

func has(list []message.Flag, name string) bool {
	return slices.ContainsFunc(list, func(f message.Flag) bool { return f.Name == name })
}

func names(list []message.Flag) (names []string) {
	for _, f := range list {
		names = append(names, f.Name)
	}
	return names
}
