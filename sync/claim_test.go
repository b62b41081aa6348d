package sync

import (
	"fmt"
	"testing"

	"github.com/pop2imap/pop2imap/state"
)

func TestClaim(t *testing.T) {
	f := Folder{UIDValidity: 5, UIDNext: 100}
	rec := func(id string, size int64, next uint32) state.Record {
		return state.Record{MessageID: id, Size: size, UIDValidity: 5, UIDNext: next}
	}
	for _, c := range []struct {
		name   string
		copies []found
		rec    state.Record
		uid    uint32
		doubt  bool
	}{
		{"nothing there", nil, rec("<a>", 10, 1), 0, false},
		{"it", []found{{7, 10}}, rec("<a>", 10, 1), 7, false},
		{"the lowest of three", []found{{7, 10}, {8, 10}, {9, 10}}, rec("<a>", 10, 1), 7, false},
		{"not what was there before", []found{{7, 10}, {8, 10}}, rec("<a>", 10, 8), 8, false},
		{"only what was there before", []found{{7, 10}}, rec("<a>", 10, 8), 0, false},
		{"taken already", []found{{0, 10}, {8, 10}}, rec("<a>", 10, 1), 8, false},
		{"in another size", []found{{7, 11}}, rec("<a>", 10, 1), 0, true},
		{"in another size, and it", []found{{7, 11}, {8, 10}}, rec("<a>", 10, 1), 8, false},
		{"in another size, before", []found{{7, 11}}, rec("<a>", 10, 8), 0, false},
		{"without Message-ID, another size", []found{{7, 11}}, rec("", 10, 1), 0, false},
		{"without Message-ID", []found{{7, 11}, {8, 10}}, rec("", 10, 1), 8, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			copies := map[string][]found{c.rec.MessageID: c.copies, "<other>": {{7, 10}, {8, 10}}}
			uid, doubt := claim(copies, f, c.rec)
			if uid != c.uid || doubt != c.doubt {
				t.Errorf("got UID %d, doubt %t, want %d, %t", uid, doubt, c.uid, c.doubt)
			}
			if uid == 0 {
				return
			}
			if again, _ := claim(copies, f, c.rec); again == uid {
				t.Errorf("UID %d was claimed twice", uid)
			}
		})
	}
}

// Many records of one Message-ID take copies of their own, in order.
func TestClaimsAreDistinct(t *testing.T) {
	copies := map[string][]found{}
	for uid := uint32(1); uid <= 50; uid++ {
		id := fmt.Sprint(uid % 2)
		copies[id] = append(copies[id], found{uid, 10})
	}
	for i := range uint32(50) {
		rec := state.Record{MessageID: fmt.Sprint((i + 1) % 2), Size: 10, UIDNext: 1, UIDValidity: 5}
		if uid, _ := claim(copies, Folder{UIDValidity: 5}, rec); uid != i+1 {
			t.Errorf("got UID %d, want %d", uid, i+1)
		}
	}
}
