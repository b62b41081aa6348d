package state

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// A verb is something that happens to a record.
type verb string

const (
	begin        verb = "begin"
	store        verb = "store"
	refuse       verb = "refuse"
	refuseUnsent verb = "refuse unsent"
	absent       verb = "settle as absent"
	learn        verb = "learn the UID of"
)

// legal says from which phases a verb may start, and so is the life of a record:
//
//	none    ──begin──────────► intent
//	refused ──begin──────────► intent   another try
//	intent  ──store──────────► stored   the destination said OK, or settling found the message there
//	intent  ──refuse─────────► refused  the destination said NO
//	intent  ──absent─────────► none     settling did not find it: as if nothing had happened
//	intent  ──absent─────────► refused  the same, and it had been refused before
//	none    ──refuse unsent──► refused  the destination would say NO (RFC 7889)
//	refused ──refuse unsent──► refused  the same again
//	stored  ──learn──────────► stored   only once, from "UID not known"
var legal = map[verb][]Phase{
	begin:        {none, PhaseRefused},
	store:        {PhaseIntent},
	refuse:       {PhaseIntent},
	absent:       {PhaseIntent},
	refuseUnsent: {none, PhaseRefused},
	learn:        {PhaseStored},
}

// Begin records the intent to append a message, before the first octet of it is sent. With r.ID 0 it makes a record;
// otherwise it turns that refused one into an intent again. Of r it takes what describes the message (UIDL to
// MessageID), the folder as it is before the append (Folder, UIDValidity, UIDNext), Begun and Run.
func (a *Account) Begin(ctx context.Context, r Record) (id int64, err error) {
	return a.move(ctx, begin, r.ID, func(ctx context.Context, tx *sql.Tx, _ Record) (int64, error) {
		return a.put(ctx, tx, r, PhaseIntent)
	})
}

// Stored records that the destination has the message of an intent: it said so, or settling found it. uid 0 means
// that it did not say where; uidvalidity 0 leaves the one from Begin. The error is [ErrClaimed], and the record stays
// an intent, if another record of the account has the same place.
func (a *Account) Stored(ctx context.Context, id int64, uidvalidity, uid uint32, at time.Time) error {
	_, err := a.move(ctx, store, id, func(ctx context.Context, tx *sql.Tx, was Record) (int64, error) {
		if uidvalidity == 0 {
			uidvalidity = was.UIDValidity
		}
		return id, apply(ctx, tx, `UPDATE record SET phase = 'stored', uidvalidity = ?, uid = ?, ended = ?,
			code = '', server = '', next_try = NULL WHERE id = ?`, uidvalidity, uid, instant(at), id)
	})
	return err
}

// Refused records that the destination said no to the message of an intent, in the words of server, and that it is not
// to be tried again before next.
func (a *Account) Refused(ctx context.Context, id int64, code, server string, at, next time.Time) error {
	_, err := a.move(ctx, refuse, id, func(ctx context.Context, tx *sql.Tx, _ Record) (int64, error) {
		return id, refused(ctx, tx, id, code, server, at, next)
	})
	return err
}

// RefusedUnsent records that the destination would refuse a message, known before it was retrieved. With r.ID 0 it
// makes a record of r, as [Account.Begin] does; what only retrieving tells is zero. Otherwise that refused one keeps
// what was known of it, since an earlier try may have retrieved it.
func (a *Account) RefusedUnsent(ctx context.Context, r Record, code, server string, at, next time.Time) (
	id int64, err error) {
	return a.move(ctx, refuseUnsent, r.ID, func(ctx context.Context, tx *sql.Tx, was Record) (int64, error) {
		if was.Phase == none {
			was.ID, err = a.put(ctx, tx, r, PhaseRefused)
		} else {
			err = apply(ctx, tx, "UPDATE record SET run = ? WHERE id = ?", r.Run, was.ID)
		}
		if err != nil {
			return 0, err
		}
		return was.ID, refused(ctx, tx, was.ID, code, server, at, next)
	})
}

