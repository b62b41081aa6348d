package sync

import (
	"context"
	"errors"
	"io"
	"slices"
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
			if ClassOf(err) == Temporary { // as after BAD, which costs the line
				d.r.wary = oneByOne
			}
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

// refusedOne deals with a message that the server does not want as it is: it may take it without its date, without new
// keywords, or with the least repair. If not, it stays at the source, and is tried again later.
func (d *delivery) refusedOne(ctx context.Context, it *item, refusal error) error {
	record := context.WithoutCancel(ctx)
	e, _ := errors.AsType[*Error](refusal)
	switch {
	case e.Class == Full: // no message is to blame
		id := it.id
		it.id = 0
		return firstOf(StateError(d.r.State.Absent(record, id)), refusal)
	case e.BadDate && !it.date.IsZero():
		return d.redate(ctx, it)
	}
	forms, err := d.r.forms(it, e.Code)
	if err != nil {
		return firstOf(d.giveUp(ctx, []*item{it}, nil), err)
	}
	asItWas := it.keep
	for _, form := range forms {
		answer, err := d.reoffer(ctx, it, form)
		if err != nil {
			return err
		}
		err = answer[0].Err
		if err != nil && NotStored(err) && ClassOf(err) == Temporary {
			return d.unheard(ctx, it, form, asItWas, e, err)
		}
		if err == nil || !NotStored(err) || ClassOf(err) != Refused {
			d.r.without(it, form.omits)
			return d.settleBatch(ctx, []*item{it}, answer)
		}
	}
	return d.refusedForGood(ctx, it, asItWas, e)
}

// reoffer sends a message in another form, which its record tells first.
func (d *delivery) reoffer(ctx context.Context, it *item, f form) ([]Answer, error) {
	if f.repair != "" {
		it.keep = keepRepaired + f.repair
		if err := d.r.State.Resend(context.WithoutCancel(ctx), it.id, f.Size, it.keep); err != nil {
			return nil, StateError(err)
		}
	}
	return <-d.offer(it.box.Folder, []Outgoing{f.Outgoing}), nil
}

// unheard deals with a refused message to whose next form there was no answer: the server is too busy, or as after a BAD
// the line is gone. Only if it was to go without new keywords, and the server did not say the same of that, another session
// can do better. Otherwise the refusal stands.
func (d *delivery) unheard(ctx context.Context, it *item, f form, asItWas string, refusal *Error, lost error) error {
	if f.repair == "" {
		if code, _ := wordsOf(lost); code == "" || code != refusal.Code {
			d.r.without(it, f.omits)
		}
		return d.giveUp(ctx, []*item{it}, lost)
	}
	return firstOf(d.refusedForGood(ctx, it, asItWas, refusal), lost)
}

// refusedForGood records that a message is not taken in any form.
func (d *delivery) refusedForGood(ctx context.Context, it *item, asItWas string, e *Error) error {
	record := context.WithoutCancel(ctx)
	if it.keep != asItWas {
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
	return nil
}

const keepRepaired = "repaired: "

// A form is a message as it may be taken by a server that refuses it as it is.
type form struct {
	Outgoing
	repair string   // what is changed in its octets; "": nothing
	omits  []string // keywords that it goes without
}

// forms gives the forms of a message, the least change first: without keywords that may be what is refused, then with each
// repair of its octets, with and without those.
func (r *run) forms(it *item, code string) (forms []form, err error) {
	if code == codeTooBig {
		return nil, nil
	}
	repaired, err := it.repaired()
	if err != nil {
		return nil, err
	}
	untried := r.untried(it)
	bare := func(f form) {
		if len(untried) > 0 {
			f.Flags = slices.DeleteFunc(slices.Clone(f.Flags), func(name string) bool { return slices.Contains(untried, name) })
			f.omits = untried
			forms = append(forms, f)
		}
	}
	bare(form{Outgoing: it.outgoing()})
	for _, f := range repaired {
		forms = append(forms, f)
		bare(f)
	}
	return forms, nil
}

// repaired gives the forms with a repair, the least first: each that changes something alone, and then all of them.
func (it *item) repaired() (forms []form, err error) {
	needed, _, err := message.NeedsRepair(it.spool.body(), message.AllRepairs)
	if err != nil {
		return nil, onDisk(err)
	}
	for _, kinds := range []message.Repairs{message.NUL, message.Header8bit, message.InvalidHeader, needed} {
		if kinds&needed == 0 || kinds == needed && len(forms) > 0 && forms[0].repair == kinds.String() {
			continue
		}
		_, size, err := message.NeedsRepair(it.spool.body(), kinds)
		if err != nil {
			return nil, onDisk(err)
		}
		out := it.outgoing()
		out.Size, out.Body = size, func() io.Reader { return message.Repaired(it.spool.body(), kinds) }
		forms = append(forms, form{Outgoing: out, repair: kinds.String()})
	}
	return forms, nil
}
