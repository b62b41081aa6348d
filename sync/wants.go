package sync

import (
	"context"
	"errors"

	"github.com/pop2imap/pop2imap/state"
)

// wants says whether a retrieved message is to be appended.
func (d *delivery) wants(ctx context.Context, it *item) (bool, error) {
	r := d.r
	if it.gone != nil {
		o := Outcome{Result: Gone, UIDL: it.UIDL, Listed: it.Size}
		if e, ok := errors.AsType[*Error](it.gone); ok {
			o.Code, o.Server = e.Code, e.Server
		}
		r.conclude(it.entry, vanished, o)
		return false, nil
	}
	if it.endless {
		return false, r.refuseUnsent(ctx, it.todo, r.home(), state.Record{Header: it.header}, codeTooBig, errEndless.Error())
	}
	r.fetched++
	r.unsaved++ // until it is stored
	if it.byDigest || r.orphans {
		if known, err := r.remembered(ctx, it); err != nil || known {
			return false, err
		}
	}
	if it.unwanted {
		r.skip(it.todo, it.whyNot)
		return false, nil // a maildrop without TOP did not tell before
	}
	return d.fits(ctx, it)
}

// fits says whether the folder of a message takes it.
func (d *delivery) fits(ctx context.Context, it *item) (ok bool, err error) {
	r := d.r
	if it.box, err = r.mailbox(ctx, it.placement, d.landAll); err != nil {
		return false, err
	}
	switch {
	case it.box.refusal != nil:
		return false, r.shut(ctx, it)
	case r.tooShort(it):
		return false, nil
	case it.box.overLimit(it.spool.size()): // LIST had said less
		return false, r.tooBig(ctx, it.todo, it.box.Folder, it.intent(r))
	}
	return true, r.ask(ctx, it, d.landAll)
}

// tooShort says whether a message has far less octets than LIST says, and is therefore to be retrieved once more in another
// session: something on the way may have cut it off and ended it properly. If it is still as short it is copied, and never
// deleted at the source.
func (r *run) tooShort(it *item) bool {
	const slack = 64 // for line ends and fields that a server counts and does not give
	if it.spool.size()+it.cut+slack+it.Size/100 >= it.Size {
		return false
	}
	if r.short[it.entry] {
		it.keep = "LIST says that it is larger"
		return false
	}
	r.short[it.entry] = true
	return true
}

// shortLeft says whether a message waits to be retrieved once more because it was too short.
func (r *run) shortLeft() bool {
	for e := range r.short {
		if e.fate == left {
			return true
		}
	}
	return false
}

// remembered says whether a message that was retrieved is known by its content, whatever it is called now.
func (r *run) remembered(ctx context.Context, it *item) (bool, error) {
	rec, ok, err := r.byContent(ctx, it)
	if err != nil || !ok {
		return false, err
	}
	r.used[rec.ID] = true
	m := match{todo: it.todo, record: &rec, verdict: judge(rec, it.now)}
	if (it.UIDL != "" || rec.UIDL == "") && (rec.UIDL != it.UIDL || rec.Listed != it.Size) {
		r.settled[rec.ID] = rec.UIDL != it.UIDL
		if err := r.State.Rebind(ctx, []state.Binding{{ID: rec.ID, UIDL: it.UIDL, Listed: it.Size}}); err != nil {
			return false, StateError(err)
		}
	}
	if rec.Phase == state.PhaseDeleted {
		if err := r.State.Kept(ctx, rec.ID); err != nil {
			return false, StateError(err)
		}
	}
	if m.verdict == due {
		it.was = &rec
		return false, nil
	}
	r.settleFate(&m)
	if m.verdict == delivered {
		r.unsaved--
	}
	return true, nil
}
