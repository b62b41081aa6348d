package state

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A verb is something that happens to a record.
type verb string

const (
	begin        verb = "begin"
	resend       verb = "send another form of"
	store        verb = "store"
	refuse       verb = "refuse"
	refuseUnsent verb = "refuse unsent"
	absent       verb = "settle as absent"
	recognise    verb = "recognise"
	learn        verb = "learn the UID of"
	flag         verb = "remember the flags of"
	verify       verb = "verify"
	miss         verb = "miss"
	mark         verb = "mark for deletion"
	remove       verb = "delete"
	spare        verb = "keep"
	rebind       verb = "give another UIDL to"
)

// legal says from which phases a verb may start, and so is the life of a record:
//
//	none     ──begin──────────► intent
//	refused  ──begin──────────► intent    another try
//	missing  ──begin──────────► intent    another try, because the user wants it
//	intent   ──resend─────────► intent    it was refused as it is, and goes out repaired
//	intent   ──store──────────► stored    the destination said OK, or settling found the message there
//	intent   ──refuse─────────► refused   the destination said NO
//	intent   ──absent─────────► none      settling did not find it: as if nothing had happened
//	intent   ──absent─────────► refused   the same, and it had been refused before
//	none     ──refuse unsent──► refused   the destination would say NO (RFC 7889)
//	refused  ──refuse unsent──► refused   the same again
//	none     ──recognise──────► verified  the destination had it before: its octets were compared
//	refused  ──recognise──────► verified  the same
//	missing  ──recognise──────► verified  the same, when it was to be sent again
//	stored   ──learn──────────► stored    only once, from "UID not known"
//	missing  ──learn──────────► missing   it was found after all, and will be verified
//	stored   ──flag───────────► stored    a later message says more of it
//	stored   ──verify─────────► verified  read-back found it
//	verified ──verify─────────► verified  again, at another level
//	missing  ──verify─────────► verified  it was found after all
//	stored   ──miss───────────► missing   read-back did not find it
//	verified ──mark───────────► deleting  before the session in which it is deleted
//	deleting ──remove─────────► deleted   QUIT was answered with +OK, or the next listing is without it
//	deleting ──spare──────────► verified  nothing was deleted, or the next listing has it still
//	deleted  ──spare──────────► verified  the next listing has it still
//	(any)    ──rebind─────────► (same)    the maildrop calls it something else now
var legal = map[verb][]Phase{
	begin:        {none, PhaseRefused, PhaseMissing},
	resend:       {PhaseIntent},
	store:        {PhaseIntent},
	refuse:       {PhaseIntent},
	absent:       {PhaseIntent},
	refuseUnsent: {none, PhaseRefused},
	recognise:    {none, PhaseRefused, PhaseMissing},
	learn:        {PhaseStored, PhaseMissing},
	flag:         {PhaseStored},
	verify:       {PhaseStored, PhaseVerified, PhaseMissing},
	miss:         {PhaseStored},
	mark:         {PhaseVerified},
	remove:       {PhaseDeleting},
	spare:        {PhaseDeleting, PhaseDeleted},
	rebind: {PhaseIntent, PhaseStored, PhaseVerified, PhaseMissing, PhaseRefused, PhaseDeleting,
		PhaseDeleted},
}

