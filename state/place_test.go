package state

import (
	"errors"
	"slices"
	"testing"
)

// inFolder begins a message for a folder of UIDVALIDITY 9.
func inFolder(t *testing.T, a *Account, folder string) int64 {
	t.Helper()
	r := sample("same")
	r.Folder, r.UIDValidity = folder, 9
	return begun(t, a, r)
}

func TestAPlaceThatAnotherRecordHasIsNotBelieved(t *testing.T) {
	ctx := t.Context()
	a := account(t, opened(t))
	var ids []int64
	for range 6 {
		ids = append(ids, inFolder(t, a, "INBOX"))
	}
	// The batch goes on behind the ones that came too late, whoever was there before: a record of an earlier batch, or
	// of this one.
	err := errors.Join(a.Stored(ctx, at(ids[0], 9, 4), noon), a.Stored(ctx, slices.Concat(
		at(ids[1], 9, 4), at(ids[2], 0, 4), at(ids[3], 9, 5), at(ids[4], 9, 5), at(ids[5], 9, 6)), later))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint32{4, 0, 0, 5, 0, 6} {
		r := all(t, a)[i]
		if r.Phase != PhaseStored || r.UID != want || r.UIDValidity != 9 {
			t.Errorf("record %d: got %s in %d/%d, want stored in 9/%d", i, r.Phase, r.UIDValidity, r.UID, want)
		}
	}
}

func TestOnePlaceBelongsToOneRecord(t *testing.T) {
	ctx := t.Context()
	s := opened(t)
	a := account(t, s)
	first, second := inFolder(t, a, "INBOX"), inFolder(t, a, "INBOX")
	if err := a.Stored(ctx, slices.Concat(at(first, 9, 4), at(second, 9, 0)), noon); err != nil {
		t.Fatal(err)
	}
	was := all(t, a)
	if err := a.Learn(ctx, at(second, 9, 4)[0]); !errors.Is(err, ErrClaimed) {
		t.Errorf("Learn: got %v, want ErrClaimed", err)
	}
	if err := a.Learn(ctx, at(second, 9, 0)[0]); !errors.Is(err, ErrMove) {
		t.Errorf("Learn UID 0: got %v, want ErrMove", err)
	}
	mine := was[0]
	mine.ID = 0
	if id, err := a.Recognised(ctx, mine); !errors.Is(err, ErrClaimed) || id != 0 {
		t.Errorf("Recognised: got record %d, %v, want ErrClaimed", id, err)
	}
	if now := all(t, a); !slices.Equal(now, was) {
		t.Errorf("got %+v, was %+v", now, was)
	}
	if err := a.Learn(ctx, at(second, 9, 5)[0]); err != nil {
		t.Errorf("Learn of a free place: %v", err)
	}
	if err := a.Missing(ctx, first); err != nil {
		t.Fatal(err)
	}
	if id, err := a.Recognised(ctx, mine); err != nil || id == 0 {
		t.Errorf("a missing message still claims its place: %v", err)
	}
}

func TestPlacesThatAreNotTheSame(t *testing.T) {
	ctx := t.Context()
	s := opened(t)
	a := account(t, s)
	other, err := s.Account(ctx, "bob", Key{"bob@pop.example", "bob@imap.example"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Stored(ctx, at(inFolder(t, a, "INBOX"), 9, 4), noon); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		a      *Account
		folder string
		place  Place
	}{
		"another folder":      {a, "Archive", Place{UIDValidity: 9, UID: 4}},
		"another UIDVALIDITY": {a, "INBOX", Place{UIDValidity: 8, UID: 4}},
		"another account":     {other, "INBOX", Place{UIDValidity: 9, UID: 4}},
	} {
		c.place.ID = inFolder(t, c.a, c.folder)
		if err := c.a.Stored(ctx, []Place{c.place}, noon); err != nil {
			t.Fatal(err)
		}
		rs := all(t, c.a)
		if got := rs[len(rs)-1]; got.UID != 4 || got.UIDValidity != c.place.UIDValidity {
			t.Errorf("%s: got %d/%d, want %d/4", name, got.UIDValidity, got.UID, c.place.UIDValidity)
		}
	}
}
