package state

import (
	"errors"
	"slices"
	"testing"
	"time"
)

var later, next = noon.Add(time.Minute), noon.Add(time.Hour)

// again is another try of a record, with other content.
func again(id int64) Record {
	r := sample("y")
	r.ID, r.Begun, r.Run, r.Folder, r.UIDNext, r.Size, r.Listed, r.Sent = id, later, 4, "Archive", 99, 77, 78, 79
	r.Keep = "another size"
	r.Given = Given{Flagged: true}
	return r
}

func TestWhatEachVerbRecords(t *testing.T) {
	ctx := t.Context()
	for name, c := range map[string]struct {
		from string // phase
		do   func(a *Account, id int64) error
		want func(r *Record) // changes what it was
	}{
		"sent in another form": {
			"intent",
			func(a *Account, id int64) error { return a.Resend(ctx, id, 1300, "repaired") },
			func(r *Record) { r.Sent, r.Keep = 1300, "repaired" },
		},
		"stored, place told": {
			"intent",
			func(a *Account, id int64) error { return a.Stored(ctx, at(id, 17, 18), later) },
			func(r *Record) { r.Phase, r.UIDValidity, r.UID, r.Ended = PhaseStored, 17, 18, later },
		},
		"stored, place not told": {
			"intent",
			func(a *Account, id int64) error { return a.Stored(ctx, at(id, 0, 0), later) },
			func(r *Record) { r.Phase, r.Ended = PhaseStored, later },
		},
		"stored after a refusal": {
			"retried",
			func(a *Account, id int64) error { return a.Stored(ctx, at(id, 0, 0), later) },
			func(r *Record) {
				r.Phase, r.Ended, r.Code, r.Server, r.NextTry = PhaseStored, later, "", "", time.Time{}
			},
		},
		"stored with other flags, and without its date": {
			"intent",
			func(a *Account, id int64) error {
				return a.Stored(ctx, []Place{{ID: id, Given: Given{Flags: "x", Flagged: true}}}, later)
			},
			func(r *Record) {
				r.Phase, r.Ended, r.Given = PhaseStored, later, Given{Flags: "x", Flagged: true}
			},
		},
		"flagged": {
			"stored",
			func(a *Account, id int64) error {
				return a.Flagged(ctx, []string{"$MDNSent", `\SEEN`}, []int64{id})
			},
			func(r *Record) { r.Given.Flags = `\Seen $Forwarded $MDNSent` },
		},
		"flagged, the first one": {
			"stored",
			func(a *Account, id int64) error {
				return errors.Join(unflag(a, "''", id), a.Flagged(ctx, []string{"a", "ab"}, []int64{id}))
			},
			func(r *Record) { r.Given.Flags = "a ab" },
		},
		"flagged, and nobody knows which flags it had": {
			"stored",
			func(a *Account, id int64) error {
				return errors.Join(unflag(a, "NULL", id), a.Flagged(ctx, []string{"a"}, []int64{id}))
			},
			func(r *Record) { r.Given.Flags, r.Given.Flagged = "", false },
		},
		"place learned": {
			"unplaced",
			func(a *Account, id int64) error { return a.Learn(ctx, at(id, 17, 4294967295)[0]) },
			func(r *Record) { r.UIDValidity, r.UID = 17, 4294967295 },
		},
		"refused": {
			"intent",
			func(a *Account, id int64) error { return a.Refused(ctx, id, "LIMIT", "Größe\x00 \xff", later, next) },
			func(r *Record) {
				r.Phase, r.Code, r.Server, r.Ended, r.NextTry, r.Tries = PhaseRefused, "LIMIT", "Größe\x00 \xff", later, next, 1
			},
		},
		"refused unsent, once more": { // keeps what an earlier try has found out
			"refused",
			func(a *Account, id int64) error {
				_, err := a.RefusedUnsent(ctx, Record{ID: id, UIDL: "x", Run: 9}, "TOOBIG", "limit", later, next)
				return err
			},
			func(r *Record) {
				r.Code, r.Server, r.Ended, r.NextTry, r.Tries, r.Run = "TOOBIG", "limit", later, next, 2, 9
			},
		},
		"refused, tried again": {
			"refused",
			func(a *Account, id int64) error {
				_, err := a.Begin(ctx, []Record{again(id)})
				return err
			},
			func(r *Record) {
				was := *r
				*r = again(r.ID)
				r.Phase, r.Code, r.Server, r.Ended, r.NextTry, r.Tries = PhaseIntent, was.Code, was.Server, was.Ended, was.NextTry, 1
			},
		},
		"missing, tried again": {
			"missing",
			func(a *Account, id int64) error {
				_, err := a.Begin(ctx, []Record{again(id)})
				return err
			},
			func(r *Record) {
				was := *r
				*r = again(r.ID)
				r.Phase, r.Ended = PhaseIntent, was.Ended
			},
		},
		"absent after a refusal": {
			"retried",
			func(a *Account, id int64) error { return a.Absent(ctx, id) },
			func(r *Record) { r.Phase = PhaseRefused },
		},
		"recognised after a refusal": {
			"refused",
			func(a *Account, id int64) error {
				r := again(id)
				r.UIDValidity, r.UID, r.Proof, r.Ended = 17, 18, "digest", later
				_, err := a.Recognised(ctx, r)
				return err
			},
			func(r *Record) {
				*r = again(r.ID)
				r.UIDValidity, r.UID, r.Proof, r.Ended, r.Phase, r.Tries = 17, 18, "digest", later, PhaseVerified, 1
			},
		},
		"verified": {
			"stored",
			func(a *Account, id int64) error { return a.Verified(ctx, []Proof{{id, "size", "another size"}}) },
			func(r *Record) { r.Phase, r.Proof, r.Keep = PhaseVerified, "size", "another size" },
		},
		"verified again, still not to be deleted": {
			"kept",
			func(a *Account, id int64) error { return a.Verified(ctx, []Proof{{id, "digest", ""}}) },
			func(r *Record) { r.Proof = "digest" },
		},
		"missing": {
			"stored",
			func(a *Account, id int64) error { return a.Missing(ctx, id) },
			func(r *Record) { r.Phase, r.UID = PhaseMissing, 0 },
		},
		"missing, found elsewhere": {
			"missing",
			func(a *Account, id int64) error {
				return errors.Join(a.Learn(ctx, at(id, 17, 18)[0]), a.Verified(ctx, []Proof{{id, "size", ""}}))
			},
			func(r *Record) { r.Phase, r.UIDValidity, r.UID, r.Proof = PhaseVerified, 17, 18, "size" },
		},
		"about to be deleted": {
			"verified",
			func(a *Account, id int64) error { return a.Deleting(ctx, id) },
			func(r *Record) { r.Phase = PhaseDeleting },
		},
		"deleted": {
			"deleting",
			func(a *Account, id int64) error { return a.Deleted(ctx, id) },
			func(r *Record) { r.Phase = PhaseDeleted },
		},
		"not deleted": {
			"deleting",
			func(a *Account, id int64) error { return a.Kept(ctx, id) },
			func(r *Record) { r.Phase = PhaseVerified },
		},
		"listed after it was deleted": {
			"deleted",
			func(a *Account, id int64) error { return a.Kept(ctx, id) },
			func(r *Record) { r.Phase = PhaseVerified },
		},
		"another UIDL": {
			"deleted",
			func(a *Account, id int64) error { return a.Rebind(ctx, []Binding{{id, "\xff\x00 z", 5}}) },
			func(r *Record) { r.UIDL, r.Listed = "\xff\x00 z", 5 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := account(t, opened(t))
			stage(t, a, c.from) // stands by
			id := stage(t, a, c.from).ID
			want := all(t, a)
			if err := c.do(a, id); err != nil {
				t.Fatal(err)
			}
			c.want(&want[1])
			if got := all(t, a); !slices.Equal(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// unflag gives a record other flags, behind the back of the verbs.
func unflag(a *Account, flags string, id int64) error {
	_, err := a.store.write.Exec("UPDATE record SET flags = "+flags+" WHERE id = ?", id)
	return err
}

func TestWhatMakesARecord(t *testing.T) {
	full := sample("x")
	full.Keep = "repaired"
	unsent := Record{UIDL: "big", Listed: 1 << 40, Folder: "INBOX", Begun: noon, Run: 2} // never retrieved
	recognised := sample("x")
	recognised.UID, recognised.Proof, recognised.Ended = 18, "digest", later
	for name, c := range map[string]struct {
		do   func(a *Account) (int64, error)
		want Record
		then func(r *Record)
	}{
		"Begin": {
			func(a *Account) (int64, error) { return begun(t, a, full), nil },
			full,
			func(r *Record) { r.Phase = PhaseIntent },
		},
		"RefusedUnsent": {
			func(a *Account) (int64, error) {
				return a.RefusedUnsent(t.Context(), unsent, "TOOBIG", "", later, next)
			},
			unsent,
			func(r *Record) { r.Phase, r.Code, r.Ended, r.NextTry, r.Tries = PhaseRefused, "TOOBIG", later, next, 1 },
		},
		"Recognised": {
			func(a *Account) (int64, error) { return a.Recognised(t.Context(), recognised) },
			recognised,
			func(r *Record) { r.Phase = PhaseVerified },
		},
	} {
		a := account(t, opened(t))
		id, err := c.do(a)
		if err != nil {
			t.Fatal(err)
		}
		c.want.ID = id
		c.then(&c.want)
		if got := only(t, a); got != c.want {
			t.Errorf("%s: got  %+v\nwant %+v", name, got, c.want)
		}
	}
}

func TestABatchGivesItsIDsInItsOrder(t *testing.T) {
	a := account(t, opened(t))
	refused := stage(t, a, "refused")
	ids, err := a.Begin(t.Context(), []Record{sample("a"), refused, sample("b")})
	if err != nil {
		t.Fatal(err)
	}
	was := map[string]int64{}
	for _, r := range all(t, a) {
		was[r.UIDL] = r.ID
	}
	if want := []int64{was["a"], refused.ID, was["b"]}; len(was) != 3 || !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
}

func TestAnEmptyBatchIsNothing(t *testing.T) {
	a := account(t, opened(t))
	ids, err := a.Begin(t.Context(), nil)
	if err := errors.Join(err, a.Stored(t.Context(), nil, noon), a.Absent(t.Context()), a.Deleting(t.Context())); err != nil {
		t.Error(err)
	}
	if got := all(t, a); len(ids)+len(got) != 0 {
		t.Errorf("got %v, %+v", ids, got)
	}
}

func TestTriesAreCounted(t *testing.T) {
	ctx := t.Context()
	a := account(t, opened(t))
	r := sample("x")
	for try := 1; try <= 3; try++ {
		r.ID = begun(t, a, r)
		if err := a.Refused(ctx, r.ID, "NO", "no", noon, noon.Add(time.Duration(try)*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := only(t, a); got.Tries != try || !got.NextTry.Equal(noon.Add(time.Duration(try)*time.Hour)) {
			t.Errorf("got %d tries, next %v, want %d tries", got.Tries, got.NextTry, try)
		}
	}
	before := only(t, a)
	begun(t, a, r)
	if err := a.Absent(ctx, r.ID); err != nil {
		t.Fatal(err)
	}
	if got := only(t, a); got != before {
		t.Errorf("an intent that came to nothing changed\n%+v into\n%+v", before, got)
	}
	begun(t, a, r)
	if err := a.Stored(ctx, at(r.ID, 1, 2), noon); err != nil {
		t.Fatal(err)
	}
	if got := only(t, a); got.Tries != 3 || got.Code+got.Server != "" || !got.NextTry.IsZero() {
		t.Errorf("a stored record still looks refused: %+v", got)
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