// Begin records the intents to append messages, before the last octet of any of them is sent, and gives their IDs. With
// ID 0 it makes a record; otherwise it turns that refused or missing one into an intent again. Of each it takes what
// describes the message (UIDL to Sent, Keep), the folder as it is before the append (Folder, UIDValidity, UIDNext), Given,
// Begun and Run. Marks are what own messages among them say of others.
func (a *Account) Begin(ctx context.Context, rs []Record, marks ...Mark) (ids []int64, err error) {
	ids = make([]int64, len(rs))
	err = a.change(ctx, begin, func(m moving) (err error) {
		if err := m.note(marks); err != nil {
			return err
		}
		for i, r := range rs {
			if ids[i], err = m.put(r, PhaseIntent); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// Resend records that the message of an intent was refused as it was sent, and now goes out in another form, of sent
// octets, and why it is therefore never deleted at the source.
func (a *Account) Resend(ctx context.Context, id, sent int64, keep string) error {
	return a.change(ctx, resend, func(m moving) error { return m.set(id, "sent = ?, keep = ?", sent, keep) })
}

// A Place says where the message of a record is. Zero values: the destination did not say.
type Place struct {
	ID               int64
	UIDValidity, UID uint32
	Given            Given // for Stored, if it is known: the append may have been another one than the intent says
}

// Stored records that the destination has the messages of intents: it said so, or settling found them. UIDValidity 0
// leaves the one from Begin, and so does a Given without flags. A place that another record of the account has is not believed: then it is not known.
func (a *Account) Stored(ctx context.Context, places []Place, at time.Time) error {
	const set = `phase = 'stored', uidvalidity = coalesce(nullif(?, 0), uidvalidity), uid = ?, ended = ?,
		date = iif(? IS NULL, date, ?), flags = coalesce(?, flags), code = '', server = '', next_try = NULL`
	return a.change(ctx, store, func(m moving) error {
		for _, p := range places {
			date, flags := p.Given.columns()
			err := m.set(p.ID, set, p.UIDValidity, p.UID, instant(at), flags, date, flags)
			if errors.Is(classify(err), ErrClaimed) {
				err = m.set(p.ID, set, 0, 0, instant(at), flags, date, flags)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Refused records that the destination said no to the message of an intent, in the words of server, and that it is not
// to be tried again before next.
func (a *Account) Refused(ctx context.Context, id int64, code, server string, at, next time.Time) error {
	return a.change(ctx, refuse, func(m moving) error { return m.refused(id, code, server, at, next) })
}

// RefusedUnsent records that the destination would refuse a message, known before it was retrieved. With r.ID 0 it
// makes a record of r, as [Account.Begin] does; what only retrieving tells is zero. Otherwise that refused one keeps
// what was known of it, since an earlier try may have retrieved it.
func (a *Account) RefusedUnsent(ctx context.Context, r Record, code, server string, at, next time.Time) (
	id int64, err error) {
	err = a.change(ctx, refuseUnsent, func(m moving) (err error) {
		if id = r.ID; id == 0 {
			id, err = m.put(r, PhaseRefused)
		} else {
			err = m.set(id, "run = ?", r.Run)
		}
		if err != nil {
			return err
		}
		return m.refused(id, code, server, at, next)
	})
	if err != nil {
		return 0, err
	}
	return id, nil
}

// Absent records that the messages of intents are not at the destination and will not come there. One that was never
// refused is new again, without a record; another is refused as it was before Begin.
func (a *Account) Absent(ctx context.Context, ids ...int64) error {
	return a.change(ctx, absent, func(m moving) error {
		for _, id := range ids {
			n, err := m.exec("DELETE FROM record WHERE id = ? AND account = ? AND tries = 0 AND phase IN "+m.from, id, a.id)
			if err == nil && n == 0 {
				err = m.set(id, "phase = 'refused'")
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Recognised records that the destination has a message that was never appended: r says which, and where (UID). The
// octets of the two were compared. Marks are what it says of others, if it is an own message. The error is [ErrClaimed] if
// another record of the account has the same place.
func (a *Account) Recognised(ctx context.Context, r Record, marks ...Mark) (id int64, err error) {
	err = a.change(ctx, recognise, func(m moving) (err error) {
		if err := m.note(marks); err != nil {
			return err
		}
		if id, err = m.put(r, PhaseVerified); err != nil {
			return err
		}
		_, err = m.exec(`UPDATE record SET uid = ?, proof = ?, ended = ?, code = '', server = '', next_try = NULL
			WHERE id = ?`, r.UID, r.Proof, instant(r.Ended), id)
		return err
	})
	if err != nil {
		return 0, err
	}
	return id, nil
}

// Learn records where a stored message is, when the destination did not say so at once, or where a missing one was
// found. UID is not 0. The error is [ErrClaimed] if another record of the account has the same place.
func (a *Account) Learn(ctx context.Context, p Place) error {
	return a.change(ctx, learn, func(m moving) error {
		if p.UID == 0 {
			return fmt.Errorf("%w: to UID 0", ErrMove)
		}
		return m.setIf(p.ID, "uid = 0", "uidvalidity = ?, uid = ?", p.UIDValidity, p.UID)
	})
}

// Flagged records that stored messages have got more flags. Where it is not known which they had, that stays so.
func (a *Account) Flagged(ctx context.Context, flags []string, ids []int64) error {
	const set = `flags = iif(instr(lower(' ' || flags || ' '), lower(' ' || ?1 || ' ')) > 0, flags, ltrim(flags || ' ' || ?1))`
	return a.change(ctx, flag, func(m moving) error {
		for _, id := range ids {
			for _, name := range flags {
				if err := m.set(id, set, name); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// A Proof says what read-back has shown of a record.
type Proof struct {
	ID    int64
	Level string // "size" or "digest"
	Keep  string // why it must never be deleted at the source; "" leaves what was said before
}

// Verified records that messages were found at the destination by reading them back.
func (a *Account) Verified(ctx context.Context, proofs []Proof) error {
	return a.change(ctx, verify, func(m moving) error {
		for _, p := range proofs {
			err := m.set(p.ID, "phase = 'verified', proof = ?, keep = coalesce(nullif(?, ''), keep)", p.Level, p.Keep)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Missing records that what the destination said it had stored is not there.
func (a *Account) Missing(ctx context.Context, ids ...int64) error {
	return a.all(ctx, miss, ids, "true", "phase = 'missing', uid = 0")
}

// Deleting records that messages are about to be deleted at the source. The error is [ErrMove] if one of them must
// never be (Keep).
func (a *Account) Deleting(ctx context.Context, ids ...int64) error {
	return a.all(ctx, mark, ids, "keep = ''", "phase = 'deleting'")
}

// Deleted records that the source has deleted messages.
func (a *Account) Deleted(ctx context.Context, ids ...int64) error {
	return a.all(ctx, remove, ids, "true", "phase = 'deleted'")
}

// Kept records that messages were not deleted at the source.
func (a *Account) Kept(ctx context.Context, ids ...int64) error {
	return a.all(ctx, spare, ids, "true", "phase = 'verified'")
}

// A Binding gives a record another name in the maildrop.
type Binding struct {
	ID     int64
	UIDL   string
	Listed int64
}

// Rebind records that the maildrop has given messages other UIDLs, or LIST other sizes.
func (a *Account) Rebind(ctx context.Context, bindings []Binding) error {
	return a.change(ctx, rebind, func(m moving) error {
		for _, b := range bindings {
			if err := m.set(b.ID, "uidl = ?, listed = ?", []byte(b.UIDL), b.Listed); err != nil {
				return err
			}
		}
		return nil
	})
}
