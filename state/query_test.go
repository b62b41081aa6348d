package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRecordsKeepAnyOctets(t *testing.T) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	uidls := []string{
		"", "plain", " ", "trailing ", "\x00", "a\x00b", "a\x00", "\xff", "\xff\xfe\x80", "ü", "ü"[:1], string(every),
		strings.Repeat("long ", 60), "1", "01", "1.0", "x'61'", "'", "NULL", "A", "a", "%", "_", "?",
	}
	a := account(t, opened(t))
	want := map[string][]Record{}
	for _, uidl := range uidls {
		for range 2 { // the same UIDL may be listed twice
			r := sample(uidl)
			r.ID, r.Phase = begun(t, a, r), PhaseIntent
			want[uidl] = append(want[uidl], inBrief(r))
		}
	}
	got, err := a.ByUIDL(t.Context(), append(uidls, "unknown", "plain"))
	if err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// inBrief is what ByUIDL gives of a record.
func inBrief(r Record) Record {
	return Record{ID: r.ID, UIDL: r.UIDL, Listed: r.Listed, Phase: r.Phase, Tries: r.Tries, NextTry: r.NextTry, Run: r.Run}
}

// A long list is looked up in pieces when there are many more records than it has UIDLs. Otherwise all records are gone
// through.
func TestByUIDLFindsEachOnceInALongList(t *testing.T) {
	for _, others := range []int{0, 1, 1500, 5000} {
		s := opened(t)
		a := account(t, s)
		bob, err := s.Account(t.Context(), "bob", Key{"bob", "bob"})
		if err != nil {
			t.Fatal(err)
		}
		begun(t, bob, sample("twice"))
		want := []int64{begun(t, a, sample("twice")), begun(t, a, sample("twice"))}
		var rs []Record
		for i := range others {
			rs = append(rs, sample(fmt.Sprint("other ", i)))
		}
		if _, err := a.Begin(t.Context(), rs); err != nil {
			t.Fatal(err)
		}
		list := []string{"twice"}
		for i := range 1500 { // more than one statement holds
			list = append(list, uidl(i))
		}
		got, err := a.ByUIDL(t.Context(), append(list, "twice"))
		if err != nil || len(got) != 1 || len(got["twice"]) != 2 || got["twice"][0].ID != want[0] || got["twice"][1].ID != want[1] {
			t.Errorf("among %d others: got %+v (%v), want records %v", others, got, err, want)
		}
	}
}

func TestReboundIsFoundByItsNewNameAlone(t *testing.T) {
	ctx := t.Context()
	a := account(t, opened(t))
	one, two := begun(t, a, sample("one")), begun(t, a, sample("two"))
	if err := a.Rebind(ctx, []Binding{{one, "two", 5}, {two, "one", 6}}); err != nil { // they may change places
		t.Fatal(err)
	}
	got, err := a.ByUIDL(ctx, []string{"one", "two"})
	if err != nil || len(got["one"]) != 1 || len(got["two"]) != 1 {
		t.Fatalf("got %+v (%v)", got, err)
	}
	if r := got["two"][0]; r.ID != one || r.Listed != 5 {
		t.Errorf("two: got record %d of %d octets, want %d of 5", r.ID, r.Listed, one)
	}
	if r := got["one"][0]; r.ID != two || r.Listed != 6 {
		t.Errorf("one: got record %d of %d octets, want %d of 6", r.ID, r.Listed, two)
	}
}

func TestTimesComeBack(t *testing.T) {
	a := account(t, opened(t))
	for _, at := range []time.Time{
		{}, noon, time.Unix(0, 0), time.Unix(0, 1), time.Unix(-1, 0),
		time.Date(2024, 1, 1, 0, 0, 0, 0, time.FixedZone("", 5*3600)), time.Now(),
	} {
		id := begun(t, a, Record{UIDL: at.String(), Begun: at})
		if err := a.Refused(t.Context(), id, "", "", at, at); err != nil {
			t.Fatal(err)
		}
		rs := all(t, a)
		r := rs[len(rs)-1]
		for name, got := range map[string]time.Time{"Begun": r.Begun, "Ended": r.Ended, "NextTry": r.NextTry} {
			if !got.Equal(at) || got.IsZero() != at.IsZero() {
				t.Errorf("%s: got %v, want %v", name, got, at)
			}
		}
	}
}

