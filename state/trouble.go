package state

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// A Trouble is one that passes (a server that is away, a maildrop in use, another run that goes on), and has not passed
// yet: each run of the account met it since it began. Its verbs need no [Account.Lock]: that another run has it may be the
// trouble.
type Trouble struct {
	Began time.Time // when the first run that met it gave up
	Runs  int       // that met it
	Told  time.Time // when the user was told of it; zero: not yet
}

// Trouble gives the trouble of the account, and whether it has any.
func (a *Account) Trouble(ctx context.Context) (t Trouble, ok bool, err error) {
	err = scanTrouble(a.store.read.QueryRowContext(ctx, "SELECT began, runs, told FROM trouble WHERE account = ?", a.id), &t)
	if errors.Is(err, sql.ErrNoRows) {
		return Trouble{}, false, nil
	}
	if err != nil {
		return Trouble{}, false, a.store.fail("read the trouble of account "+a.Name, err)
	}
	return t, true, nil
}

// TroubleMet records that one more run met trouble, and gives what there is of it now. anew: the run had got somewhere
// before. So trouble that nobody was told of begins only now; what was told goes on until a run gets through.
func (a *Account) TroubleMet(ctx context.Context, at time.Time, anew bool) (t Trouble, err error) {
	err = a.store.update(ctx, func(ctx context.Context, tx *sql.Tx) error {
		// A clock that was ahead, and was set right, must not put the beginning off.
		return scanTrouble(tx.QueryRowContext(ctx, `INSERT INTO trouble (account, began, runs) VALUES (?1, ?2, 1)
			ON CONFLICT DO UPDATE SET
				began = CASE WHEN ?3 AND told IS NULL THEN excluded.began ELSE min(began, excluded.began) END,
				runs  = CASE WHEN ?3 AND told IS NULL THEN 1 ELSE runs + 1 END
			RETURNING began, runs, told`, a.id, at.UnixNano(), anew), &t)
	})
	if err != nil {
		return Trouble{}, a.store.fail("remember the trouble of account "+a.Name, err)
	}
	return t, nil
}

// TroubleTold records that the user was told of it.
func (a *Account) TroubleTold(ctx context.Context, at time.Time) error {
	err := a.store.update(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return apply(ctx, tx, "UPDATE trouble SET told = ? WHERE account = ? AND told IS NULL", at.UnixNano(), a.id)
	})
	if err != nil {
		return a.store.fail("remember that the trouble of account "+a.Name+" was told", err)
	}
	return nil
}

// TroubleOver forgets it.
func (a *Account) TroubleOver(ctx context.Context) error {
	err := a.store.update(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return apply(ctx, tx, "DELETE FROM trouble WHERE account = ?", a.id)
	})
	if err != nil {
		return a.store.fail("forget the trouble of account "+a.Name, err)
	}
	return nil
}

func scanTrouble(row scanner, t *Trouble) error {
	return row.Scan(nanoseconds{&t.Began}, &t.Runs, nanoseconds{&t.Told})
}
