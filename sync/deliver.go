package sync

import (
	"context"
	"errors"
	"slices"
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
	waiting []*mailbox // those with a batch that is not sent yet, the oldest first
	due     *mailbox   // the one of them whose turn it is; nil: none
	held    *item      // for which the batch that is due has no room
	flights []flight
	begun   bool // something was sent
	outbox  chan sending
}

// run takes items until there are no more, or something fails. Then it hears what became of all that was sent.
func (d *delivery) run(ctx context.Context, items <-chan *item) (err error) {
	defer Caught(&err) // here already, so that the other goroutine is stopped as ever
	sent := make(chan struct{})
	go d.post(ctx, sent)
	defer func() { close(d.outbox); <-sent }()
	err = d.accept(ctx, items)
	if err == nil || errors.Is(err, errEnough) {
		err = firstOf(d.flushAll(ctx), err)
	}
	if late := d.landAll(ctx); err == nil || errors.Is(err, errEnough) {
		err = firstOf(late, err)
	}
	for len(d.waiting) > 0 {
		d.drop(d.open(d.waiting[0]))
	}
	if d.held != nil {
		d.release(d.held)
	}
	return err
}

// accept takes items and sends batches. While as many are on their way as the destination likes, the next one fills up.
func (d *delivery) accept(ctx context.Context, items <-chan *item) error {
	for {
		busy := len(d.flights) > 0 && (d.r.picky || len(d.flights) >= d.r.dest.Pace().Flights)
		if d.due != nil && !busy {
			if err := d.proceed(ctx); err != nil {
				return err
			}
			continue
		}
		in := items
		if d.due != nil || busy && d.r.picky {
			in = nil
		}
		var landed chan []Answer
		if len(d.flights) > 0 {
			landed = d.flights[0].answers
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

// proceed sends the batch that is due, and begins the next one with what is held.
func (d *delivery) proceed(ctx context.Context) error {
	box, it := d.due, d.held
	d.due, d.held = nil, nil
	err := d.flush(ctx, box)
	if it == nil {
		return err
	}
	if err != nil {
		d.release(it)
		return err
	}
	return d.put(it)
}

// take puts an item into the batch of its folder, unless it turns out that it is not to be copied.
func (d *delivery) take(ctx context.Context, it *item) error {
	wanted, err := d.wants(ctx, it)
	if err != nil || !wanted {
		d.release(it)
		return err
	}
	if box := it.box; len(box.batch) > 0 && box.octets+it.spool.size() > int64(d.r.dest.Pace().Octets) {
		d.due, d.held = box, it
		return nil
	}
	return d.put(it)
}

// put adds an item to the batch of its folder, and says which batch is due then.
func (d *delivery) put(it *item) error {
	box, pace := it.box, d.r.dest.Pace()
	if len(box.batch) == 0 {
		d.waiting = append(d.waiting, box)
	}
	box.batch = append(box.batch, it)
	box.octets += it.spool.size()
	box.share += it.share
	switch n := d.r.Narrow.Messages; {
	case n > 0 && d.r.dealt+d.pending() >= n:
		return errEnough
	case !d.begun: // the first message goes alone anyway, see imap.Append: while it is under way the others come
		d.begun, d.due = true, box
	case d.r.wary >= oneByOne, len(box.batch) >= pace.Messages, box.octets >= int64(pace.Octets):
		d.due = box
	default:
		d.makeRoom()
	}
	return nil
}

// makeRoom sends what has waited longest in folders to which little comes: what waits there would in the end hold all of
// the window, and messages for it could not be retrieved any more.
func (d *delivery) makeRoom() {
	held := int64(0)
	for _, box := range d.waiting {
		held += box.share
	}
	if held > window/3 { // the rest is for what is on its way
		d.due = d.waiting[0]
	}
}

// open takes the batch of a folder out: another one can begin.
func (d *delivery) open(box *mailbox) (batch []*item) {
	batch, box.batch, box.octets, box.share = box.batch, nil, 0, 0
	d.waiting = slices.DeleteFunc(d.waiting, func(other *mailbox) bool { return other == box })
	return batch
}

// pending counts what has no outcome yet.
func (d *delivery) pending() (n int) {
	for _, box := range d.waiting {
		n += len(box.batch)
	}
	for _, f := range d.flights {
		n += len(f.items)
	}
	return n
}

// flushAll sends all that waits.
func (d *delivery) flushAll(ctx context.Context) error {
	if d.due != nil {
		if err := d.proceed(ctx); err != nil && !errors.Is(err, errEnough) {
			return err
		}
	}
	for len(d.waiting) > 0 {
		if err := d.flush(ctx, d.waiting[0]); err != nil {
			return err
		}
	}
	return nil
}

// flush sends the batch of a folder, without what the folder has already.
func (d *delivery) flush(ctx context.Context, box *mailbox) error {
	batch, err := d.compare(ctx, box, d.open(box))
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
	if err := d.r.premark(ctx, batch); err != nil {
		d.drop(batch)
		return err
	}
	d.flights = append(d.flights, flight{batch, d.send(batch)})
	return nil
}

// begin makes the intents of a batch durable.
func (r *run) begin(ctx context.Context, batch []*item) error {
	records := make([]state.Record, len(batch))
	var marks []state.Mark
	for i, it := range batch {
		records[i] = it.intent(r)
		marks = append(marks, it.marks...)
	}
	ids, err := r.State.Begin(ctx, records, marks...)
	if err != nil {
		return StateError(err)
	}
	for i, it := range batch {
		it.id = ids[i]
		r.used[it.id], r.entryOf[it.id] = true, it.entry
	}
	return nil
}

// compare takes out of a batch what its folder has. It needs the connection for itself.
func (d *delivery) compare(ctx context.Context, box *mailbox, batch []*item) ([]*item, error) {
	if box.shelf == nil || len(box.shelf.copies) == 0 {
		return batch, nil
	}
	if err := d.landAll(ctx); err != nil {
		return batch, err
	}
	rest, err := d.r.recognise(ctx, box.shelf, batch)
	for _, it := range batch {
		if it.entry.fate == recognised {
			d.r.unsaved--
			d.release(it)
		}
	}
	return rest, err
}

// send appends a batch, of one folder. The answers come in their own time.
func (d *delivery) send(batch []*item) chan []Answer {
	out := make([]Outgoing, len(batch))
	for i, it := range batch {
		d.r.trim(it)
		out[i] = it.outgoing()
	}
	return d.offer(batch[0].box.Folder, out)
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
	var stored, refused, closed []int
	var unsent []int64
	lost := false
	for i, a := range answers {
		switch {
		case a.Err == nil:
			stored = append(stored, i)
		case NotStored(a.Err) && d.r.alone(items[i].box.Name, a.Err):
			closed = append(closed, i)
		case NotStored(a.Err) && (ClassOf(a.Err) == Refused || together(a.Err) && ClassOf(a.Err) != Temporary):
			refused = append(refused, i)
		case NotStored(a.Err) || sabotage.BlindRetry:
			unsent = append(unsent, items[i].id)
			items[i].id = 0
			err = firstOf(err, a.Err)
		default:
			lost = true
			d.r.doubt(items[i])
			err = firstOf(err, a.Err)
		}
	}
	d.r.countLost(len(items), lost)
	if e := d.r.stored(record, items, answers, stored); e != nil {
		return e
	}
	if len(unsent) > 0 {
		if e := d.r.State.Absent(record, unsent...); e != nil {
			return StateError(e)
		}
	}
	if e := d.r.closed(record, items, answers, closed); e != nil {
		return e
	}
	if len(refused) > 0 {
		err = firstOf(d.refusedBatch(ctx, items, answers, refused), err)
	}
	return err
}

// oneByOne is after how many lines in a row that batches cost each message goes alone: something in a batch may be what the
// server cannot bear, as Cyrus several messages with more keywords than it keeps.
const oneByOne = 2

func (r *run) countLost(messages int, lost bool) {
	switch {
	case messages == 1 || r.lost: // tells nothing of batches, or nothing new
	case lost:
		r.wary++
		r.lost = true
	case r.wary < oneByOne:
		r.wary = 0
	}
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
		it, a := items[at], answers[at]
		places[i] = state.Place{ID: it.id, UIDValidity: a.UIDValidity, UID: a.UID, Given: it.given()}
	}
	if err := r.State.Stored(ctx, places, time.Now()); err != nil {
		for _, at := range which {
			r.doubt(items[at]) // the intent stays: the next run finds the message
		}
		return StateError(err)
	}
	for _, at := range which {
		it, placed := items[at], answers[at].Placed
		if box := it.box; placed.UID != 0 && placed.UIDValidity == box.UIDValidity && placed.UID >= box.UIDNext {
			box.UIDNext = placed.UID + 1 // what comes next lies behind it
		}
		r.unsaved--
		r.took(it, placed)
		o := it.outcome()
		r.report.Bytes += o.Size
		r.report.Folders[o.Folder]++
		for _, f := range o.Flags {
			r.report.Flags[f.Name]++
		}
		o.Result, o.UIDValidity, o.UID = Copied, placed.UIDValidity, placed.UID
		r.conclude(it.entry, copied, o)
	}
	return nil
}