// populate makes records in all phases, in two accounts, and gives the first.
func populate(t *testing.T) *Account {
	t.Helper()
	s := opened(t)
	a := account(t, s)
	other, err := s.Account(t.Context(), "bob", Key{"bob@pop.example", "bob@imap.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []*Account{other, a} {
		for i, phase := range []string{"intent", "stored", "unplaced", "refused", "intent", "unplaced", "retried",
			"verified", "missing", "deleting", "deleted", "kept", "resumed"} {
			r := sample(fmt.Sprint(i))
			r.Begun = noon.Add(-time.Duration(i) * time.Minute) // the later ones were begun earlier
			place(t, a, r, phase)
		}
	}
	return a
}

func TestQueries(t *testing.T) {
	a := populate(t)
	ctx := t.Context()
	for name, c := range map[string]struct {
		query func() ([]Record, error)
		want  string // UIDLs in order
	}{
		"Intents, oldest first":  {func() ([]Record, error) { return a.Intents(ctx) }, "12 6 4 0"},
		"Unplaced, oldest first": {func() ([]Record, error) { return a.Unplaced(ctx) }, "5 2"},
		"Unverified":             {func() ([]Record, error) { return a.Unverified(ctx, 0, 9) }, "1 2 5"},
		"MissingList":            {func() ([]Record, error) { return a.MissingList(ctx) }, "8"},
		"InDeletion":             {func() ([]Record, error) { return a.InDeletion(ctx) }, "9"},
		"RefusedList":            {func() ([]Record, error) { return a.RefusedList(ctx) }, "3"},
		"ByHeader":               {func() ([]Record, error) { return a.ByHeader(ctx, sample("4").Header) }, "4"},
		"ByHeader, unknown":      {func() ([]Record, error) { return a.ByHeader(ctx, sample("4").Digest) }, ""},
		"ByDigest":               {func() ([]Record, error) { return a.ByDigest(ctx, sample("2").Digest) }, "2"},
		"ByDigest, unknown":      {func() ([]Record, error) { return a.ByDigest(ctx, [32]byte{}) }, ""},
		"Records":                {func() ([]Record, error) { return all(t, a), nil }, "0 1 2 3 4 5 6 7 8 9 10 11 12"},
	} {
		rs, err := c.query()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rs {
			got = append(got, r.UIDL)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	got, err := a.Counts(ctx)
	if want := (Counts{Delivered: 7, Verified: 3, Deleted: 1, Refused: 1, Doubted: 5}); err != nil || got != want {
		t.Errorf("Counts: got %+v (%v), want %+v", got, err, want)
	}
}

func TestClaimed(t *testing.T) {
	a := account(t, opened(t))
	for _, c := range []struct {
		folder        string
		validity, uid uint32
	}{{"INBOX", 9, 3}, {"INBOX", 9, 5}, {"INBOX", 9, 4294967295}, {"INBOX", 8, 6}, {"Archive", 9, 7}, {"INBOX", 9, 0}} {
		r := sample("x")
		r.Folder = c.folder
		if err := a.Stored(t.Context(), at(begun(t, a, r), c.validity, c.uid), noon); err != nil {
			t.Fatal(err)
		}
	}
	for from, want := range map[uint32]map[uint32]bool{
		0:          {3: true, 5: true, 4294967295: true},
		4:          {5: true, 4294967295: true},
		5:          {5: true, 4294967295: true},
		4294967295: {4294967295: true},
	} {
		got, err := a.Claimed(t.Context(), "INBOX", 9, from)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("from %d: got %v (%v), want %v", from, got, err, want)
		}
	}
}

func TestRecordsMayBeChangedWhileTheyAreGoneThrough(t *testing.T) {
	a := populate(t)
	var seen int
	for r, err := range a.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if r.Phase == PhaseIntent {
			if err := a.Stored(t.Context(), at(r.ID, 0, 0), noon); err != nil {
				t.Fatal(err)
			}
		}
	}
	if c, err := a.Counts(t.Context()); err != nil || seen != 13 || c.Doubted != 1 {
		t.Errorf("saw %d, then %+v (%v)", seen, c, err)
	}
	for range a.Records(t.Context()) {
		break // leaves nothing open: the cleanup closes the store
	}
}

func TestCancelledQueriesSayIt(t *testing.T) {
	a := populate(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, byUIDL := a.ByUIDL(ctx, []string{"1"})
	_, claimed := a.Claimed(ctx, "INBOX", 5, 0)
	_, counts := a.Counts(ctx)
	_, _, last := a.LastRun(ctx)
	var records error
	for _, err := range a.Records(ctx) {
		records = err
	}
	for name, err := range map[string]error{
		"ByUIDL": byUIDL, "Claimed": claimed, "Counts": counts, "LastRun": last, "Records": records,
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want Canceled", name, err)
		}
	}
}

// plan gives SQLite's plan for a query.
func plan(t *testing.T, a *Account, query string, args ...any) string {
	t.Helper()
	list, err := collect(t.Context(), a.store.read, func(row scanner) (detail string, err error) {
		var skip sql.RawBytes
		return detail, row.Scan(&skip, &skip, &skip, &detail)
	}, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, "; ")
}

// With a million records, what scans them all takes seconds.
func TestQueriesUseAnIndex(t *testing.T) {
	a := populate(t)
	for where, index := range map[string]string{
		"phase = 'intent' ORDER BY begun, id":              "record_intent",
		"phase = 'stored' AND uid = 0 ORDER BY begun, id":  "record_unplaced",
		"phase = 'refused' ORDER BY id":                    "record_refused",
		"phase = 'missing' ORDER BY id":                    "record_missing",
		"phase = 'stored' ORDER BY id":                     "record_unverified",
		"phase = 'deleting' ORDER BY id":                   "record_deleting",
		"header = ? ORDER BY id":                           "record_header",
		"digest = ? ORDER BY id":                           "record_digest",
		"uidl IN (?, ?) ORDER BY uidl, id":                 "record_uidl",
		"folder=? AND uidvalidity=? AND uid>=? AND uid<>0": "record_place",
	} {
		args := []any{a.id}
		for range strings.Count(where, "?") {
			args = append(args, []byte{})
		}
		got := plan(t, a, "SELECT "+columns+" FROM record WHERE account = ? AND "+where, args...)
		if !strings.Contains(got, "INDEX "+index+" (account=?") {
			t.Errorf("%s: %s", where, got)
		}
		if strings.Contains(got, "TEMP B-TREE") && !strings.Contains(where, "begun") { // those are few
			t.Errorf("%s is sorted: %s", where, got)
		}
	}
	if got := plan(t, a, everything, a.id); got != "SCAN record" {
		t.Errorf("all records: %s", got)
	}
	if got := plan(t, a, tally, a.id); strings.Count(got, "USING COVERING INDEX") != strings.Count(tally, "count(*)") {
		t.Errorf("counts: %s", got)
	}
}

func TestKnowsFolder(t *testing.T) {
	s := opened(t)
	a := account(t, s)
	bob, err := s.Account(t.Context(), "bob", Key{"bob", "bob"})
	if err != nil {
		t.Fatal(err)
	}
	r := sample("a")
	r.Folder = "Lists"
	begun(t, bob, r)
	for account, want := range map[*Account]bool{a: false, bob: true} {
		if got, err := account.KnowsFolder(t.Context(), "Lists"); err != nil || got != want {
			t.Errorf("%s: got %t (%v), want %t", account.Name, got, err, want)
		}
	}
}
