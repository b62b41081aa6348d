package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// begun begins one message and gives the ID of its record.
func begun(t testing.TB, a *Account, r Record) int64 {
	t.Helper()
	ids, err := a.Begin(t.Context(), []Record{r})
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) != 1 {
		t.Fatalf("got IDs %v of one message", ids)
	}
	return ids[0]
}

// at is the place of one record.
func at(id int64, uidvalidity, uid uint32) []Place {
	return []Place{{ID: id, UIDValidity: uidvalidity, UID: uid}}
}

// paths say how a record comes into a phase, verb by verb.
var paths = map[string][]verb{
	"none":     {},
	"intent":   {begin},
	"refused":  {begin, refuse},
	"retried":  {begin, refuse, begin},
	"stored":   {begin, store},
	"unplaced": {begin, "store somewhere"},
	"verified": {begin, store, verify},
	"kept":     {begin, store, "verify and keep"},
	"missing":  {begin, store, miss},
	"resumed":  {begin, store, miss, begin},
	"deleting": {begin, store, verify, mark},
	"deleted":  {begin, store, verify, mark, remove},
}

// stage brings a record into a phase.
func stage(t testing.TB, a *Account, phase string) Record {
	t.Helper()
	return place(t, a, sample("stage "+phase), phase)
}

// place brings a record of r into a phase.
func place(t testing.TB, a *Account, r Record, phase string) Record {
	t.Helper()
	path, ok := paths[phase]
	if !ok {
		t.Fatalf("there is no way to %s", phase)
	}
	for _, v := range path {
		var err error
		switch v {
		case "store somewhere":
			err = a.Stored(t.Context(), at(r.ID, 0, 0), noon)
		case "verify and keep":
			err = a.Verified(t.Context(), []Proof{{r.ID, "size", "it was repaired"}})
		default:
			r.ID, err = moves[v](t.Context(), a, r)
		}
		if err != nil {
			t.Fatalf("%s: %v", v, err)
		}
	}
	return r
}

// moves are all verbs; each gives the ID of the record afterwards.
var moves = map[verb]func(context.Context, *Account, Record) (int64, error){
	begin: func(ctx context.Context, a *Account, r Record) (int64, error) {
		ids, err := a.Begin(ctx, []Record{r})
		return append(ids, 0)[0], err
	},
	resend: func(ctx context.Context, a *Account, r Record) (int64, error) {
		return r.ID, a.Resend(ctx, r.ID, 1300, "it was repaired")
	},
	store: func(ctx context.Context, a *Account, r Record) (int64, error) {
		return r.ID, a.Stored(ctx, at(r.ID, 9, uint32(5+r.ID)), noon)
	},
	refuse: func(ctx context.Context, a *Account, r Record) (int64, error) {
		return r.ID, a.Refused(ctx, r.ID, "NO", "no", noon, noon.Add(time.Hour))
	},
	refuseUnsent: func(ctx context.Context, a *Account, r Record) (int64, error) {
		return a.RefusedUnsent(ctx, r, "NO", "no", noon, noon)
	},
	absent: func(ctx context.Context, a *Account, r Record) (int64, error) { return r.ID, a.Absent(ctx, r.ID) },
	recognise: func(ctx context.Context, a *Account, r Record) (int64, error) {
		r.UID, r.Proof, r.Ended = 7, "digest", noon
		return a.Recognised(ctx, r)
	},
	learn: func(ctx context.Context, a *Account, r Record) (int64, error) {
		return r.ID, a.Learn(ctx, at(r.ID, 9, 6)[0])
	},
	flag: func(ctx context.Context, a *Account, r Record) (int64, error) {
		return r.ID, a.Flagged(ctx, []string{"a"}, []int64{r.ID})
	},
	verify: func(ctx context.Context, a *Account, r Record) (int64, error) {
		return r.ID, a.Verified(ctx, []Proof{{ID: r.ID, Level: "size"}})
	},
	miss:   func(ctx context.Context, a *Account, r Record) (int64, error) { return r.ID, a.Missing(ctx, r.ID) },
	mark:   func(ctx context.Context, a *Account, r Record) (int64, error) { return r.ID, a.Deleting(ctx, r.ID) },
	remove: func(ctx context.Context, a *Account, r Record) (int64, error) { return r.ID, a.Deleted(ctx, r.ID) },
	spare:  func(ctx context.Context, a *Account, r Record) (int64, error) { return r.ID, a.Kept(ctx, r.ID) },
	rebind: func(ctx context.Context, a *Account, r Record) (int64, error) {
		return r.ID, a.Rebind(ctx, []Binding{{r.ID, "another name", 1}})
	},
}

