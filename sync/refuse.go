package sync

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
)

// refusedBatch deals with the messages of a batch that were refused. Where the server refused several as one, the halves
// are offered again until the one that is to blame is found: its fellows go through.
func (d *delivery) refusedBatch(ctx context.Context, items []*item, answers []Answer, which []int) error {
	var joint []*item
	for _, i := range which {
		if len(items) > 1 && together(answers[i].Err) {
			joint = append(joint, items[i])
			continue
		}
		if err := d.refusedOne(ctx, items[i], answers[i].Err); err != nil {
			return err
		}
	}
	return d.halves(ctx, joint)
}

// halves offers messages again that were refused together. Their intents are still open.
func (d *delivery) halves(ctx context.Context, items []*item) error {
	if len(items) == 0 {
		return nil
	}
	d.r.picky = true
	half := (len(items) + 1) / 2
	for _, part := range [][]*item{items[:half], items[half:]} {
		if len(part) == 0 {
			continue
		}
		if err := d.settleBatch(ctx, part, <-d.send(part)); err != nil {
			return d.giveUp(ctx, items, err)
		}
	}
	return nil
}

// giveUp takes back the intents of those that were not offered again.
func (d *delivery) giveUp(ctx context.Context, items []*item, err error) error {
	var ids []int64
	for _, it := range items {
		if it.entry.fate == left && it.id != 0 {
			ids = append(ids, it.id)
			it.id = 0 // once: whoever offered a larger part gives up too
		}
	}
	if len(ids) == 0 {
		return err
	}
	return firstOf(StateError(d.r.State.Absent(context.WithoutCancel(ctx), ids...)), err)
}

// closed refuses messages whose folder takes none, as it turned out: neither halves nor repairs would help. What else is to
// go there is refused unsent.
func (r *run) closed(ctx context.Context, items []*item, answers []Answer, which []int) error {
	for _, i := range which {
		it, err := items[i], answers[i].Err
		it.box.refusal = err
		code, words := wordsOf(err)
		now := time.Now()
		if err := r.State.Refused(ctx, it.id, code, words, now, nextTry(it.earlier(), now)); err != nil {
			return StateError(err)
		}
		r.refuse(it.entry, it.outcome(), code, words)
	}
	return nil
}

// refusedOne deals with a message that the server does not want as it is: it may take it with the least repair. If there
// is none, it stays at the source, and is tried again later.
func (d *delivery) refusedOne(ctx context.Context, it *item, refusal error) error {
	record := context.WithoutCancel(ctx)
	e, _ := errors.AsType[*Error](refusal)
	if e.Class == Full { // no message is to blame
		id := it.id
		it.id = 0
		return firstOf(StateError(d.r.State.Absent(record, id)), refusal)
	}
	forms, err := it.repaired(e.Code)
	if err != nil {
		return firstOf(d.giveUp(ctx, []*item{it}, nil), err)
	}
	asItWas := it.keep
	var lost error
	for _, form := range forms {
		it.keep = keepRepaired + form.what
		if err := d.r.State.Resend(record, it.id, form.Size, it.keep); err != nil {
			return StateError(err)
		}
		answer := <-d.offer(it.box.Folder, []Outgoing{form.Outgoing})
		err := answer[0].Err
		if err != nil && NotStored(err) && ClassOf(err) == Temporary { // as after BAD: the line is gone, and the refusal stands
			lost = err
			break
		}
		if err == nil || !NotStored(err) || ClassOf(err) != Refused {
			return d.settleBatch(ctx, []*item{it}, answer)
		}
	}
	if len(forms) > 0 {
		it.keep = asItWas
		if err := d.r.State.Resend(record, it.id, it.spool.size(), it.keep); err != nil {
			return StateError(err)
		}
	}
	now := time.Now()
	if err := d.r.State.Refused(record, it.id, e.Code, e.Server, now, nextTry(it.earlier(), now)); err != nil {
		return StateError(err)
	}
	d.r.refuse(it.entry, it.outcome(), e.Code, e.Server)
	return lost
}

const keepRepaired = "repaired: "

// A form is a message with a repair.
type form struct {
	Outgoing
	what string
}

// repaired gives the message in forms that a server may take that refuses it as it is, the least repair first: each that
// changes something alone, and then all of them.
func (it *item) repaired(code string) (forms []form, err error) {
	if code == codeTooBig {
		return nil, nil
	}
	needed, _, err := message.NeedsRepair(it.spool.body(), message.AllRepairs)
	if err != nil {
		return nil, onDisk(err)
	}
	for _, kinds := range []message.Repairs{message.NUL, message.Header8bit, message.InvalidHeader, needed} {
		if kinds&needed == 0 || kinds == needed && len(forms) > 0 && forms[0].what == kinds.String() {
			continue
		}
		_, size, err := message.NeedsRepair(it.spool.body(), kinds)
		if err != nil {
			return nil, onDisk(err)
		}
		out := it.outgoing()
		out.Size, out.Body = size, func() io.Reader { return message.Repaired(it.spool.body(), kinds) }
		forms = append(forms, form{out, kinds.String()})
	}
	return forms, nil
}
