package sync

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/quick"
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
		settled []int64
		want    plan
		todo    []tries
	}{
		{name: "an empty maildrop, an empty memory"},
		{name: "an empty maildrop leaves the memory alone", records: map[string][]state.Record{"a": {storedAs(1)}}},
		{name: "all new, in the maildrop's order", keys: []string{"b", "a"}, todo: []tries{{1, 0}, {2, 0}}},
		{name: "known", keys: []string{"a"}, records: map[string][]state.Record{"a": {storedAs(1)}},
			want: plan{known: 1}},
		{name: "stored, as settling found out in this run", keys: []string{"a"}, settled: []int64{1},
			records: map[string][]state.Record{"a": {storedAs(1)}}, want: plan{recognised: 1}},
		{name: "in doubt", keys: []string{"a"}, records: map[string][]state.Record{"a": {intentAs(1)}},
			want: plan{inDoubt: 1}},
		{name: "refused, not due", keys: []string{"a"}, records: map[string][]state.Record{"a": {refusedAs(1, late)}},
			want: plan{quarantined: 1}},
		{name: "refused, due at this very instant", keys: []string{"a"},
			records: map[string][]state.Record{"a": {refusedAs(7, noon)}}, todo: []tries{{1, 7}}},
		{name: "refused, and long due", keys: []string{"a"},
			records: map[string][]state.Record{"a": {refusedAs(7, early)}}, todo: []tries{{1, 7}}},
		{name: "one record, listed three times: two are new", keys: []string{"a", "a", "a"},
			records: map[string][]state.Record{"a": {storedAs(1)}}, want: plan{known: 1}, todo: []tries{{2, 0}, {3, 0}}},
		{name: "three records, listed once: the best news counts", keys: []string{"a"},
			records: map[string][]state.Record{"a": {refusedAs(1, early), refusedAs(2, late), intentAs(3), storedAs(4)}},
			want:    plan{known: 1}},
		{name: "all kinds under one key", keys: []string{"a", "a", "a", "a", "a"},
			records: map[string][]state.Record{"a": {refusedAs(1, early), refusedAs(2, late), intentAs(3), storedAs(4)}},
			want:    plan{known: 1, inDoubt: 1, quarantined: 1}, todo: []tries{{4, 1}, {5, 0}}},
		{name: "keys do not mix", keys: []string{"a", "b"},
			records: map[string][]state.Record{"a": {storedAs(1), storedAs(2)}},
			want:    plan{known: 1}, todo: []tries{{2, 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			settled := map[int64]bool{}
			for _, id := range c.settled {
				settled[id] = true
			}
			got := compare(listed(len(c.keys)), c.keys, c.records, settled, noon)
			var todo []tries
			for _, m := range got.todo {
				todo = append(todo, tries{m.Number, m.was.ID})
			}
			if !slices.Equal(todo, c.todo) {
				t.Errorf("got to copy %v, want %v", todo, c.todo)
			}
			if !sameCounts(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func sameCounts(a, b plan) bool {
	return a.known == b.known && a.inDoubt == b.inDoubt && a.quarantined == b.quarantined && a.recognised == b.recognised
}

func listed(n int) []todo {
	list := make([]todo, n)
	for i := range list {
		list[i] = todo{Listed: Listed{Number: i + 1}}
	}
	return list
}

func TestCompareLeavesWhatOnlyContentCanTell(t *testing.T) {
	list := listed(1)
	list[0].byDigest = true
	p := compare(list, []string{"a"}, map[string][]state.Record{"a": {storedAs(1)}}, nil, noon)
	if p.known != 0 || len(p.todo) != 1 || !p.todo[0].byDigest {
		t.Errorf("got %+v, want one to be retrieved", p)
	}
}

// multisets are a maildrop and a memory over few keys, so that most of them are there more than once on both sides.
type multisets struct {
	keys    []string
	records map[string][]state.Record
	settled map[int64]bool
}

func draw(r *rand.Rand) multisets {
	m := multisets{records: map[string][]state.Record{}, settled: map[int64]bool{}}
	for range r.IntN(12) {
		m.keys = append(m.keys, fmt.Sprint(r.IntN(4)))
	}
	for id := range int64(r.IntN(12)) {
		rec := [...]state.Record{storedAs(id + 1), intentAs(id + 1), refusedAs(id+1, noon.Add(time.Hour)),
			refusedAs(id+1, noon)}[r.IntN(4)]
		key := fmt.Sprint(r.IntN(4))
		m.records[key] = append(m.records[key], rec)
		m.settled[rec.ID] = r.IntN(2) == 0
	}
	return m
}

// Under each key, max(0, listed − remembered) messages are new, each record stands for one message at the most, the
// worse news are those that are left over, and nothing depends on the order of the records.
func TestCompareTreatsMaildropAndMemoryAsMultisets(t *testing.T) {
	property := func(seed uint64) bool {
		r := rand.New(rand.NewPCG(seed, 0))
		m := draw(r)
		var want plan
		fresh := 0
		for key, rs := range m.records {
			sorted := slices.SortedFunc(slices.Values(rs), func(a, b state.Record) int {
				return 100*(rank(a, noon)-rank(b, noon)) + int(a.ID-b.ID)
			})
			for _, rec := range sorted[:min(len(rs), occurrences(m.keys, key))] {
				want.add(todo{}, rec, m.settled, noon)
			}
		}
		for _, key := range slices.Compact(slices.Sorted(slices.Values(m.keys))) {
			fresh += max(0, occurrences(m.keys, key)-len(m.records[key]))
		}
		got := compare(listed(len(m.keys)), m.keys, copied(m.records), m.settled, noon)
		inOrder := slices.IsSortedFunc(got.todo, func(a, b todo) int { return a.Number - b.Number })
		return sameCounts(got, want) && inOrder && len(got.todo) == len(want.todo)+fresh && each(got.todo, want.todo)
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
}

func occurrences(keys []string, key string) (n int) {
	for _, k := range keys {
		if k == key {
			n++
		}
	}
	return n
}

// copied is for compare to consume.
func copied(records map[string][]state.Record) map[string][]state.Record {
	c := maps.Clone(records)
	for key, rs := range c {
		c[key] = slices.Clone(rs)
	}
	return c
}

// each says whether the same refused records are tried again, each once.
func each(got, want []todo) bool {
	ids := func(list []todo) (ids []int64) {
		for _, m := range list {
			if m.was.ID != 0 {
				ids = append(ids, m.was.ID)
			}
		}
		return slices.Sorted(slices.Values(ids))
	}
	return slices.Equal(ids(got), ids(want))
}
