package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// application marks the file as ours (PRAGMA application_id): "p2im".
const application = 0x7032696d

// steps bring a state from version N (PRAGMA user_version) to N+1. A step that was released is never changed.
var steps = []string{`
CREATE TABLE account (
	id          INTEGER PRIMARY KEY AUTOINCREMENT, -- names a lock file
	name        TEXT NOT NULL,                     -- for people; may change
	source      TEXT NOT NULL,
	destination TEXT NOT NULL,
	UNIQUE (source, destination)
) STRICT;

CREATE TABLE record ( -- times are in nanoseconds since 1970, NULL: none
	id          INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice
	account     INTEGER NOT NULL REFERENCES account,
	uidl        BLOB    NOT NULL,                  -- as the server gave it, any octets
	size        INTEGER NOT NULL,
	digest      BLOB    NOT NULL,
	header      BLOB    NOT NULL,
	message_id  BLOB    NOT NULL,
	folder      TEXT    NOT NULL,
	uidvalidity INTEGER NOT NULL,
	uidnext     INTEGER NOT NULL,
	uid         INTEGER NOT NULL,                  -- 0: not known
	phase       TEXT    NOT NULL CHECK (phase IN ('intent', 'stored', 'refused')),
	begun       INTEGER,
	ended       INTEGER,
	code        TEXT    NOT NULL,
	server      TEXT    NOT NULL,
	tries       INTEGER NOT NULL,
	next_try    INTEGER,
	run         INTEGER NOT NULL
) STRICT;
CREATE INDEX record_uidl     ON record (account, uidl);
CREATE INDEX record_digest   ON record (account, digest);
CREATE INDEX record_header   ON record (account, header);
CREATE INDEX record_intent   ON record (account) WHERE phase = 'intent';
CREATE INDEX record_refused  ON record (account) WHERE phase = 'refused';
CREATE INDEX record_unplaced ON record (account) WHERE phase = 'stored' AND uid = 0;
CREATE UNIQUE INDEX record_place ON record (account, folder, uidvalidity, uid) WHERE uid <> 0;

CREATE TABLE run (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	account     INTEGER NOT NULL REFERENCES account,
	began       INTEGER,
	ended       INTEGER, -- NULL: still going, or killed
	listed      INTEGER NOT NULL DEFAULT 0,
	known       INTEGER NOT NULL DEFAULT 0,
	new         INTEGER NOT NULL DEFAULT 0,
	copied      INTEGER NOT NULL DEFAULT 0,
	recognised  INTEGER NOT NULL DEFAULT 0,
	refused     INTEGER NOT NULL DEFAULT 0,
	in_doubt    INTEGER NOT NULL DEFAULT 0,
	vanished    INTEGER NOT NULL DEFAULT 0,
	"left"      INTEGER NOT NULL DEFAULT 0,
	quarantined INTEGER NOT NULL DEFAULT 0,
	bytes       INTEGER NOT NULL DEFAULT 0,
	error       TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX run_account ON run (account, id);
`, `
CREATE TABLE record2 ( -- as record, and:
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	account     INTEGER NOT NULL REFERENCES account,
	uidl        BLOB    NOT NULL,
	listed      INTEGER NOT NULL, -- what LIST said
	size        INTEGER NOT NULL,
	digest      BLOB    NOT NULL,
	header      BLOB    NOT NULL,
	body        BLOB    NOT NULL, -- digest of what follows the header
	message_id  BLOB    NOT NULL,
	sent        INTEGER NOT NULL, -- octets as they were sent
	folder      TEXT    NOT NULL,
	uidvalidity INTEGER NOT NULL,
	uidnext     INTEGER NOT NULL,
	uid         INTEGER NOT NULL,
	phase       TEXT    NOT NULL CHECK (phase IN
		('intent', 'stored', 'verified', 'missing', 'refused', 'deleting', 'deleted')),
	proof       TEXT    NOT NULL, -- level of the read-back
	keep        TEXT    NOT NULL, -- why it must never be deleted at the source; '': it may
	begun       INTEGER,
	ended       INTEGER,
	code        TEXT    NOT NULL,
	server      TEXT    NOT NULL,
	tries       INTEGER NOT NULL,
	next_try    INTEGER,
	run         INTEGER NOT NULL
) STRICT;
-- The IDs of records that are gone are not given again either.
INSERT INTO sqlite_sequence SELECT 'record2', seq FROM sqlite_sequence WHERE name = 'record';
INSERT INTO record2 SELECT id, account, uidl, size, size, digest, header, zeroblob(32), message_id, size, folder,
	uidvalidity, uidnext, uid, phase, '', '', begun, ended, code, server, tries, next_try, run FROM record;
DROP TABLE record;
ALTER TABLE record2 RENAME TO record;
CREATE INDEX record_uidl       ON record (account, uidl);
CREATE INDEX record_digest     ON record (account, digest);
CREATE INDEX record_header     ON record (account, header);
CREATE INDEX record_intent     ON record (account) WHERE phase = 'intent';
CREATE INDEX record_refused    ON record (account) WHERE phase = 'refused';
CREATE INDEX record_missing    ON record (account) WHERE phase = 'missing';
CREATE INDEX record_deleting   ON record (account) WHERE phase = 'deleting';
CREATE INDEX record_deleted    ON record (account) WHERE phase = 'deleted';
CREATE INDEX record_unverified ON record (account) WHERE phase = 'stored';
CREATE INDEX record_unplaced   ON record (account) WHERE phase = 'stored' AND uid = 0;
CREATE UNIQUE INDEX record_place ON record (account, folder, uidvalidity, uid) WHERE uid <> 0;

ALTER TABLE account ADD COLUMN uidvalidity INTEGER NOT NULL DEFAULT 0; -- of the folder when it was last looked through
ALTER TABLE account ADD COLUMN uidnext     INTEGER NOT NULL DEFAULT 0; -- what lies below was compared
ALTER TABLE run ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
`, `
CREATE TABLE looked ( -- how far each folder was looked through
	account     INTEGER NOT NULL REFERENCES account,
	folder      TEXT    NOT NULL,
	uidvalidity INTEGER NOT NULL,
	uidnext     INTEGER NOT NULL, -- what lies below was compared
	PRIMARY KEY (account, folder)
) STRICT;
-- Until now an account had one folder. One without a record is looked through again.
INSERT INTO looked SELECT a.id, r.folder, a.uidvalidity, a.uidnext FROM account a JOIN record r
	ON r.id = (SELECT max(id) FROM record WHERE account = a.id) WHERE a.uidvalidity <> 0;
ALTER TABLE account DROP COLUMN uidvalidity;
ALTER TABLE account DROP COLUMN uidnext;
`, `
CREATE TABLE mark ( -- what own messages said of others, until the run that read them is done with them
	account    INTEGER NOT NULL REFERENCES account,
	message_id BLOB    NOT NULL, -- of the other one
	flag       TEXT    NOT NULL,
	written    INTEGER NOT NULL, -- when the own message was, nanoseconds since 1970; 0: not known
	last       INTEGER NOT NULL, -- the last record before it
	PRIMARY KEY (account, message_id, flag)
) STRICT, WITHOUT ROWID;
`, `
CREATE TABLE trouble ( -- that passes, and that each run of the account met since it began
	account INTEGER PRIMARY KEY REFERENCES account,
	began   INTEGER NOT NULL,
	runs    INTEGER NOT NULL,
	told    INTEGER -- NULL: not yet
) STRICT;
`, `
ALTER TABLE record ADD COLUMN date  INTEGER; -- INTERNALDATE, seconds since 1970; NULL: none, or not known
ALTER TABLE record ADD COLUMN flags TEXT;    -- with a space between; NULL: not known, as in all records of before
`}

