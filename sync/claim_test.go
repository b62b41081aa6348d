package sync

import (
	"fmt"
	"testing"
)

// on puts messages on a shelf.
func on(copies ...found) *shelf {
	s := &shelf{copies: map[string][]*found{}}
	for _, c := range copies {
		s.copies["<a>"] = append(s.copies["<a>"], &c)
	}
	return s
}

// was is a message whose header, body and whole have these names.
func was(digest, header, body byte) *print {
	return &print{digest: [32]byte{digest}, header: [32]byte{header}, body: [32]byte{body}}
}

func TestTake(t *testing.T) {
	it := claimant{print: *was(1, 1, 1), id: "<a>", since: 1}
	since8 := it
	since8.since = 8
	for _, c := range []struct {
		name   string
		copies []found
		who    claimant
		loose  bool
		uid    uint32
		exact  bool
	}{
		{name: "nothing there", who: it},
		{name: "it", copies: []found{{uid: 7, print: was(1, 1, 1)}}, who: it, uid: 7, exact: true},
		{name: "the lowest of three", copies: []found{{uid: 7, print: was(1, 1, 1)}, {uid: 8, print: was(1, 1, 1)}}, who: it,
			uid: 7, exact: true},
		{name: "not what was there before", copies: []found{{uid: 7, print: was(1, 1, 1)}, {uid: 8, print: was(1, 1, 1)}},
			who: since8, uid: 8, exact: true},
		{name: "only what was there before", copies: []found{{uid: 7, print: was(1, 1, 1)}}, who: since8},
		{name: "taken already", copies: []found{{uid: 7, taken: true, print: was(1, 1, 1)}}, who: it},
		{name: "not read", copies: []found{{uid: 7}}, who: it},
		{name: "another body under its Message-ID", copies: []found{{uid: 7, print: was(2, 1, 2)}}, who: it},
		{name: "another header under its Message-ID", copies: []found{{uid: 7, print: was(2, 2, 1)}}, who: it},
		{name: "rewritten as servers do", copies: []found{{uid: 7, print: was(2, 1, 1)}}, who: it, uid: 7},
		{name: "as it was before what was rewritten", copies: []found{{uid: 7, print: was(2, 1, 1)}, {uid: 8, print: was(1, 1, 1)}},
			who: it, uid: 8, exact: true},
		{name: "ours, with a field more", copies: []found{{uid: 7, print: was(2, 2, 1)}}, who: it, loose: true, uid: 7},
		{name: "another body, even if it may be ours", copies: []found{{uid: 7, print: was(2, 1, 2)}}, who: it, loose: true},
		{name: "nothing in common but the Message-ID", copies: []found{{uid: 7, print: was(2, 2, 2)}}, who: it, loose: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := on(c.copies...)
			got, exact := s.take(c.who, c.loose)
			switch {
			case got == nil && c.uid != 0, got != nil && got.uid != c.uid, exact != c.exact:
				t.Errorf("got %+v, exact %t, want UID %d, %t", got, exact, c.uid, c.exact)
			}
			if got == nil {
				return
			}
			if again, _ := s.take(c.who, c.loose); again == got {
				t.Errorf("UID %d was taken twice", got.uid)
			}
		})
	}
}

func TestCandidatesWithoutMessageIDGoBySize(t *testing.T) {
	s := &shelf{copies: map[string][]*found{"": {{uid: 1, size: 10}, {uid: 2, size: 11}}}}
	got := s.candidates(claimant{print: print{size: 11}})
	if len(got) != 1 || got[0].uid != 2 {
		t.Errorf("got %v, want UID 2", got)
	}
}

// Many claimants of one content take copies of their own, in order.
func TestClaimsAreDistinct(t *testing.T) {
	s := &shelf{copies: map[string][]*found{}}
	for uid := uint32(1); uid <= 50; uid++ {
		id := fmt.Sprint(uid % 2)
		s.copies[id] = append(s.copies[id], &found{uid: uid, print: was(1, 1, 1)})
	}
	for i := range uint32(50) {
		who := claimant{print: *was(1, 1, 1), id: fmt.Sprint((i + 1) % 2), since: 1}
		if got, _ := s.take(who, true); got == nil || got.uid != i+1 {
			t.Errorf("got %+v, want UID %d", got, i+1)
		}
	}
}
