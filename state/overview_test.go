package state

import (
	"fmt"
	"maps"
	"reflect"
	"testing"
	"time"
)

// landscape makes records in all phases, with all that an overview counts by, and one of another account.
func landscape(t *testing.T) *Account {
	t.Helper()
	s := opened(t)
	other, err := s.Account(t.Context(), "bob", Key{"bob@pop.example", "bob@imap.example"})
	if err != nil {
		t.Fatal(err)
	}
	stage(t, other, "stored")
	a := account(t, s)
	for i, r := range []struct {
		phase, folder string
		size          int64
		given         Given
	}{
		{"stored", "INBOX", 10<<10 - 1, Given{time.Date(2024, 3, 31, 23, 59, 59, 0, time.UTC), "", true}},
		{"verified", "INBOX", 10 << 10, Given{time.Date(2024, 4, 1, 1, 0, 0, 0, time.FixedZone("", 7200)), `\Seen`, true}},
		{"kept", "INBOX", 1 << 20, Given{time.Time{}, `\Seen $Forwarded`, true}},
		{"deleting", "Sent", 0, Given{}},
		{"deleted", "Sent", 100 << 20, Given{time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), `\Seen`, true}},
		{"refused", "INBOX", 7, Given{}}, {"missing", "INBOX", 7, Given{}}, {"intent", "INBOX", 7, Given{}}, {"resumed", "INBOX", 7, Given{}},
	} {
		rec := sample(fmt.Sprint(i))
		rec.Folder, rec.Size, rec.Given, rec.UIDNext = r.folder, r.size, r.given, 7
		place(t, a, rec, r.phase)
	}
	rec := sample("repaired")
	rec.Keep, rec.Size, rec.Folder, rec.Given = "repaired: NUL", 1, "INBOX", Given{Flagged: true}
	place(t, a, rec, "stored")
	return a
}

func TestOverview(t *testing.T) {
	got, err := landscape(t).Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const k, m = 10 << 10, 1 << 20
	want := &Overview{Refused: 1, Missing: 1, Intents: 2, All: Share{6, 2*k + 101*m}, Deleted: 1,
		Same: map[string]int{"size": 3}, Altered: map[string]int{"it was repaired": 1}, Kept: map[string]int{"repaired: NUL": 1},
		Folders:   map[string]Share{"INBOX": {4, 2*k + m}, "Sent": {2, 100 * m}},
		Months:    map[Month]Share{{2024, time.March}: {2, 2*k - 1}, {1, time.January}: {1, 100 * m}},
		Undated:   Share{3, m + 1},
		Sizes:     [6]Share{{3, k}, {1, k}, {}, {1, m}, {}, {1, 100 * m}},
		Flags:     map[string]Share{"": {2, k}, `\Seen`: {3, k + 101*m}, "$Forwarded": {1, m}},
		Unflagged: Share{1, 0}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestOverviewOfNothing(t *testing.T) {
	got, err := account(t, opened(t)).Overview(t.Context())
	if err != nil || got.All != (Share{}) || len(got.Months)+len(got.Folders)+len(got.Flags) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A server, or a rule, that makes up a folder for each message does not fill the memory.
func TestNamesWithoutEnd(t *testing.T) {
	m := map[string]Share{}
	for i := range 3 * namesMax {
		count(m, shared(m, fmt.Sprint(i)), 1)
		count(m, shared(m, "0"), 1)
	}
	if len(m) != namesMax+1 || m["0"].Messages != 3*namesMax+1 || m[OtherNames].Messages != 2*namesMax {
		t.Errorf("%d names, %v, %v", len(m), m["0"], m[OtherNames])
	}
	sum := 0
	for s := range maps.Values(m) {
		sum += s.Messages
	}
	if sum != 6*namesMax {
		t.Errorf("%d were counted", sum)
	}
}

func TestAFewOfTheRefusedAndMissing(t *testing.T) {
	a := account(t, opened(t))
	for _, phase := range []string{"refused", "stored", "refused", "missing", "refused", "missing"} {
		r := sample(phase)
		r.UIDNext++
		place(t, a, r, phase)
	}
	for name, list := range map[string]func(int) ([]Record, error){
		"refused": func(n int) ([]Record, error) { return a.Refusals(t.Context(), n) },
		"missing": func(n int) ([]Record, error) { return a.Misses(t.Context(), n) },
	} {
		all, err := list(200)
		if err != nil || len(all) != map[string]int{"refused": 3, "missing": 2}[name] {
			t.Errorf("%s: got %d, %v", name, len(all), err)
		}
		for _, r := range all {
			if r.UIDL != name {
				t.Errorf("%s: got %s", name, r.UIDL)
			}
		}
		if one, err := list(1); err != nil || len(one) != 1 || one[0] != all[0] {
			t.Errorf("%s: the first is %+v, %v", name, one, err)
		}
	}
	if got := plan(t, a, sight, a.id); got != "SCAN record" {
		t.Errorf("an overview: %s", got)
	}
}
