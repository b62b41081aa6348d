package state

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2024, 2, 29, 12, 0, 0, 123456789, time.UTC)

// opened gives a new state in a folder that is made for it.
func opened(t testing.TB) *Store {
	t.Helper()
	return reopened(t, filepath.Join(t.TempDir(), "folder", "state.db"))
}

func reopened(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// account gives the account "alice" of a state.
func account(t testing.TB, s *Store) *Account {
	t.Helper()
	a, err := s.Account(t.Context(), "alice", Key{"alice@pop.example", "alice@imap.example"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sample is a record as a caller fills it in for Begin.
func sample(uidl string) Record {
	return Record{
		UIDL: uidl, Listed: 1240, Size: 1234, Sent: 1236, Digest: sha256.Sum256([]byte("digest " + uidl)),
		Header: sha256.Sum256([]byte("header " + uidl)), Body: sha256.Sum256([]byte("body " + uidl)),
		MessageID: "<" + uidl + "@example>",
		Folder:    "Post/Eingang ä", UIDValidity: 4294967295, UIDNext: 7, Begun: noon, Run: 3,
		Given: Given{Date: time.Date(1969, 12, 31, 23, 59, 58, 0, time.UTC), Flags: `\Seen $Forwarded`, Flagged: true},
	}
}

// files lists a folder.
func files(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestOpenMakesFolderAndFileForTheUserAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "state.db")
	s := reopened(t, path)
	account(t, s)
	for name, want := range map[string]fs.FileMode{
		"../../a": 0o700, "../b": 0o700, "state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600,
		"state.db.lock": 0o600,
	} {
		info, err := os.Stat(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			t.Error(err)
		} else if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: mode %o, want %o", name, got, want)
		}
	}
}

func TestOpenTakesAPathAsItIs(t *testing.T) {
	for _, name := range []string{"a b", "50%", "%41", "what?mode=memory", "a#b", "a&b=c;d", "ä", `a"b'c`} {
		folder := t.TempDir()
		s := reopened(t, filepath.Join(folder, name))
		account(t, s)
		if got := files(t, folder); !slices.Equal(got, []string{name, name + "-shm", name + "-wal", name + ".lock"}) {
			t.Errorf("%s: made %q", name, got)
		}
	}
}

func TestEveryConnectionIsDurable(t *testing.T) {
	s := opened(t)
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"}
	check := func(name string, conn *sql.Conn) {
		for pragma, want := range want {
			var got string
			if err := conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%s: %s is %s, want %s", name, pragma, got, want)
			}
		}
	}
	for i, pool := range []*sql.DB{s.write, s.read, s.read, s.read} { // three readers at once
		conn, err := pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		var n int // a connection learns the journal mode when it reads
		if err := conn.QueryRowContext(t.Context(), "SELECT count(*) FROM account").Scan(&n); err != nil {
			t.Fatal(err)
		}
		check(fmt.Sprint("connection ", i), conn)
	}
}

func TestTwoNamesOfAStateShareTheirLocks(t *testing.T) {
	s := opened(t)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(s.path, link); err != nil {
		t.Fatal(err)
	}
	unlock, err := account(t, s).Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, err := account(t, reopened(t, link)).Lock(); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
}

func TestOpenRefusesWhatIsNoState(t *testing.T) {
	good := func(t *testing.T, path string) []byte { // the bytes of a good state of some pages
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 200 {
			begun(t, account(t, s), sample(fmt.Sprint(i)))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	foreign := func(t *testing.T, query string) func(string) []byte {
		return func(path string) []byte {
			db := connect(path, "_foreign_keys=1")
			if _, err := db.ExecContext(t.Context(), query); err != nil {
				t.Fatal(err)
			}
			db.Close()
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return content
		}
	}
	for name, content := range map[string]func(path string) []byte{
		"empty":           func(string) []byte { return nil },
		"garbage":         func(string) []byte { return bytes.Repeat([]byte("garbage\x00"), 2000) },
		"a text":          func(string) []byte { return []byte("hello\n") },
		"cut in a page":   func(p string) []byte { b := good(t, p); return b[:len(b)/2+77] },
		"cut to a page":   func(p string) []byte { return good(t, p)[:4096] },
		"cut in a header": func(p string) []byte { return good(t, p)[:60] },
		"first page zero": func(p string) []byte { b := good(t, p); clear(b[:4096]); return b },
		"other program's": foreign(t, "CREATE TABLE account (x)"),
		"other's, newer":  foreign(t, "CREATE TABLE account (x); PRAGMA user_version = 7"),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			want := content(path)
			if err := os.WriteFile(path, want, 0o600); err != nil {
				t.Fatal(err)
			}
			for how, open := range map[string]func(context.Context, string) (*Store, error){
				"Open": Open, "OpenReadOnly": OpenReadOnly,
			} {
				_, err := open(t.Context(), path)
				if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), path) {
					t.Errorf("%s: got %v, want ErrCorrupt with the path", how, err)
				}
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

func TestDamageInTheMiddleIsFoundWhereItIsRead(t *testing.T) {
	s := opened(t)
	a := account(t, s)
	for i := range 500 {
		begun(t, a, sample(fmt.Sprint(i)))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 40 * 4096; i < len(content); i++ {
		content[i] = 0xA5
	}
	if err := os.WriteFile(s.path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var found error
	for _, err := range account(t, reopened(t, s.path)).Records(t.Context()) {
		found = err
	}
	if !errors.Is(found, ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", found)
	}
}

func TestAJournalWithoutItsFileIsNotTakenForANewOnes(t *testing.T) {
	s := opened(t)
	account(t, s)
	wal, err := os.ReadFile(s.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path+"-wal", wal, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}

func TestAnEmptiedFileKeepsItsJournal(t *testing.T) {
	s := opened(t)
	account(t, s)
	wal, err := os.ReadFile(s.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.WriteFile(path+"-wal", wal, 0o600)); err != nil {
		t.Fatal(err)
	}
	for how, open := range map[string]func(context.Context, string) (*Store, error){
		"Open": Open, "OpenReadOnly": OpenReadOnly,
	} {
		if _, err := open(t.Context(), path); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: got %v, want ErrCorrupt", how, err)
		}
		if got, err := os.ReadFile(path + "-wal"); err != nil || !bytes.Equal(got, wal) {
			t.Fatalf("%s: what could be saved is gone (%v)", how, err)
		}
	}
}

func TestOpenWhereNothingCanBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"below a file":       filepath.Join(file, "state.db"),
		"deep below a file":  filepath.Join(file, "a", "b", "state.db"),
		"where nobody may":   "/proc/pop2imap/state.db",
		"folder cannot hold": "/proc/state.db",
		"a folder":           t.TempDir(),
	} {
		s, err := Open(t.Context(), path)
		if err == nil {
			s.Close()
			t.Errorf("%s: no error", name)
		} else if !strings.Contains(err.Error(), filepath.Dir(path)) {
			t.Errorf("%s: %v does not name the path", name, err)
		}
	}
}

func TestOpenStopsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	unlock, err := guard(t.Context(), path+".lock")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
	if got := files(t, filepath.Dir(path)); !slices.Equal(got, []string{"state.db.lock"}) {
		t.Errorf("made %q", got)
	}
}
