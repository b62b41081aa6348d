package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/gofrs/flock"
)

// A Key says which two ends belong together. Records are of a key, so its spelling must not change between runs: what
// has another key has another memory.
type Key struct {
	From string // the maildrop: user and host
	To   string // the destination: user and host
}

// An Account is one maildrop and its destination, and all that is remembered of them. What runs change in it they
// must change under its [Account.Lock].
type Account struct {
	Name string // what the user calls it
	Key  Key

	store *Store
	id    int64
}

// Account finds the account with that key, or makes it. The name is what it is called from now on.
func (s *Store) Account(ctx context.Context, name string, key Key) (*Account, error) {
	err := s.update(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO account (name, source, destination) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET name = excluded.name`, name, key.From, key.To)
		return err
	})
	if err != nil {
		return nil, s.fail("enter an account", err)
	}
	return s.Find(ctx, key)
}

// Find finds the account with that key. The error is [ErrNoAccount] if there is none.
func (s *Store) Find(ctx context.Context, key Key) (*Account, error) {
	a := &Account{Key: key, store: s}
	err := s.read.QueryRowContext(ctx, "SELECT id, name FROM account WHERE source = ? AND destination = ?",
		key.From, key.To).Scan(&a.id, &a.Name)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoAccount
	}
	if err != nil {
		return nil, s.fail("find an account", err)
	}
	return a, nil
}

// Accounts gives all accounts in order of their names.
func (s *Store) Accounts(ctx context.Context) ([]*Account, error) {
	const query = "SELECT id, name, source, destination FROM account ORDER BY name, id"
	as, err := collect(ctx, s.read, func(row scanner) (*Account, error) {
		a := &Account{store: s}
		return a, row.Scan(&a.id, &a.Name, &a.Key.From, &a.Key.To)
	}, query)
	if err != nil {
		return nil, s.fail("list the accounts", err)
	}
	return as, nil
}

// Lock makes the account this run's own until unlock is called, or the process dies in whatever way. It does not
// wait: [ErrLocked] if another process, or another Lock in this one, has it. The lock is a file beside the state.
// It must not be called on a store from [OpenReadOnly].
func (a *Account) Lock() (unlock func(), err error) {
	path := a.lockFile()
	f := flock.New(path, flock.SetPermissions(0o600))
	locked, err := f.TryLock()
	if err == nil && !locked {
		err = ErrLocked
	}
	if err != nil {
		return nil, fmt.Errorf("lock account %s (%s): %w", a.Name, path, err)
	}
	return func() { f.Close() }, nil // closing frees it, whatever unlocking says
}

func (a *Account) lockFile() string { return fmt.Sprintf("%s.%d.lock", a.store.path, a.id) }

// Locked says whether a run holds the account. It makes and changes nothing. Where no run does, one that wants to begin
// at this very instant may be told that another does: so it is to be asked only where one seems to be going on.
func (a *Account) Locked() (bool, error) {
	f := flock.New(a.lockFile(), flock.SetFlag(os.O_RDONLY))
	free, err := f.TryRLock()
	defer f.Close()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look at the lock of account %s: %w", a.Name, err)
	}
	return !free, nil
}

// LookedThrough gives what LookThrough recorded of a folder; zero values if nothing was.
func (a *Account) LookedThrough(ctx context.Context, folder string) (uidvalidity, uidnext uint32, err error) {
	err = a.store.read.QueryRowContext(ctx, "SELECT uidvalidity, uidnext FROM looked WHERE account = ? AND folder = ?",
		a.id, folder).Scan(&uidvalidity, &uidnext)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, 0, a.failed(err)
	}
	return uidvalidity, uidnext, nil
}

// LookThrough records that all messages of a folder of the destination below uidnext were compared with all of the
// maildrop that would go there: none of them is a copy of one that still waits.
func (a *Account) LookThrough(ctx context.Context, folder string, uidvalidity, uidnext uint32) error {
	err := a.store.update(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return apply(ctx, tx, `INSERT INTO looked (account, folder, uidvalidity, uidnext) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET uidvalidity = excluded.uidvalidity, uidnext = excluded.uidnext`,
			a.id, folder, uidvalidity, uidnext)
	})
	if err != nil {
		return a.store.fail("remember how far a folder was looked through", err)
	}
	return nil
}
