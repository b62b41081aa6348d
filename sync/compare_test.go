package sync

import (
	"slices"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/state"
)

var noon = time.Date(2025, time.March, 1, 12, 0, 0, 0, time.UTC)

// The kinds of records there are.
func storedAs(id int64) state.Record { return state.Record{ID: id, Phase: state.PhaseStored} }
func intentAs(id int64) state.Record { return state.Record{ID: id, Phase: state.PhaseIntent} }
func refusedAs(id int64, next time.Time) state.Record {
	return state.Record{ID: id, Phase: state.PhaseRefused, NextTry: next, Tries: 1}
}

// tries is what compare wants to be copied: message number and the record of an earlier refusal.
type tries struct {
	number int
	was    int64
}

func TestCompare(t *testing.T) {
	early, late := noon.Add(-time.Second), noon.Add(time.Second)
	for _, c := range []struct {
		name    string
		keys    []string
		records map[string][]state.Record
		want    tally
		todo    []tries
	}{
		{name: "an empty maildrop, an empty memory"},
		{name: "an empty maildrop leaves the memory alone", records: map[string][]state.Record{"a": {storedAs(1)}}},
		{name: "all new, in the maildrop's order", keys: []string{"b", "a"}, todo: []tries{{1, 0}, {2, 0}}},
		{name: "known", keys: []string{"a"}, records: map[string][]state.Record{"a": {storedAs(1)}},
			want: tally{known: 1}},
		{name: "in doubt", keys: []string{"a"}, records: map[string][]state.Record{"a": {intentAs(1)}},
			want: tally{inDoubt: 1}},
		{name: "refused, not due", keys: []string{"a"}, records: map[string][]state.Record{"a": {refusedAs(1, late)}},
			want: tally{quarantined: 1}},
		{name: "refused, due at this very instant", keys: []string{"a"},
			records: map[string][]state.Record{"a": {refusedAs(7, noon)}}, todo: []tries{{1, 7}}},
		{name: "refused, and long due", keys: []string{"a"},
			records: map[string][]state.Record{"a": {refusedAs(7, early)}}, todo: []tries{{1, 7}}},
		{name: "one record, listed three times: two are new", keys: []string{"a", "a", "a"},
			records: map[string][]state.Record{"a": {storedAs(1)}}, want: tally{known: 1}, todo: []tries{{2, 0}, {3, 0}}},
		{name: "three records, listed once: the best news counts", keys: []string{"a"},
			records: map[string][]state.Record{"a": {refusedAs(1, early), refusedAs(2, late), intentAs(3), storedAs(4)}},
			want:    tally{known: 1}},
		{name: "all kinds under one key", keys: []string{"a", "a", "a", "a", "a"},
			records: map[string][]state.Record{"a": {refusedAs(1, early), refusedAs(2, late), intentAs(3), storedAs(4)}},
			want:    tally{known: 1, inDoubt: 1, quarantined: 1}, todo: []tries{{4, 1}, {5, 0}}},
		{name: "keys do not mix", keys: []string{"a", "b"},
			records: map[string][]state.Record{"a": {storedAs(1), storedAs(2)}},
			want:    tally{known: 1}, todo: []tries{{2, 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, todo := sum(compare(numbered(len(c.keys)), c.keys, c.records, noon))
			if !slices.Equal(todo, c.todo) {
				t.Errorf("got to copy %v, want %v", todo, c.todo)
			}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// A tally counts verdicts.
type tally struct{ known, quarantined, inDoubt int }

// sum gives the verdicts and what is to be copied.
func sum(matches []match) (n tally, todo []tries) {
	for _, m := range matches {
		switch m.verdict {
		case delivered:
			n.known++
		case waiting:
			n.quarantined++
		case inDoubt:
			n.inDoubt++
		case due:
			todo = append(todo, tries{m.Number, m.record.ID})
		default:
			todo = append(todo, tries{m.Number, 0})
		}
	}
	return n, todo
}

func numbered(n int) []todo {
	list := make([]todo, n)
	for i := range list {
		list[i] = todo{Listed: Listed{Number: i + 1}}
	}
	return list
}

func TestCompareLeavesWhatOnlyContentCanTell(t *testing.T) {
	deleted := storedAs(1)
	deleted.Phase = state.PhaseDeleted
	grown := storedAs(1)
	grown.Listed = 5
	for name, c := range map[string]struct {
		m   todo
		rec state.Record
	}{
		"its header does not tell":             {todo{byDigest: true}, storedAs(1)},
		"it was deleted, and is listed":        {todo{}, deleted},
		"the UIDL had another size":            {todo{}, grown},
		"it was refused, and has another size": {todo{Listed: Listed{Size: 7}}, refusedAs(1, noon)},
	} {
		m := compare([]todo{c.m}, []string{"a"}, map[string][]state.Record{"a": {c.rec}}, noon)[0]
		if m.verdict != unsure || !m.byDigest || m.record != nil {
			t.Errorf("%s: got %+v, want it to be retrieved", name, m)
		}
	}
}

// Of two records of one UIDL, each message takes the one that was listed in its size.
func TestCompareGoesBySize(t *testing.T) {
	small, large := storedAs(1), storedAs(2)
	small.Listed, large.Listed = 5, 7
	list := numbered(2)
	list[0].Size, list[1].Size = 7, 5
	got := compare(list, []string{"a", "a"}, map[string][]state.Record{"a": {small, large}}, noon)
	if got[0].record.ID != 2 || got[1].record.ID != 1 {
		t.Errorf("got records %d and %d, want 2 and 1", got[0].record.ID, got[1].record.ID)
	}
}
