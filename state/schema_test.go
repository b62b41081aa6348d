package state

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// later is what a newer program might know.
var later = append(slices.Clone(steps),
	"ALTER TABLE record ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'",
	"CREATE TABLE extra (x) STRICT; broken")

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
	if _, err := openReadOnly(ctx, path, 2); err == nil || !strings.Contains(err.Error(), "older program") {
		t.Errorf("read-only of an older state: %v", err)
	}
	if err := os.WriteFile(path+".v1.bak.part", []byte("of a killed process"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := open(ctx, path, later[:2])
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
	backup := path + ".v1.bak"
	if info, err := os.Stat(backup); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("backup: %v (%v), want 0600", info, err)
	}
	if got := all(t, account(t, reopened(t, backup))); !slices.Equal(got, want) {
		t.Errorf("the backup has %+v, want %+v", got, want)
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
	if _, err := open(t.Context(), path, later); err == nil || !strings.Contains(err.Error(), "migrate from version 1") {
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
	if _, err := open(t.Context(), path, later); err == nil {
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
