package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// stage puts a record into a phase; "retried" is an intent that was refused before.
func stage(t *testing.T, a *Account, phase string) Record {
	t.Helper()
	ctx := t.Context()
	r := sample("stage " + phase)
	var err error
	must := func(e error) {
		t.Helper()
		if e != nil {
			t.Fatal(e)
		}
	}
	if phase != "none" {
		r.ID, err = a.Begin(ctx, r)
		must(err)
	}
	switch phase {
	case "stored":
		must(a.Stored(ctx, r.ID, 9, 4, noon))
	case "unplaced":
		must(a.Stored(ctx, r.ID, 0, 0, noon))
	case "refused", "retried":
		must(a.Refused(ctx, r.ID, "TOOBIG", "too big", noon, noon.Add(time.Hour)))
	}
	if phase == "retried" {
		_, err = a.Begin(ctx, r)
		must(err)
	}
	return r
}

// moves are all verbs; each gives the ID of the record afterwards.
var moves = map[verb]func(context.Context, *Account, Record) (int64, error){
	begin: func(ctx context.Context, a *Account, r Record) (int64, error) { return a.Begin(ctx, r) },
	store: func(ctx context.Context, a *Account, r Record) (int64, error) {
		return r.ID, a.Stored(ctx, r.ID, 9, 5, noon)
	},
	refuse: func(ctx context.Context, a *Account, r Record) (int64, error) {
		return r.ID, a.Refused(ctx, r.ID, "NO", "no", noon, noon)
	},
	refuseUnsent: func(ctx context.Context, a *Account, r Record) (int64, error) {
		return a.RefusedUnsent(ctx, r, "NO", "no", noon, noon)
	},
	absent: func(ctx context.Context, a *Account, r Record) (int64, error) { return r.ID, a.Absent(ctx, r.ID) },
	learn:  func(ctx context.Context, a *Account, r Record) (int64, error) { return r.ID, a.Learn(ctx, r.ID, 6) },
}

func TestEveryMove(t *testing.T) {
	want := map[string]map[verb]string{ // phase before, verb, phase after; what is not here is illegal
		"none":     {begin: "intent", refuseUnsent: "refused"},
		"intent":   {store: "stored", refuse: "refused", absent: "none"},
		"retried":  {store: "stored", refuse: "refused", absent: "refused"},
		"refused":  {begin: "intent", refuseUnsent: "refused"},
		"stored":   {},
		"unplaced": {learn: "stored"},
	}
	for before, after := range want {
		for v, do := range moves {
			t.Run(fmt.Sprintf("%s, %s", before, v), func(t *testing.T) {
				a := account(t, opened(t))
				r := stage(t, a, before)
				was := all(t, a)
				id, err := do(t.Context(), a, r)
				phase, legal := after[v]
				if !legal {
					if !errors.Is(err, ErrMove) {
						t.Errorf("got %v, want ErrMove", err)
					}
					if now := all(t, a); !slices.Equal(now, was) {
						t.Errorf("an illegal move changed the state: %+v, was %+v", now, was)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := phaseOf(t, a, id); got != phase {
					t.Errorf("got phase %s, want %s", got, phase)
				}
				if r.ID != 0 && id != r.ID {
					t.Errorf("record %d became %d", r.ID, id)
				}
			})
		}
	}
}

// all gives all records of an account.
func all(t testing.TB, a *Account) (rs []Record) {
	t.Helper()
	for r, err := range a.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, r)
	}
	return rs
}

// only gives the only record of an account.
func only(t testing.TB, a *Account) Record {
	t.Helper()
	rs := all(t, a)
	if len(rs) != 1 {
		t.Fatalf("got %d records, want 1: %+v", len(rs), rs)
	}
	return rs[0]
}

func phaseOf(t *testing.T, a *Account, id int64) string {
	t.Helper()
	for _, r := range all(t, a) {
		if r.ID == id {
			return r.Phase.String()
		}
	}
	return "none"
}