// Absent records that the message of an intent is not at the destination and will not come there. A message that was
// never refused is new again, without a record; another is refused as it was before Begin.
func (a *Account) Absent(ctx context.Context, id int64) error {
	_, err := a.move(ctx, absent, id, func(ctx context.Context, tx *sql.Tx, was Record) (int64, error) {
		if was.Tries == 0 {
			return id, apply(ctx, tx, "DELETE FROM record WHERE id = ?", id)
		}
		return id, apply(ctx, tx, "UPDATE record SET phase = 'refused' WHERE id = ?", id)
	})
	return err
}

// Learn records where a stored message is, when the destination did not say so at once. uid is not 0. The error is
// [ErrClaimed] if another record of the account has the same place.
func (a *Account) Learn(ctx context.Context, id int64, uid uint32) error {
	_, err := a.move(ctx, learn, id, func(ctx context.Context, tx *sql.Tx, was Record) (int64, error) {
		if was.UID != 0 || uid == 0 {
			return id, fmt.Errorf("%w: from UID %d to UID %d", ErrMove, was.UID, uid)
		}
		return id, apply(ctx, tx, "UPDATE record SET uid = ? WHERE id = ?", uid, id)
	})
	return err
}

// move lets a verb change a record, if that is legal, in one durable transaction. id 0 stands for a new record.
func (a *Account) move(ctx context.Context, v verb, id int64,
	change func(context.Context, *sql.Tx, Record) (int64, error)) (int64, error) {
	to := id
	err := a.store.update(ctx, func(ctx context.Context, tx *sql.Tx) error {
		was, err := a.record(ctx, tx, id)
		if err != nil {
			return err
		}
		if !slices.Contains(legal[v], was.Phase) {
			return fmt.Errorf("%w: it is in phase %v", ErrMove, was.Phase)
		}
		to, err = change(ctx, tx, was)
		return err
	})
	if err != nil {
		return 0, a.store.fail(fmt.Sprintf("%s record %d of account %s", v, id, a.Name), err)
	}
	return to, nil
}

// record gives the record of that id as it is. With id 0 it gives none; a record that is not there is a wrong move.
func (a *Account) record(ctx context.Context, tx *sql.Tx, id int64) (Record, error) {
	if id == 0 {
		return Record{}, nil
	}
	rs, err := collect(ctx, tx, scanRecord, "SELECT "+columns+" FROM record WHERE account = ? AND id = ?", a.id, id)
	if err != nil {
		return Record{}, err
	}
	if len(rs) == 0 {
		return Record{}, fmt.Errorf("%w: there is no such record", ErrMove)
	}
	return rs[0], nil
}

// put makes a record of what r tells of a message, or puts that into the one that is there. Its past stays.
func (a *Account) put(ctx context.Context, tx *sql.Tx, r Record, to Phase) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO record (id, account, uidl, size, digest, header, message_id,
			folder, uidvalidity, uidnext, uid, phase, begun, code, server, tries, run)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, '', '', 0, ?)
		ON CONFLICT (id) DO UPDATE SET uidl = excluded.uidl, size = excluded.size, digest = excluded.digest,
			header = excluded.header, message_id = excluded.message_id, folder = excluded.folder,
			uidvalidity = excluded.uidvalidity, uidnext = excluded.uidnext, phase = excluded.phase,
			begun = excluded.begun, run = excluded.run
		RETURNING id`,
		sql.NullInt64{Int64: r.ID, Valid: r.ID != 0}, a.id, []byte(r.UIDL), r.Size, r.Digest[:], r.Header[:],
		[]byte(r.MessageID), r.Folder, r.UIDValidity, r.UIDNext, to.String(), instant(r.Begun), r.Run).Scan(&id)
	return id, err
}

// refused makes a record a refused one, once more.
func refused(ctx context.Context, tx *sql.Tx, id int64, code, server string, at, next time.Time) error {
	return apply(ctx, tx, `UPDATE record SET phase = 'refused', code = ?, server = ?, ended = ?, next_try = ?,
		tries = tries + 1 WHERE id = ?`, code, server, instant(at), instant(next), id)
}

// apply executes a statement of which only success matters.
func apply(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	_, err := tx.ExecContext(ctx, query, args...)
	return err
}