// ready makes sure that the file is a state of the current version, in WAL mode. The caller has the guard.
func (s *Store) ready(ctx context.Context, steps []string) error {
	v, err := s.version(ctx, len(steps)) // before the first write: a file that is not ours stays as it is
	if err != nil {
		return err
	}
	if v < len(steps) {
		if err := s.backup(ctx, fmt.Sprintf("%s.v%d.bak", s.path, v)); err != nil {
			return s.fail("back up before the migration", err)
		}
		err := s.update(ctx, func(ctx context.Context, tx *sql.Tx) error { return climb(ctx, tx, steps, v) })
		if err != nil {
			return s.fail(fmt.Sprintf("migrate from version %d", v), err)
		}
	}
	var mode string
	if err := s.write.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return s.fail("open", err)
	}
	if mode != "wal" { // no shared memory, as on some network file systems
		return s.fail("open", fmt.Errorf("the file system cannot hold it: journal mode is %s instead of wal", mode))
	}
	return nil
}

// version gives the version of the state, which is at most current.
func (s *Store) version(ctx context.Context, current int) (v int, err error) {
	var app int
	err = s.read.QueryRowContext(ctx,
		"SELECT application_id, user_version FROM pragma_application_id, pragma_user_version").Scan(&app, &v)
	switch {
	case err != nil:
	case app != application:
		err = fmt.Errorf("%w: the file is another program's", ErrCorrupt)
	case v > current:
		err = fmt.Errorf("%w (version %d, this one knows %d)", ErrNewer, v, current)
	}
	if err != nil {
		return 0, s.fail("open", err)
	}
	return v, nil
}

// climb takes the steps from version v on.
func climb(ctx context.Context, tx *sql.Tx, steps []string, v int) error {
	for _, step := range steps[v:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(steps)))
	return err
}

// backup copies the state as it is into the file to, whole or not at all.
func (s *Store) backup(ctx context.Context, to string) error {
	return whole(to, func(part string) error {
		_, err := s.write.ExecContext(ctx, "VACUUM INTO ?", part)
		return err
	})
}

// create makes a state of the current version if there is none. It is made beside and then renamed, so that there is
// never half a state, and an empty file can be told from a new one.
func create(ctx context.Context, path string, steps []string) error {
	if err := present(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// SQLite would take a left over journal for the new file's, and mix the two.
	if _, err := os.Lstat(path + "-wal"); err == nil {
		return fmt.Errorf("%w: the file is gone, but its %s-wal is there", ErrCorrupt, filepath.Base(path))
	}
	return whole(path, func(part string) error {
		db := connect(part, always+"&_txlock=immediate")
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return errors.Join(err, db.Close())
		}
		defer tx.Rollback() // does nothing after Commit
		_, err = tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", application))
		if err == nil {
			err = climb(ctx, tx, steps, 0)
		}
		if err == nil {
			err = tx.Commit()
		}
		return errors.Join(err, db.Close())
	})
}
