package sync

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/pop2imap/pop2imap/internal/sabotage"
	"github.com/pop2imap/pop2imap/state"
)

// A delivery appends messages and records what became of them: first the intents of a batch are durable, then its last
// octet is sent, then the outcomes are durable. Whoever dies in between leaves the intents, and the next run finds out
// what became of them (settle.go).
type delivery struct {
	r       *run
	room    *semaphore.Weighted
	batch   []*item // not sent yet
	octets  int64   // of it
	flights []flight
	begun   bool // something was sent
	outbox  chan sending
}

// A sending is a batch that is to be written. That has a goroutine of its own: while the one batch is on its way to the
// server, intents and outcomes of others are on theirs to the disk.
type sending struct {
	batch   []Outgoing
	folder  Folder
	answers chan []Answer
}

// post writes the batches, in their order.
func (d *delivery) post(ctx context.Context, sent chan<- struct{}) {
	defer close(sent)
	for s := range d.outbox {
		pending := d.r.dest.Append(ctx, s.folder, s.batch)
		go func() { s.answers <- pending.Wait(ctx) }()
	}
}

// A flight is a batch on its way.
type flight struct {
	items   []*item
	answers chan []Answer
}

// run takes items until there are no more, or something fails. Then it hears what became of all that was sent.
func (d *delivery) run(ctx context.Context, items <-chan *item) error {
	sent := make(chan struct{})
	go d.post(ctx, sent)
	defer func() { close(d.outbox); <-sent }()
	err := d.accept(ctx, items)
	if err == nil || errors.Is(err, errEnough) {
		err = firstOf(d.flush(ctx), err)
	}
	if late := d.landAll(ctx); err == nil || errors.Is(err, errEnough) {
		err = firstOf(late, err)
	}
	d.drop(d.batch)
	return err
}

func (d *delivery) accept(ctx context.Context, items <-chan *item) error {
	for {
		in := items
		var landed chan []Answer
		if len(d.flights) > 0 {
			landed = d.flights[0].answers
		}
		if len(d.flights) > 0 && (d.r.picky || len(d.flights) >= d.r.dest.Pace().Flights) {
			in = nil
		}
		var err error
		select {
		case it, more := <-in:
			if !more {
				return nil
			}
			err = d.take(ctx, it)
		case answers := <-landed:
			err = d.land(ctx, answers)
		}
		if err != nil {
			return err
		}
	}
}

// take puts an item into the batch, unless it turns out that it is not to be copied.
func (d *delivery) take(ctx context.Context, it *item) error {
	wanted, err := d.r.wants(ctx, it)
	if err != nil || !wanted {
		d.release(it)
		return err
	}
	if len(d.batch) > 0 && d.octets+it.spool.size() > int64(d.r.dest.Pace().Octets) {
		if err := d.flush(ctx); err != nil {
			d.release(it)
			return err
		}
	}
	d.batch = append(d.batch, it)
	d.octets += it.spool.size()
	if n := d.r.Narrow.Messages; n > 0 && d.r.dealt+d.pending() >= n {
		return errEnough
	}
	if !d.begun { // the first message goes alone anyway, see imap.Append: while it is under way the others come
		d.begun = true
		return d.flush(ctx)
	}
	if pace := d.r.dest.Pace(); len(d.batch) < pace.Messages && d.octets < int64(pace.Octets) {
		return nil
	}
	return d.flush(ctx)
}

// pending counts what has no outcome yet.
func (d *delivery) pending() int {
	n := len(d.batch)
	for _, f := range d.flights {
		n += len(f.items)
	}
	return n
}

// flush sends the batch, without what the destination has already.
func (d *delivery) flush(ctx context.Context) error {
	batch := d.batch
	d.batch, d.octets = nil, 0
	batch, err := d.compare(ctx, batch)
	if err != nil || len(batch) == 0 {
		d.drop(batch)
		return err
	}
	if !sabotage.NoIntent {
		if err := d.r.begin(ctx, batch); err != nil {
			d.drop(batch)
			return err
		}
	}
	d.flights = append(d.flights, flight{batch, d.send(batch)})
	return nil
}

// begin makes the intents of a batch durable.
func (r *run) begin(ctx context.Context, batch []*item) error {
	records := make([]state.Record, len(batch))
	for i, it := range batch {
		records[i] = it.intent(r)
	}
	ids, err := r.State.Begin(ctx, records)
	if err != nil {
		return StateError(err)
	}
	for i, it := range batch {
		it.id = ids[i]
		r.used[it.id], r.entryOf[it.id] = true, it.entry
	}
	return nil
}

