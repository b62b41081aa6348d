package state

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestAccounts(t *testing.T) {
	ctx := t.Context()
	s := opened(t)
	if _, err := s.Find(ctx, Key{"a", "b"}); !errors.Is(err, ErrNoAccount) {
		t.Errorf("got %v, want ErrNoAccount", err)
	}
	for _, c := range []struct{ name, from, to string }{
		{"zoe", "a", "b"}, {"bob", "a", "c"}, {"bob", "b", "a"}, {"", "ab", ""}, {"anna", "a", "b"}, {"bob", "a", "c"},
	} {
		a, err := s.Account(ctx, c.name, Key{c.from, c.to})
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.Find(ctx, Key{c.from, c.to})
		if err != nil {
			t.Fatal(err)
		}
		if *a != *found || a.Name != c.name || (a.Key != Key{c.from, c.to}) {
			t.Errorf("got %+v, found %+v, want %+v", a, found, c)
		}
	}
	as, err := s.Accounts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range as {
		got = append(got, fmt.Sprintf("%s %s>%s", a.Name, a.Key.From, a.Key.To))
	}
	if want := []string{" ab>", "anna a>b", "bob a>c", "bob b>a"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLock(t *testing.T) {
	s := opened(t)
	a := account(t, s)
	bob, err := s.Account(t.Context(), "bob", Key{"bob", "bob"})
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := a.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := account(t, reopened(t, s.path)).Lock(); !errors.Is(err, ErrLocked) {
		t.Errorf("a second time in this process: got %v, want ErrLocked", err)
	}
	unlockBob, err := bob.Lock()
	if err != nil {
		t.Errorf("another account: %v", err)
	}
	defer unlockBob()
	unlock()
	again, err := a.Lock()
	if err != nil {
		t.Fatalf("after unlock: %v", err)
	}
	unlock() // of the first lock: must not free the second
	if _, err := a.Lock(); !errors.Is(err, ErrLocked) {
		t.Errorf("unlocking twice freed another's lock: %v", err)
	}
	again()
}

func TestAccountsWorkSideBySide(t *testing.T) {
	s := opened(t)
	second := reopened(t, s.path) // as another process would
	const each = 50
	var wg sync.WaitGroup
	for i, s := range []*Store{s, s, second, second} {
		a, err := s.Account(t.Context(), fmt.Sprint(i), Key{fmt.Sprint(i), "x"})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for n := range each {
				ids, err := a.Begin(t.Context(), []Record{sample(fmt.Sprint(n))})
				if err == nil {
					err = a.Stored(t.Context(), at(ids[0], 1, uint32(n+1)), noon)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	as, err := s.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range as {
		if c, err := a.Counts(t.Context()); err != nil || c.Delivered != each {
			t.Errorf("account %s: got %+v (%v), want %d stored", a.Name, c, err, each)
		}
	}
}

func TestLookThrough(t *testing.T) {
	ctx := t.Context()
	s := opened(t)
	a := account(t, s)
	bob, err := s.Account(ctx, "bob", Key{"bob", "bob"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.LookThrough(ctx, "Sent", 8, 7); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][2]uint32{{0, 0}, {4294967295, 4294967294}, {3, 1}} {
		if want[0] != 0 {
			if err := a.LookThrough(ctx, "INBOX", want[0], want[1]); err != nil {
				t.Fatal(err)
			}
		}
		for _, a := range []*Account{a, account(t, reopened(t, s.path))} {
			validity, next, err := a.LookedThrough(ctx, "INBOX")
			if got := [2]uint32{validity, next}; err != nil || got != want {
				t.Errorf("got %v (%v), want %v", got, err, want)
			}
		}
	}
	if validity, next, err := a.LookedThrough(ctx, "Sent"); validity != 8 || next != 7 || err != nil {
		t.Errorf("the other folder's: got %d, %d (%v), want 8, 7", validity, next, err)
	}
	if validity, next, err := bob.LookedThrough(ctx, "INBOX"); validity != 0 || next != 0 || err != nil {
		t.Errorf("the other account's: got %d, %d (%v)", validity, next, err)
	}
}

func TestRuns(t *testing.T) {
	ctx := t.Context()
	a := account(t, opened(t))
	if _, ok, err := a.LastRun(ctx); ok || err != nil {
		t.Errorf("before the first: got %v (%v)", ok, err)
	}
	id, err := a.RunStarted(ctx, noon)
	if err != nil {
		t.Fatal(err)
	}
	got, ok, err := a.LastRun(ctx)
	if want := (Run{ID: id, Began: noon}); got != want || !ok || err != nil {
		t.Errorf("under way: got %+v, %v (%v), want %+v", got, ok, err, want)
	}
	want := Run{
		ID: id, Began: noon, Ended: noon.Add(time.Second), Listed: 1, Known: 2, New: 3, Copied: 4, Recognised: 5,
		Refused: 6, InDoubt: 7, Vanished: 8, Left: 9, Quarantined: 10, Deleted: 11, Bytes: 1 << 40, Error: "it broke",
	}
	ended := want
	ended.Began = time.Time{} // is not taken from here
	if err := a.RunEnded(ctx, ended); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := a.LastRun(ctx); got != want || !ok || err != nil {
		t.Errorf("ended: got %+v, %v (%v), want %+v", got, ok, err, want)
	}
	if err := a.RunEnded(ctx, Run{ID: id + 1}); err == nil {
		t.Error("a run ended that never began")
	}
}

func TestOnlyTheLastHundredRunsOfEachAccountAreKept(t *testing.T) {
	ctx := t.Context()
	s := opened(t)
	a := account(t, s)
	bob, err := s.Account(ctx, "bob", Key{"bob", "bob"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bob.RunStarted(ctx, noon); err != nil {
		t.Fatal(err)
	}
	var first, last int64
	for i := range 103 {
		if last, err = a.RunStarted(ctx, noon.Add(time.Duration(i)*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = last
		}
	}
	var n, least int64
	err = s.read.QueryRowContext(ctx, "SELECT count(*), min(id) FROM run WHERE account = ?", a.id).Scan(&n, &least)
	if err != nil || n != 100 || least != first+3 {
		t.Errorf("got %d runs from %d (%v), want 100 from %d", n, least, err, first+3)
	}
	if r, ok, err := a.LastRun(ctx); err != nil || !ok || r.ID != last {
		t.Errorf("the last is %d, %v (%v), want %d", r.ID, ok, err, last)
	}
	if _, ok, err := bob.LastRun(ctx); err != nil || !ok {
		t.Errorf("the other account's run is gone (%v)", err)
	}
}

func TestLocked(t *testing.T) {
	s := opened(t)
	a := account(t, s)
	locked := func() bool {
		t.Helper()
		reader, err := OpenReadOnly(t.Context(), s.path)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		same, err := reader.Find(t.Context(), a.Key)
		if err != nil {
			t.Fatal(err)
		}
		held, err := same.Locked()
		if err != nil {
			t.Fatal(err)
		}
		return held
	}
	before := files(t, filepath.Dir(s.path))
	if locked() {
		t.Error("locked before any run")
	}
	if after := files(t, filepath.Dir(s.path)); !slices.Equal(before, after) {
		t.Errorf("looking made files: %q, then %q", before, after)
	}
	unlock, err := a.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if !locked() {
		t.Error("not locked while a run has it")
	}
	unlock()
	if locked() {
		t.Error("locked after the run")
	}
	if unlock, err := a.Lock(); err != nil {
		t.Errorf("who looks keeps the lock: %v", err)
	} else {
		unlock()
	}
}