func TestEveryMove(t *testing.T) {
	if len(moves) != len(legal) {
		t.Fatalf("%d verbs are tried, there are %d", len(moves), len(legal))
	}
	want := map[string]map[verb]string{ // phase before, verb, phase after; what is not here is illegal
		"none": {begin: "intent", refuseUnsent: "refused", recognise: "verified"},
		"intent": {
			resend: "intent", store: "stored", refuse: "refused", absent: "none", rebind: "intent",
		},
		"retried": {
			resend: "intent", store: "stored", refuse: "refused", absent: "refused", rebind: "intent",
		},
		"resumed": {
			resend: "intent", store: "stored", refuse: "refused", absent: "none", rebind: "intent",
		},
		"refused":  {begin: "intent", refuseUnsent: "refused", recognise: "verified", rebind: "refused"},
		"stored":   {flag: "stored", verify: "verified", miss: "missing", rebind: "stored"},
		"unplaced": {learn: "stored", flag: "stored", verify: "verified", miss: "missing", rebind: "stored"},
		"verified": {verify: "verified", mark: "deleting", rebind: "verified"},
		"kept":     {verify: "verified", rebind: "verified"},
		"missing":  {begin: "intent", recognise: "verified", learn: "missing", verify: "verified", rebind: "missing"},
		"deleting": {remove: "deleted", spare: "verified", rebind: "deleting"},
		"deleted":  {spare: "verified", rebind: "deleted"},
	}
	a := account(t, opened(t))
	for before := range paths {
		for v, do := range moves {
			t.Run(fmt.Sprintf("%s, %s", before, v), func(t *testing.T) {
				clean(t, a)
				r := stage(t, a, before)
				was := all(t, a)
				id, err := do(t.Context(), a, r)
				phase, legal := want[before][v]
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

// clean takes away all records, which no verb does.
func clean(t *testing.T, a *Account) {
	t.Helper()
	if _, err := a.store.write.ExecContext(t.Context(), "DELETE FROM record"); err != nil {
		t.Fatal(err)
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

// A batch with one illegal move in it changes nothing, wherever that stands.
func TestABatchIsWholeOrNothing(t *testing.T) {
	ctx := t.Context()
	batches := map[verb]struct {
		phase string // of the good ones
		do    func(a *Account, ids []int64) error
	}{
		begin: {"refused", func(a *Account, ids []int64) error {
			got, err := a.Begin(ctx, []Record{{UIDL: "new"}, {ID: ids[0]}, {ID: ids[1]}, {ID: ids[2]}, {UIDL: "newer"}})
			if got != nil {
				t.Errorf("begin: got IDs %v of nothing", got)
			}
			return err
		}},
		store: {"intent", func(a *Account, ids []int64) error {
			return a.Stored(ctx, slices.Concat(at(ids[0], 1, 1), at(ids[1], 1, 2), at(ids[2], 1, 3)), noon)
		}},
		verify: {"stored", func(a *Account, ids []int64) error {
			return a.Verified(ctx, []Proof{{ID: ids[0]}, {ID: ids[1]}, {ID: ids[2]}})
		}},
		rebind: {"stored", func(a *Account, ids []int64) error {
			return a.Rebind(ctx, []Binding{{ID: ids[0]}, {ID: ids[1]}, {ID: ids[2]}})
		}},
		absent: {"intent", func(a *Account, ids []int64) error { return a.Absent(ctx, ids...) }},
		miss:   {"stored", func(a *Account, ids []int64) error { return a.Missing(ctx, ids...) }},
		mark:   {"verified", func(a *Account, ids []int64) error { return a.Deleting(ctx, ids...) }},
		remove: {"deleting", func(a *Account, ids []int64) error { return a.Deleted(ctx, ids...) }},
		spare:  {"deleted", func(a *Account, ids []int64) error { return a.Kept(ctx, ids...) }},
	}
	a := account(t, opened(t))
	for v, batch := range batches {
		one, two := stage(t, a, batch.phase).ID, stage(t, a, batch.phase).ID
		was := all(t, a)
		for i, ids := range [][]int64{{12345, one, two}, {one, 12345, two}, {one, two, 12345}} {
			if err := batch.do(a, ids); !errors.Is(err, ErrMove) {
				t.Errorf("%s, wrong at %d: got %v, want ErrMove", v, i, err)
			}
			if now := all(t, a); !slices.Equal(now, was) {
				t.Errorf("%s, wrong at %d: got %+v, was %+v", v, i, now, was)
			}
		}
	}
}

func TestMovesOfARecordThatIsNotThere(t *testing.T) {
	s := opened(t)
	a := account(t, s)
	other, err := s.Account(t.Context(), "bob", Key{"bob@pop.example", "bob@imap.example"})
	if err != nil {
		t.Fatal(err)
	}
	for phase := range paths { // so that each verb would be legal on one of them
		if phase != "none" {
			stage(t, other, phase)
		}
	}
	was := all(t, other)
	for v, do := range moves {
		for _, r := range append(all(t, other), Record{ID: 12345}, Record{ID: -1}) { // two that nobody has
			if _, err := do(t.Context(), a, r); !errors.Is(err, ErrMove) {
				t.Errorf("%s record %d: got %v, want ErrMove", v, r.ID, err)
			}
		}
	}
	if now := all(t, other); !slices.Equal(now, was) {
		t.Errorf("the other account has %+v, had %+v", now, was)
	}
	if mine := all(t, a); len(mine) != 0 {
		t.Errorf("got %+v", mine)
	}
}

// A verb whose context is over before its turn does nothing; one that has begun is finished. There is no third way.
func TestCancelledVerbsAreWholeOrNothing(t *testing.T) {
	a := account(t, opened(t))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Begin(cancelled, []Record{sample("early")}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
	if got := all(t, a); len(got) != 0 {
		t.Errorf("a cancelled Begin left %+v", got)
	}

	var done []int64
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel() // somewhere in between
		ids, err := a.Begin(ctx, []Record{sample(fmt.Sprint(i)), sample("second")})
		if err == nil {
			done = append(done, ids...)
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
