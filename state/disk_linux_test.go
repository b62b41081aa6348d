package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// unwritable makes every write to a file of this process fail with EFBIG, which SQLite takes for any I/O error, until
// writable is called.
func unwritable(t *testing.T) (writable func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 0, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	writable = func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(writable)
	return writable
}

// code is SQLite's primary result code in an error; 0 if there is none.
func code(err error) int {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return 0
	}
	return e.Code() & primary
}

func TestAfterAnIOErrorNothingIsWrittenUntilTheStateIsOpenedAgain(t *testing.T) {
	ctx := t.Context()
	s := opened(t)
	a := account(t, s)
	r := stage(t, a, "intent")
	was := all(t, a)

	writable := unwritable(t)
	failed := a.Stored(ctx, at(r.ID, 9, 4), noon)
	writable()
	if code(failed) != sqlite3.SQLITE_IOERR || !strings.Contains(failed.Error(), s.path) {
		t.Fatalf("got %v, want an I/O error with the path", failed)
	}
	_, begin := a.Begin(ctx, []Record{sample("x")})
	_, run := a.RunStarted(ctx, noon)
	_, bob := s.Account(ctx, "bob", Key{"bob", "bob"})
	for verb, err := range map[string]error{
		"Stored": a.Stored(ctx, at(r.ID, 9, 4), noon), "Begin": begin, "RunStarted": run, "Account": bob,
		"LookThrough": a.LookThrough(ctx, "INBOX", 9, 4),
	} {
		if first, _ := errors.AsType[*sqlite.Error](failed); !errors.Is(err, first) {
			t.Errorf("%s: got %v, want the first error", verb, err)
		}
	}
	if now := all(t, a); !slices.Equal(now, was) {
		t.Errorf("got %+v, was %+v", now, was)
	}

	a = account(t, reopened(t, s.path))
	if now := all(t, a); !slices.Equal(now, was) {
		t.Errorf("opened again: got %+v, was %+v", now, was)
	}
	if err := a.Stored(ctx, at(r.ID, 9, 4), noon); err != nil {
		t.Errorf("opened again: %v", err)
	}
}

func init() { others["suspect"] = suspect }

// suspect is what another process does whose fsync fails once: it goes on until a verb fails, tries once more, and tells
// what is on disk when it has opened the state again.
func suspect(ctx context.Context, path string) error {
	runtime.LockOSThread() // strace counts the calls of each thread
	s, err := Open(ctx, path)
	if err != nil {
		return err
	}
	a, err := s.Account(ctx, "alice", Key{"alice@pop.example", "alice@imap.example"})
	if err != nil {
		return err
	}
	var told []int64
	for i := range 100 {
		ids, e := a.Begin(ctx, []Record{sample(fmt.Sprint(i)), sample("second")})
		if err = e; err != nil {
			break
		}
		told = append(told, ids...)
	}
	_, after := a.Begin(ctx, []Record{sample("after")})
	fmt.Println(code(err), code(after))
	if err := s.Close(); err != nil {
		return err
	}
	if a, err = theirs(ctx, path); err != nil {
		return err
	}
	n := 0
	for r, err := range a.Records(ctx) {
		if err != nil {
			return err
		}
		if r.UIDL == "after" {
			return errors.New("something was written after the failed fsync")
		}
		n++
	}
	_, err = a.Begin(ctx, []Record{sample("new")})
	fmt.Println(len(told), n)
	return err
}

func TestAnFsyncThatFailsIsNotTriedAgain(t *testing.T) {
	if err := exec.Command("strace", "-o", os.DevNull, "true").Run(); err != nil {
		t.Skipf("strace cannot be had: %v", err)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	if err := reopened(t, path).Close(); err != nil { // making it is not what is tested
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "strace", "-f", "-o", os.DevNull, "-e", "trace=fsync",
		"-e", "inject=fsync:error=EIO:when=7", os.Args[0], path)
	cmd.Env = append(os.Environ(), asked+"=suspect")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var failed, after, told, n int
	if _, err := fmt.Sscan(string(out), &failed, &after, &told, &n); err != nil {
		t.Fatalf("the other process said %q", out)
	}
	if failed != sqlite3.SQLITE_IOERR || after != failed {
		t.Errorf("got result codes %d and then %d, want %d twice", failed, after, sqlite3.SQLITE_IOERR)
	}
	if told == 0 || n != told && n != told+2 { // only the disk knows of the batch that failed, but it is whole
		t.Errorf("%d records were told, %d are there", told, n)
	}
}

// disk mounts a file system of 1 MiB, which only root may.
func disk(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Error(err)
		}
	})
	return folder
}

func TestADiskThatIsFullUndoesABatch(t *testing.T) {
	folder := disk(t)
	ballast := filepath.Join(folder, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 400<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	a := account(t, reopened(t, filepath.Join(folder, "state.db")))
	var done []int64
	var failed error
	for i := 0; failed == nil; i++ {
		var ids []int64
		ids, failed = a.Begin(t.Context(), slices.Repeat([]Record{sample(fmt.Sprint(i))}, 20))
		done = append(done, ids...)
	}
	if code(failed) != sqlite3.SQLITE_FULL {
		t.Errorf("got %v, want SQLITE_FULL", failed)
	}
	var got []int64
	for _, r := range all(t, a) {
		got = append(got, r.ID)
	}
	if len(done) == 0 || !slices.Equal(got, done) {
		t.Errorf("got records %v, want %v", got, done)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	stage(t, a, "verified") // there is room again, and no reason to mistrust the disk
}

func TestADiskThatIsReadOnlyIsRefused(t *testing.T) {
	folder := disk(t)
	path := filepath.Join(folder, "state.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	stage(t, account(t, s), "stored")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", folder, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, filepath.Join(folder, "new.db"), filepath.Join(folder, "new", "state.db")} {
		if _, err := Open(t.Context(), path); !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), folder) {
			t.Errorf("%s: got %v, want EROFS with the path", path, err)
		}
	}
}
