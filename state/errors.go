package state

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	// ErrLocked: another run holds the account, in this process or another.
	ErrLocked = errors.New("in use by another run")
	// ErrNewer: a newer program wrote the state, and this one does not know what it means.
	ErrNewer = errors.New("written by a newer program")
	// ErrOlder: an older program wrote the state, and it is only looked at. [Open] brings it up to date.
	ErrOlder = errors.New("written by an older program")
	// ErrNoAccount: the state does not know the account.
	ErrNoAccount = errors.New("no such account in the state")
	// ErrCorrupt: the file is damaged, or is no state at all. To go on with an empty one would copy everything again.
	ErrCorrupt = errors.New("the state is damaged")
	// ErrMove: the record is not in a phase from which it may go there. This is a bug of the caller.
	ErrMove = errors.New("illegal move")
	// ErrClaimed: another record of the account already claims that message at the destination.
	ErrClaimed = errors.New("already claimed by another record")
)

// fail says of which file, and what was being done.
func (s *Store) fail(doing string, err error) error {
	return fmt.Errorf("state %s: %s: %w", s.path, doing, classify(err))
}

const primary = 0xff // of SQLite's result codes; the rest is detail

// classify adds to SQLite's error the one of ours that it means.
func classify(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch {
	case e.Code()&primary == sqlite3.SQLITE_CORRUPT, e.Code()&primary == sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	case e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE: // only record_place can be hit
		return fmt.Errorf("%w: %w", ErrClaimed, err)
	}
	return err
}

// isIO says whether the disk failed; a full one did not.
func isIO(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&primary == sqlite3.SQLITE_IOERR
}
