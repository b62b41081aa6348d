package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A Run is the report of one run over an account. The counts are those that the program prints.
type Run struct {
	ID    int64 // given by the state, never twice
	Began time.Time
	Ended time.Time // zero: it is still going, or was killed

	Listed, Known, New, Copied, Recognised, Refused, InDoubt, Vanished, Left, Quarantined, Deleted int

	Bytes int64  // appended
	Error string // why it ended early; "" if it did not
}

// RunStarted records that a run begins, and forgets all but the last 100 runs of the account.
func (a *Account) RunStarted(ctx context.Context, at time.Time) (id int64, err error) {
	err = a.store.update(ctx, func(ctx context.Context, tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "INSERT INTO run (account, began) VALUES (?, ?) RETURNING id",
			a.id, instant(at)).Scan(&id)
		if err != nil {
			return err
		}
		return apply(ctx, tx, `DELETE FROM run WHERE account = ?1 AND id <= (
			SELECT id FROM run WHERE account = ?1 ORDER BY id DESC LIMIT 1 OFFSET 100)`, a.id)
	})
	if err != nil {
		return 0, a.store.fail("begin a run of account "+a.Name, err)
	}
	return id, nil
}

// RunEnded records what the run r.ID came to. Began stays as RunStarted had it.
func (a *Account) RunEnded(ctx context.Context, r Run) error {
	err := a.store.update(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var id int64
		err := tx.QueryRowContext(ctx, `UPDATE run SET ended = ?, listed = ?, known = ?, new = ?, copied = ?,
				recognised = ?, refused = ?, in_doubt = ?, vanished = ?, "left" = ?, quarantined = ?, deleted = ?,
				bytes = ?, error = ?
			WHERE account = ? AND id = ? RETURNING id`,
			instant(r.Ended), r.Listed, r.Known, r.New, r.Copied, r.Recognised, r.Refused, r.InDoubt, r.Vanished,
			r.Left, r.Quarantined, r.Deleted, r.Bytes, r.Error, a.id, r.ID).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return errors.New("it never began")
		}
		return err
	})
	if err != nil {
		return a.store.fail(fmt.Sprintf("end run %d of account %s", r.ID, a.Name), err)
	}
	return nil
}

// LastRun gives the run that began last, and whether there was any.
func (a *Account) LastRun(ctx context.Context) (r Run, ok bool, err error) {
	err = a.store.read.QueryRowContext(ctx, `SELECT id, began, ended, listed, known, new, copied, recognised, refused,
			in_doubt, vanished, "left", quarantined, deleted, bytes, error
		FROM run WHERE account = ? ORDER BY id DESC LIMIT 1`, a.id).Scan(
		&r.ID, nanoseconds{&r.Began}, nanoseconds{&r.Ended}, &r.Listed, &r.Known, &r.New, &r.Copied, &r.Recognised,
		&r.Refused, &r.InDoubt, &r.Vanished, &r.Left, &r.Quarantined, &r.Deleted, &r.Bytes, &r.Error)
	if errors.Is(err, sql.ErrNoRows) {
		return Run{}, false, nil
	}
	if err != nil {
		return Run{}, false, a.store.fail("read the last run of account "+a.Name, err)
	}
	return r, true, nil
}
