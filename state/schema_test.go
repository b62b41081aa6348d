package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// future is what a newer program might know.
var future = append(slices.Clone(steps),
	"ALTER TABLE record ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'",
	"CREATE TABLE extra (x) STRICT; broken")

// unreleased is the version that future begins with.
var unreleased = len(steps) + 1

func TestMigration(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "state.db")
	old, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	stage(t, account(t, old), "stored")
	want := all(t, account(t, old))
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := openReadOnly(ctx, path, unreleased); !errors.Is(err, ErrOlder) {
		t.Errorf("read-only of an older state: %v", err)
	}
	backup := fmt.Sprintf("%s.v%d.bak", path, len(steps))
	if err := os.WriteFile(backup+".part", []byte("of a killed process"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := open(ctx, path, future[:unreleased])
	if err != nil {
		t.Fatal(err)
	}
	if got := all(t, account(t, s)); !slices.Equal(got, want) {
		t.Errorf("after the migration %+v, want %+v", got, want)
	}
	var colour string
	if err := s.read.QueryRowContext(ctx, "SELECT colour FROM record").Scan(&colour); err != nil || colour != "grey" {
		t.Errorf("got %q (%v), want the new column", colour, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for how, open := range map[string]func() (*Store, error){
		"Open":         func() (*Store, error) { return Open(ctx, path) },
		"OpenReadOnly": func() (*Store, error) { return OpenReadOnly(ctx, path) },
	} {
		if _, err := open(); !errors.Is(err, ErrNewer) || errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want ErrNewer with the path", how, err)
		}
	}
	if info, err := os.Stat(backup); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("backup: %v (%v), want 0600", info, err)
	}
	if got := all(t, account(t, reopened(t, backup))); !slices.Equal(got, want) {
		t.Errorf("the backup has %+v, want %+v", got, want)
	}
}

// first makes a state of version 1, as the first program did.
func first(t *testing.T, path, rows string) {
	t.Helper()
	s, err := open(t.Context(), path, steps[:1])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.write.ExecContext(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

const firstRows = `
INSERT INTO account (id, name, source, destination) VALUES (3, 'alice', 'alice@pop.example', 'alice@imap.example');
INSERT INTO record VALUES
	(1, 3, x'ff00', 100, zeroblob(32), x'1111111111111111111111111111111111111111111111111111111111111111', x'3c613e',
		'INBOX', 9, 4, 5, 'stored', 10, 20, '', '', 2, NULL, 7),
	(2, 3, x'62', 200, x'2222222222222222222222222222222222222222222222222222222222222222', zeroblob(32), x'',
		'INBOX', 9, 4, 0, 'intent', 30, NULL, '', '', 0, NULL, 7),
	(5, 3, x'62', 300, zeroblob(32), zeroblob(32), x'', 'Post ä', 0, 0, 0, 'refused', NULL, 40, 'LIMIT', 'no', 1, 50, 8),
	(40, 3, x'63', 1, zeroblob(32), zeroblob(32), x'', 'INBOX', 9, 4, 0, 'intent', 60, NULL, '', '', 0, NULL, 8);
DELETE FROM record WHERE id = 40; -- its intent came to nothing
INSERT INTO run (id, account, began, listed, error) VALUES (8, 3, 70, 4, 'it broke');`

func TestMigrationFromTheFirstVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	first(t, path, firstRows)
	s := reopened(t, path)
	a := account(t, s)
	ns := func(n int64) time.Time { return time.Unix(0, n).UTC() }
	want := []Record{
		{ID: 1, UIDL: "\xff\x00", Listed: 100, Size: 100, Sent: 100, Header: [32]byte(bytes.Repeat([]byte{0x11}, 32)),
			MessageID: "<a>", Folder: "INBOX", UIDValidity: 9, UIDNext: 4, UID: 5, Phase: PhaseStored, Begun: ns(10),
			Ended: ns(20), Tries: 2, Run: 7},
		{ID: 2, UIDL: "b", Listed: 200, Size: 200, Sent: 200, Digest: [32]byte(bytes.Repeat([]byte{0x22}, 32)),
			Folder: "INBOX", UIDValidity: 9, UIDNext: 4, Phase: PhaseIntent, Begun: ns(30), Run: 7},
		{ID: 5, UIDL: "b", Listed: 300, Size: 300, Sent: 300, Folder: "Post ä", Phase: PhaseRefused, Ended: ns(40),
			Code: "LIMIT", Server: "no", Tries: 1, NextTry: ns(50), Run: 8},
	}
	if got := all(t, a); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if r, ok, err := a.LastRun(t.Context()); err != nil || !ok || r != (Run{ID: 8, Began: ns(70), Listed: 4, Error: "it broke"}) {
		t.Errorf("got run %+v, %v (%v)", r, ok, err)
	}
	if v, n, err := a.LookedThrough(t.Context(), "INBOX"); v != 0 || n != 0 || err != nil {
		t.Errorf("looked through %d/%d (%v), want nothing", v, n, err)
	}
	if err := a.Stored(t.Context(), at(2, 9, 5), noon); err != nil || all(t, a)[1].UID != 0 {
		t.Errorf("a place of before the migration was given again (%v)", err)
	}
	if id := begun(t, a, sample("new")); id != 41 {
		t.Errorf("got ID %d, want 41: all up to 40 were given before", id)
	}
	var problems int
	err := s.read.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM pragma_foreign_key_check)
		+ (SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok')`).Scan(&problems)
	if err != nil || problems != 0 {
		t.Errorf("got %d problems (%v)", problems, err)
	}
}

func TestIDsOfAnEmptiedStateAreNotGivenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	first(t, path, firstRows+"DELETE FROM record;")
	if id := begun(t, account(t, reopened(t, path)), sample("new")); id != 41 {
		t.Errorf("got ID %d, want 41", id)
	}
	path = filepath.Join(t.TempDir(), "state.db")
	first(t, path, "")
	if id := begun(t, account(t, reopened(t, path)), sample("new")); id != 1 {
		t.Errorf("got ID %d in a state that never had a record, want 1", id)
	}
}

// undated is a record as versions 2 to 5 had it.
func undated(folder string) string {
	return `INSERT INTO record VALUES (7, 1, x'61', 11, 10, zeroblob(32), zeroblob(32), zeroblob(32), x'3c613e', 12,
		'` + folder + `', 9, 4, 5, 'verified', 'digest', 'why', 10, 20, '', '', 2, NULL, 7)`
}

// An account had one folder, and what was looked through of it is not looked at again.
func TestMigrationKeepsHowFarTheFolderWasLookedThrough(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := open(t.Context(), path, steps[:2])
	if err != nil {
		t.Fatal(err)
	}
	account(t, s)
	_, err = s.write.ExecContext(t.Context(), "UPDATE account SET uidvalidity = 9, uidnext = 4;"+undated("Post ä"))
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	a := account(t, reopened(t, path))
	for folder, want := range map[string][2]uint32{"Post ä": {9, 4}, "INBOX": {}} {
		v, n, err := a.LookedThrough(t.Context(), folder)
		if got := [2]uint32{v, n}; got != want || err != nil {
			t.Errorf("%s: got %v (%v), want %v", folder, got, err, want)
		}
	}
}

// What no run of before has met is no trouble; what one meets from now on is.
func TestMigrationBeginsWithoutTrouble(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := open(t.Context(), path, steps[:4])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := account(t, s).RunStarted(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	a := account(t, reopened(t, path))
	if got, ok, err := a.Trouble(t.Context()); ok || err != nil {
		t.Errorf("got %+v (%v), want none", got, err)
	}
	if got := met(t, a, noon, false); got != (Trouble{Began: noon, Runs: 1}) {
		t.Errorf("got %+v, want that of one run", got)
	}
	if _, ok, err := a.LastRun(t.Context()); !ok || err != nil {
		t.Errorf("the run of before is not there (%v)", err)
	}
}

// Before version 6 nobody remembered with which date and flags a message was stored.
func TestMigrationFromBeforeDatesAndFlags(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := open(t.Context(), path, steps[:5])
	if err != nil {
		t.Fatal(err)
	}
	account(t, s)
	_, err = s.write.ExecContext(t.Context(), undated("INBOX"))
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	a := account(t, reopened(t, path))
	want := Record{ID: 7, UIDL: "a", Listed: 11, Size: 10, MessageID: "<a>", Sent: 12, Folder: "INBOX", UIDValidity: 9, UIDNext: 4,
		UID: 5, Phase: PhaseVerified, Proof: "digest", Keep: "why", Begun: time.Unix(0, 10).UTC(), Ended: time.Unix(0, 20).UTC(),
		Tries: 2, Run: 7}
	if got := only(t, a); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// A migrated state and a new one are the same.
func TestMigrationGivesTheSchemaOfANewState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	first(t, path, firstRows)
	schema := func(s *Store) (list []string) {
		list, err := collect(t.Context(), s.read, func(row scanner) (text string, err error) {
			return text, row.Scan(&text)
		}, "SELECT name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY name")
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if got, want := schema(reopened(t, path)), schema(opened(t)); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAMigrationThatFailsChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	doing := fmt.Sprint("migrate from version ", len(steps))
	if _, err := open(t.Context(), path, future); err == nil || !strings.Contains(err.Error(), doing) {
		t.Fatalf("got %v", err)
	}
	s = reopened(t, path) // the old program still can
	var n int
	err = s.read.QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'").Scan(&n)
	if err != nil || n != 0 {
		t.Errorf("got %d tables of the failed migration (%v)", n, err)
	}
}

func TestAStateThatCannotBeMadeLeavesNoneBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if _, err := open(t.Context(), path, future); err == nil {
		t.Fatal("no error")
	}
	if got := files(t, filepath.Dir(path)); !slices.Equal(got, []string{"state.db.lock"}) {
		t.Errorf("left %q", got)
	}
	if err := os.WriteFile(path+".part", bytes.Repeat([]byte("x"), 5000), 0o600); err != nil { // of a killed process
		t.Fatal(err)
	}
	account(t, reopened(t, path))
}
