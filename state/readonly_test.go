package state

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// snapshot is the content of each file in a folder.
func snapshot(t *testing.T, folder string) map[string]string {
	t.Helper()
	content := map[string]string{}
	for _, name := range files(t, folder) {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		content[name] = string(b)
	}
	return content
}

func TestReadOnlyOfAMissingStateMakesNothing(t *testing.T) {
	folder := t.TempDir()
	for _, path := range []string{filepath.Join(folder, "state.db"), filepath.Join(folder, "deep", "er", "state.db")} {
		_, err := OpenReadOnly(t.Context(), path)
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want fs.ErrNotExist with the path", err)
		}
	}
	if got := files(t, folder); len(got) != 0 {
		t.Errorf("made %q", got)
	}
}

func TestReadOnlyChangesNothing(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "state.db")
	w, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	r := stage(t, account(t, w), "intent")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, filepath.Dir(path))

	s, err := OpenReadOnly(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	as, err := s.Accounts(ctx)
	if err != nil || len(as) != 1 {
		t.Fatalf("got %d accounts (%v), want 1", len(as), err)
	}
	a := as[0]
	if got := only(t, a); got.UIDL != r.UIDL {
		t.Errorf("got %+v", got)
	}
	_, begin := a.Begin(ctx, []Record{r})
	_, account := s.Account(ctx, "bob", Key{"bob", "bob"})
	_, run := a.RunStarted(ctx, noon)
	_, trouble := a.TroubleMet(ctx, noon, false)
	for verb, err := range map[string]error{
		"Begin": begin, "Account": account, "RunStarted": run, "Stored": a.Stored(ctx, at(r.ID, 1, 1), noon),
		"Absent": a.Absent(ctx, r.ID), "LookThrough": a.LookThrough(ctx, "INBOX", 1, 1), "TroubleMet": trouble,
		"TroubleTold": a.TroubleTold(ctx, noon), "TroubleOver": a.TroubleOver(ctx),
	} {
		if err == nil {
			t.Errorf("%s worked", verb)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	after := snapshot(t, filepath.Dir(path))
	for name := range after {
		if after[name] != before[name] {
			t.Errorf("%s was made or changed", name)
		}
	}
	if len(after) != len(before) {
		t.Errorf("got %d files, want %d", len(after), len(before))
	}
}

func TestReadOnlySeesWhatAKilledProcessLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	p := start(t, "commit", path)
	p.line(t) // begun
	p.line(t) // stored
	p.kill(t)
	if got := files(t, filepath.Dir(path)); !slices.Contains(got, "state.db-wal") {
		t.Fatalf("no journal was left: %q", got)
	}
	s, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	as, err := s.Accounts(t.Context())
	if err != nil || len(as) != 1 {
		t.Fatalf("got %d accounts (%v), want 1", len(as), err)
	}
	if rs := all(t, as[0]); len(rs) == 0 || rs[0].Phase != PhaseStored {
		t.Errorf("got %+v, want a stored one first", rs)
	}
}