// compare takes out of a batch what the destination has. It needs the connection for itself.
func (d *delivery) compare(ctx context.Context, batch []*item) ([]*item, error) {
	if d.r.shelf == nil || len(d.r.shelf.copies) == 0 {
		return batch, nil
	}
	if err := d.landAll(ctx); err != nil {
		return batch, err
	}
	rest, err := d.r.recognise(ctx, batch)
	for _, it := range batch {
		if it.entry.fate == recognised {
			d.r.unsaved--
			d.release(it)
		}
	}
	return rest, err
}

// send appends a batch. The answers come in their own time.
func (d *delivery) send(batch []*item) chan []Answer {
	out := make([]Outgoing, len(batch))
	for i, it := range batch {
		out[i] = it.outgoing()
	}
	return d.offer(out)
}

func (d *delivery) offer(batch []Outgoing) chan []Answer {
	answers := make(chan []Answer, 1)
	d.outbox <- sending{batch, d.r.folder, answers}
	return answers
}

// landAll hears what became of all that is on its way.
func (d *delivery) landAll(ctx context.Context) (err error) {
	for len(d.flights) > 0 {
		err = firstOf(err, d.land(ctx, <-d.flights[0].answers))
	}
	return err
}

// land records what became of the oldest flight.
func (d *delivery) land(ctx context.Context, answers []Answer) error {
	items := d.flights[0].items
	d.flights = d.flights[1:]
	defer d.drop(items)
	if sabotage.NoIntent {
		if err := d.r.begin(context.WithoutCancel(ctx), items); err != nil {
			return err
		}
	}
	return d.settleBatch(ctx, items, answers)
}

func (d *delivery) drop(items []*item) {
	for _, it := range items {
		d.release(it)
	}
}

// release gives back the memory of an item.
func (d *delivery) release(it *item) {
	if it.spool == nil {
		return
	}
	it.spool.release()
	it.spool = nil
	d.room.Release(it.share)
}

// settleBatch records the outcomes of a batch. The end of ctx does not make us forget them, and nothing is sent after it.
func (d *delivery) settleBatch(ctx context.Context, items []*item, answers []Answer) (err error) {
	record := context.WithoutCancel(ctx)
	var stored, refused []int
	var unsent []int64
	for i, a := range answers {
		switch {
		case a.Err == nil:
			stored = append(stored, i)
		case NotStored(a.Err) && (ClassOf(a.Err) == Refused || together(a.Err) && ClassOf(a.Err) != Temporary):
			refused = append(refused, i)
		case NotStored(a.Err) || sabotage.BlindRetry:
			unsent = append(unsent, items[i].id)
			items[i].id = 0
			err = firstOf(err, a.Err)
		default:
			d.r.doubt(items[i])
			err = firstOf(err, a.Err)
		}
	}
	if e := d.r.stored(record, items, answers, stored); e != nil {
		return e
	}
	if len(unsent) > 0 {
		if e := d.r.State.Absent(record, unsent...); e != nil {
			return StateError(e)
		}
	}
	if len(refused) > 0 {
		err = firstOf(d.refusedBatch(ctx, items, answers, refused), err)
	}
	return err
}

// firstOf is the first error there is.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func together(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Together
}

// doubt notes that nobody knows whether a message was stored. Its intent stays.
func (r *run) doubt(it *item) {
	it.entry.fate = doubted
	r.died = time.Now()
}

// stored records that messages of a batch are at the destination.
func (r *run) stored(ctx context.Context, items []*item, answers []Answer, which []int) error {
	if len(which) == 0 {
		return nil
	}
	places := make([]state.Place, len(which))
	for i, at := range which {
		places[i] = state.Place{ID: items[at].id, UIDValidity: answers[at].UIDValidity, UID: answers[at].UID}
	}
	if err := r.State.Stored(ctx, places, time.Now()); err != nil {
		for _, at := range which {
			r.doubt(items[at]) // the intent stays: the next run finds the message
		}
		return StateError(err)
	}
	for _, at := range which {
		it, placed := items[at], answers[at].Placed
		if placed.UID != 0 && placed.UIDValidity == r.folder.UIDValidity && placed.UID >= r.folder.UIDNext {
			r.folder.UIDNext = placed.UID + 1 // what comes next lies behind it
		}
		r.unsaved--
		o := it.outcome(r)
		r.report.Bytes += o.Size
		for _, f := range o.Flags {
			r.report.Flags[f.Name]++
		}
		o.Result, o.UIDValidity, o.UID = Copied, placed.UIDValidity, placed.UID
		r.conclude(it.entry, copied, o)
	}
	return nil
}