func TestMovesOfARecordThatIsNotThere(t *testing.T) {
	s := opened(t)
	a := account(t, s)
	other, err := s.Account(t.Context(), "bob", Key{"bob@pop.example", "bob@imap.example"})
	if err != nil {
		t.Fatal(err)
	}
	r := stage(t, other, "refused")
	for v, do := range moves {
		r := r
		for _, r.ID = range []int64{r.ID, 12345, -1} { // another account's, and two that nobody has
			if _, err := do(t.Context(), a, r); !errors.Is(err, ErrMove) {
				t.Errorf("%s record %d: got %v, want ErrMove", v, r.ID, err)
			}
		}
	}
	if got := phaseOf(t, other, r.ID); got != "refused" {
		t.Errorf("the other account's record is now %s", got)
	}
}

func TestWhatEachVerbRecords(t *testing.T) {
	later, next := noon.Add(time.Minute), noon.Add(time.Hour)
	ctx := t.Context()
	for name, c := range map[string]struct {
		do   func(a *Account, id int64) error
		want func(r *Record)
	}{
		"begin": {
			func(*Account, int64) error { return nil },
			func(r *Record) {},
		},
		"stored, place told": {
			func(a *Account, id int64) error { return a.Stored(ctx, id, 17, 18, later) },
			func(r *Record) { r.Phase, r.UIDValidity, r.UID, r.Ended = PhaseStored, 17, 18, later },
		},
		"stored, place not told": {
			func(a *Account, id int64) error { return a.Stored(ctx, id, 0, 0, later) },
			func(r *Record) { r.Phase, r.Ended = PhaseStored, later },
		},
		"stored, place learned": {
			func(a *Account, id int64) error {
				return errors.Join(a.Stored(ctx, id, 0, 0, later), a.Learn(ctx, id, 4294967295))
			},
			func(r *Record) { r.Phase, r.UID, r.Ended = PhaseStored, 4294967295, later },
		},
		"refused": {
			func(a *Account, id int64) error { return a.Refused(ctx, id, "LIMIT", "Größe\x00 \xff", later, next) },
			func(r *Record) {
				r.Phase, r.Code, r.Server, r.Ended, r.NextTry, r.Tries = PhaseRefused, "LIMIT", "Größe\x00 \xff", later, next, 1
			},
		},
		"refused, tried again": {
			func(a *Account, id int64) error {
				_, err := a.Begin(ctx, retry(id, noon.Add(2*time.Hour)))
				return err
			},
			func(r *Record) {
				*r = retry(r.ID, noon.Add(2*time.Hour))
				r.Phase, r.Code, r.Server, r.Ended, r.NextTry, r.Tries = PhaseIntent, "NO", "no", later, next, 1
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := account(t, opened(t))
			want := sample("x")
			id, err := a.Begin(ctx, want)
			if err == nil && strings.HasSuffix(name, "tried again") {
				err = a.Refused(ctx, id, "NO", "no", later, next)
			}
			if err == nil {
				err = c.do(a, id)
			}
			if err != nil {
				t.Fatal(err)
			}
			want.ID, want.Phase = id, PhaseIntent
			c.want(&want)
			if got := only(t, a); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// retry is another try of a record, with other content.
func retry(id int64, at time.Time) Record {
	r := sample("y")
	r.ID, r.Begun, r.Run, r.Folder, r.UIDNext, r.Size = id, at, 4, "Archive", 99, 77
	return r
}

func TestTriesAreCounted(t *testing.T) {
	ctx := t.Context()
	a := account(t, opened(t))
	r := sample("x")
	var err error
	for try := 1; try <= 3; try++ {
		if r.ID, err = a.Begin(ctx, r); err != nil {
			t.Fatal(err)
		}
		if err := a.Refused(ctx, r.ID, "NO", "no", noon, noon.Add(time.Duration(try)*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := only(t, a); got.Tries != try || !got.NextTry.Equal(noon.Add(time.Duration(try)*time.Hour)) {
			t.Errorf("got %d tries, next %v, want %d tries", got.Tries, got.NextTry, try)
		}
	}
	before := only(t, a)
	if _, err := a.Begin(ctx, r); err != nil {
		t.Fatal(err)
	}
	if err := a.Absent(ctx, r.ID); err != nil {
		t.Fatal(err)
	}
	if got := only(t, a); got != before {
		t.Errorf("an intent that came to nothing changed\n%+v into\n%+v", before, got)
	}
	if _, err := a.RefusedUnsent(ctx, Record{ID: r.ID, UIDL: "x", Run: 9}, "TOOBIG", "limit", noon, noon); err != nil {
		t.Fatal(err)
	}
	want := before
	want.Code, want.Server, want.NextTry, want.Tries, want.Run = "TOOBIG", "limit", noon, 4, 9
	if got := only(t, a); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if _, err := a.Begin(ctx, r); err != nil {
		t.Fatal(err)
	}
	if err := a.Stored(ctx, r.ID, 1, 2, noon); err != nil {
		t.Fatal(err)
	}
	if got := only(t, a); got.Tries != 4 || got.Code+got.Server != "" || !got.NextTry.IsZero() {
		t.Errorf("a stored record still looks refused: %+v", got)
	}
}

func TestRefusedUnsentMakesARecord(t *testing.T) {
	a := account(t, opened(t))
	r := Record{UIDL: "big", Size: 1 << 40, Folder: "INBOX", Begun: noon, Run: 2}
	id, err := a.RefusedUnsent(t.Context(), r, "TOOBIG", "", noon, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	r.ID, r.Phase, r.Code, r.Ended, r.NextTry, r.Tries = id, PhaseRefused, "TOOBIG", noon, noon.Add(time.Hour), 1
	if got := only(t, a); got != r {
		t.Errorf("got  %+v\nwant %+v", got, r)
	}
}

func TestAnIDIsNeverGivenTwice(t *testing.T) {
	a := account(t, opened(t))
	r := stage(t, a, "intent")
	if err := a.Absent(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if again := stage(t, a, "intent"); again.ID == r.ID {
		t.Errorf("record %d was given again", r.ID)
	}
}

func TestOnePlaceBelongsToOneRecord(t *testing.T) {
	ctx := t.Context()
	s := opened(t)
	a := account(t, s)
	begun := func(a *Account, folder string) int64 {
		t.Helper()
		r := sample("same")
		r.Folder, r.UIDValidity = folder, 9
		id, err := a.Begin(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	if err := a.Stored(ctx, begun(a, "INBOX"), 9, 4, noon); err != nil {
		t.Fatal(err)
	}
	second := begun(a, "INBOX")
	for name, validity := range map[string]uint32{"named": 9, "kept from Begin": 0} {
		if err := a.Stored(ctx, second, validity, 4, noon); !errors.Is(err, ErrClaimed) {
			t.Errorf("Stored, UIDVALIDITY %s: got %v, want ErrClaimed", name, err)
		}
		if got := phaseOf(t, a, second); got != "intent" {
			t.Errorf("the record that came too late is %s, want intent", got)
		}
	}
	if err := a.Stored(ctx, second, 9, 0, noon); err != nil {
		t.Fatal(err)
	}
	if err := a.Learn(ctx, second, 4); !errors.Is(err, ErrClaimed) {
		t.Errorf("Learn: got %v, want ErrClaimed", err)
	}
	if err := a.Learn(ctx, second, 0); !errors.Is(err, ErrMove) {
		t.Errorf("Learn UID 0: got %v, want ErrMove", err)
	}
	if err := a.Learn(ctx, second, 5); err != nil {
		t.Errorf("Learn of a free place: %v", err)
	}

	other, err := s.Account(ctx, "bob", Key{"bob@pop.example", "bob@imap.example"})
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"another folder":      a.Stored(ctx, begun(a, "Archive"), 9, 4, noon),
		"another UIDVALIDITY": a.Stored(ctx, begun(a, "INBOX"), 8, 4, noon),
		"no UID":              a.Stored(ctx, begun(a, "INBOX"), 9, 0, noon),
		"no UID once more":    a.Stored(ctx, begun(a, "INBOX"), 9, 0, noon),
		"another account":     other.Stored(ctx, begun(other, "INBOX"), 9, 4, noon),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A verb whose context is over before its turn does nothing; one that has begun is finished. There is no third way.
func TestCancelledVerbsAreWholeOrNothing(t *testing.T) {
	a := account(t, opened(t))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Begin(cancelled, sample("early")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
	if got := all(t, a); len(got) != 0 {
		t.Errorf("a cancelled Begin left %+v", got)
	}

	var done []int64
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel() // somewhere in between
		id, err := a.Begin(ctx, sample(fmt.Sprint(i)))
		if err == nil {
			done = append(done, id)
		} else if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	var got []int64
	for _, r := range all(t, a) {
		got = append(got, r.ID)
	}
	if !slices.Equal(got, done) {
		t.Errorf("got records %v, want %v", got, done)
	}
}
