package sync

import (
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/state"
)

func TestSince(t *testing.T) {
	for _, c := range []struct {
		name string
		f    Folder
		rec  state.Record
		want uint32
	}{
		{"the same folder", Folder{UIDValidity: 5, UIDNext: 30}, state.Record{UIDValidity: 5, UIDNext: 20}, 20},
		{"the server had not said UIDNEXT", Folder{UIDValidity: 5}, state.Record{UIDValidity: 5}, 1},
		{"made anew", Folder{UIDValidity: 6}, state.Record{UIDValidity: 5, UIDNext: 20}, 1},
		{"a server without UIDVALIDITY", Folder{}, state.Record{UIDNext: 20}, 1},
		{"a server that no longer says UIDVALIDITY", Folder{}, state.Record{UIDValidity: 5, UIDNext: 20}, 1},
	} {
		if got := since(c.f, c.rec); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestNextTry(t *testing.T) {
	for tries, want := range []time.Duration{time.Hour, 4 * time.Hour, 16 * time.Hour, 64 * time.Hour, 256 * time.Hour,
		720 * time.Hour, 720 * time.Hour} {
		if got := nextTry(state.Record{Tries: tries}, noon).Sub(noon); got != want {
			t.Errorf("after %d tries: got %v, want %v", tries, got, want)
		}
	}
	if got := nextTry(state.Record{Tries: 1 << 40}, noon).Sub(noon); got != 720*time.Hour {
		t.Errorf("after very many tries: got %v, want 720 h", got)
	}
}

func TestNarrowCovers(t *testing.T) {
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	for _, c := range []struct {
		name string
		n    Narrow
		date time.Time
		want bool
	}{
		{"no limits", Narrow{}, day(0), true},
		{"no limits, no date", Narrow{}, time.Time{}, true},
		{"at since", Narrow{Since: day(0)}, day(0), true},
		{"just before since", Narrow{Since: day(0)}, day(0).Add(-1), false},
		{"at until", Narrow{Until: day(0)}, day(0), false},
		{"just before until", Narrow{Until: day(0)}, day(0).Add(-1), true},
		{"since in another zone", Narrow{Since: day(0)}, day(0).In(time.FixedZone("", 7200)), true},
		{"between", Narrow{Since: day(-1), Until: day(1)}, day(0), true},
		{"no date, until", Narrow{Until: day(0)}, time.Time{}, false},
		{"no date, since", Narrow{Since: day(0)}, time.Time{}, false},
		{"no date, both", Narrow{Since: day(-1), Until: day(0)}, time.Time{}, false},
	} {
		if got := c.n.covers(c.date); got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
	}
}
