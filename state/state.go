// Package state is the memory that survives: which message of a maildrop was appended where, what was refused and
// when it may be tried again, and what is in doubt because its reply was lost. It is kept in one SQLite file, several
// accounts in it, each locked by the run that works on it.
//
// The life of a record is a table of legal moves (moves.go), and verbs such as [Account.Begin] and [Account.Stored]
// are its only door. A verb that returned nil is on disk: it survives kill -9 and a power cut. One that returned an
// error has changed nothing; but after an I/O error only the disk knows: then every later verb fails with that error,
// and the state must be opened again to see what is there. What a record means for a run is left to package sync;
// nothing here speaks to a server.
//
// No subject and no address is stored, but the two that make an account's [Key].
package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"

	"github.com/pop2imap/pop2imap/internal/step"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// A Store is an open state file. Its methods and those of its accounts may be called from any goroutine, and other
// processes may have the same file open.
type Store struct {
	path  string
	read  *sql.DB // as many connections as there are readers; none can write
	write *sql.DB // one connection: verbs take turns instead of polling for SQLite's lock

	broken atomic.Pointer[error] // the I/O error after which nothing more is written
}

// Open opens the state in the file path. What is missing of folders (0700) and file (0600) is made, and a state
// written by an older program is brought up to date after a backup of it was left in path.v<N>.bak.
//
// Beside the file live path.lock, which guards this, an empty lock file for each account, and while the state is open
// SQLite's path-wal and path-shm. They are part of the state: never delete one without all.
//
// Errors: [ErrCorrupt], [ErrNewer], [ErrLocked] when another process is busy making the state for more than a minute,
// or the system's, such as [io/fs.ErrPermission].
func Open(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, steps)
}

func open(ctx context.Context, path string, steps []string) (*Store, error) {
	path, err := resolve(path)
	if err != nil {
		return nil, err
	}
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("make the folder of the state: %w", err)
	}
	unlock, err := guard(ctx, path+".lock")
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := create(ctx, path, steps); err != nil {
		return nil, fmt.Errorf("make the state %s: %w", path, classify(err))
	}
	s := &Store{path: path, read: connect(path, reading), write: connect(path, writing)}
	s.write.SetMaxOpenConns(1)
	if err := s.ready(ctx, steps); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// OpenReadOnly opens a state for a look. It makes and migrates nothing, and nothing that would change a record works
// on it. Other processes may go on writing; each query sees what was committed when it began. Close leaves no file
// behind that was not there before; a journal that a killed process left is folded into the file by it, as any Close
// does.
//
// The error wraps [io/fs.ErrNotExist] when there is no state. Others: [ErrCorrupt], [ErrNewer], [ErrOlder].
func OpenReadOnly(ctx context.Context, path string) (*Store, error) {
	return openReadOnly(ctx, path, len(steps))
}

func openReadOnly(ctx context.Context, path string, current int) (*Store, error) {
	path, err := resolve(path)
	if err != nil {
		return nil, err
	}
	if err := present(path); err != nil {
		return nil, fmt.Errorf("open the state: %w", err)
	}
	db := connect(path, reading)
	s := &Store{path: path, read: db, write: db}
	v, err := s.version(ctx, current)
	if err == nil && v < current {
		err = s.fail("open", fmt.Errorf("%w (version %d of %d): sync brings it up to date", ErrOlder,
			v, current))
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends all use of the store. Locks of accounts are not touched.
func (s *Store) Close() error {
	err := s.read.Close()
	if s.write != s.read {
		err = errors.Join(err, s.write.Close())
	}
	if err != nil {
		return s.fail("close", err)
	}
	return nil
}

// resolve gives the one name of a state, so that all its users find the same locks beside it.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find the state %s: %w", path, err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, nil
	}
	return path, nil // it is not there yet
}

// guard takes the lock under which a state is made and migrated.
func guard(ctx context.Context, path string) (unlock func(), err error) {
	// Making takes milliseconds and the backup of a million records seconds: a minute means that something is wrong.
	short, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	f := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o600)) // RDWR: not on a read-only disk
	if _, err := f.TryLockContext(short, 10*time.Millisecond); err != nil {
		if short.Err() != nil && ctx.Err() == nil {
			err = ErrLocked
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil // closing frees it, whatever unlocking says
}

// Every connection of the pools gets these, which is why they stand in the data source's name. FULL: in WAL mode NORMAL
// would not sync at commit, and a power cut would then lose intents. The writer has 16 MiB each for its cache and for the
// journal between two checkpoints: digests fall anywhere in their indexes, and less of either means reading and writing
// the same pages again with each batch.
var (
	always  = "mode=rw&_busy_timeout=10000&_foreign_keys=1&_synchronous=FULL"
	reading = always + "&_query_only=1"
	writing = always + "&_journal_mode=WAL&_txlock=immediate&_pragma=cache_size(-8192)&_pragma=wal_autocheckpoint(4000)"
)

// connect makes a pool of connections to an existing file. It does no I/O.
func connect(path, params string) *sql.DB {
	u := url.URL{Scheme: "file", Path: path, RawQuery: params}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		panic(err) // only if the driver were not linked in
	}
	return db
}

// present says whether there is a state at path, by the outside. It must not open the file: closing it again would
// drop the locks that another Store of this process has on it (fcntl(2)).
func present(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	// The file comes into being whole (see create), so an empty one lost its content. SQLite would take it for new and
	// delete its journal.
	if info.Mode().IsRegular() && info.Size() == 0 {
		return fmt.Errorf("%w: %s is empty", ErrCorrupt, path)
	}
	return nil
}

// update runs change in one transaction that is on disk when update returns nil, and undone when it does not. Once
// begun it is not disturbed by ctx: what is to be recorded has already happened.
//
// After an I/O error there is no more writing. The kernel may report a failed fsync once and then forget the pages, so
// that the next one succeeds without them.
func (s *Store) update(ctx context.Context, change func(context.Context, *sql.Tx) error) error {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if broken := s.broken.Load(); broken != nil {
		return *broken
	}
	err = transact(context.WithoutCancel(ctx), conn, change)
	if isIO(err) {
		s.broken.Store(&err)
	}
	return err
}

func transact(ctx context.Context, conn *sql.Conn, change func(context.Context, *sql.Tx) error) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if err := change(ctx, tx); err != nil {
		return err
	}
	step.At("commit")
	defer step.At("committed")
	return tx.Commit()
}
