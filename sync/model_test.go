package sync

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/pop2imap/pop2imap/state"
)

// A kind is what makes two messages the same to the plan: what it is called, and what LIST says of its size.
type kind struct {
	uidl string
	size int64
}

var kinds = rapid.Custom(func(t *rapid.T) kind {
	return kind{rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "uidl"), int64(rapid.IntRange(1, 2).Draw(t, "size"))}
})

var remembered = rapid.Custom(func(t *rapid.T) state.Record {
	k := kinds.Draw(t, "kind")
	rec := state.Record{UIDL: k.uidl, Listed: k.size, Phase: rapid.SampledFrom([]state.Phase{state.PhaseIntent,
		state.PhaseStored, state.PhaseVerified, state.PhaseMissing, state.PhaseRefused, state.PhaseDeleting,
		state.PhaseDeleted}).Draw(t, "phase")}
	if rec.Phase == state.PhaseRefused && rapid.Bool().Draw(t, "waits") {
		rec.NextTry = noon.Add(1)
	}
	return rec
})

// A planned is what compare, the book and weigh make of two multisets: a maildrop and a memory.
type planned struct {
	listing []Listed
	records []state.Record
	run     *run
	todo    []todo
}

func drawn(t *rapid.T) *planned {
	p := &planned{run: newRun(Options{})}
	for i, k := range rapid.SliceOfN(kinds, 0, 12).Draw(t, "maildrop") {
		p.listing = append(p.listing, Listed{Number: i + 1, UIDL: k.uidl, Size: k.size})
	}
	p.records = rapid.SliceOfN(remembered, 0, 12).Draw(t, "memory")
	for i := range p.records {
		p.records[i].ID = int64(i + 1)
	}
	return p
}

// plan does what survey and plan do, without servers and state.
func (p *planned) plan() {
	all := make([]todo, len(p.listing))
	keys := make([]string, len(p.listing))
	for i, m := range p.listing {
		all[i].Listed, keys[i] = m, m.UIDL
	}
	for i, e := range p.run.book.enter(keys, all) {
		all[i].entry = e
	}
	memory := map[string][]state.Record{}
	for _, rec := range p.records {
		memory[rec.UIDL] = append(memory[rec.UIDL], rec)
	}
	p.run.matches = compare(all, keys, memory, noon)
	p.todo = p.run.weigh()
}

// Each message has a verdict, at most one record, and each record at most one message; what is delivered, in doubt or
// waits is not copied, and everything else is. Of each kind as many are delivered as the maildrop has and the memory knows.
func TestPlanAgainstMultisets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawn(t)
		p.plan()
		want := map[kind]map[verdict]int{}
		for k, n := range p.count() {
			want[k] = model(n, p.records, k)
		}
		got := map[kind]map[verdict]int{}
		taken := map[int64]bool{}
		copies := map[int]bool{}
		for _, m := range p.todo {
			copies[m.Number] = true
		}
		for i, m := range p.run.matches {
			k := kind{m.UIDL, m.Size}
			if got[k] == nil {
				got[k] = map[verdict]int{}
			}
			got[k][min(m.verdict, unsure)]++ // fresh or unsure: both are copied, if their content is not known
			if m.Listed != p.listing[i] {
				t.Fatalf("place %d has %+v, want %+v", i, m.Listed, p.listing[i])
			}
			if rec := m.record; rec != nil {
				if taken[rec.ID] || rec.UIDL != m.UIDL || rec.Listed != m.Size || rec.Phase == state.PhaseDeleted {
					t.Fatalf("%+v has record %+v", m.Listed, *rec)
				}
				taken[rec.ID] = true
			}
			if copies[m.Number] != (m.verdict >= due) {
				t.Fatalf("verdict %d of %+v: copied %v", m.verdict, m.Listed, copies[m.Number])
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
		p.balanced(t)
	})
}

func (p *planned) count() map[kind]int {
	n := map[kind]int{}
	for _, m := range p.listing {
		n[kind{m.UIDL, m.Size}]++
	}
	return n
}

// model says how many of n messages of a kind have each verdict: the better news first, and what no record is left for is
// to be copied.
func model(n int, records []state.Record, k kind) map[verdict]int {
	have := map[verdict]int{}
	for _, rec := range records {
		if rec.UIDL == k.uidl && rec.Listed == k.size && rec.Phase != state.PhaseDeleted {
			have[judge(rec, noon)]++
		}
	}
	verdicts := map[verdict]int{}
	for _, v := range []verdict{delivered, inDoubt, waiting, due} {
		if some := min(n, have[v]); some > 0 {
			verdicts[v] = some
			n -= some
		}
	}
	if n > 0 {
		verdicts[unsure] = n
	}
	return verdicts
}

// balanced checks that the report accounts for each message once.
func (p *planned) balanced(t *rapid.T) {
	p.run.close()
	r := p.run.report
	if r.Listed != len(p.listing) || r.Known+r.InDoubt+r.Quarantined+r.Left != r.Listed || r.Left != len(p.todo) {
		t.Fatalf("%d messages, %d to be copied: %+v", len(p.listing), len(p.todo), r)
	}
}

// A second listing in the same run, in another order, makes no message new, and forgets none that was dealt with.
func TestPlanAgainAfterSomeWereCopied(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawn(t)
		p.run.id = 1
		p.plan()
		before, done := len(p.todo), rapid.IntRange(0, len(p.todo)).Draw(t, "done")
		for _, m := range p.todo[:done] {
			p.copied(m)
		}
		p.listing = rapid.Permutation(p.listing).Draw(t, "order")
		p.plan()
		if len(p.todo) != before-done {
			t.Fatalf("%d were to be copied, and %d of them were; and then %d", before, done, len(p.todo))
		}
		p.run.close()
		if r := p.run.report; r.Listed != len(p.listing) || r.Left != before-done {
			t.Fatalf("%d messages, %d copied of %d: %+v", len(p.listing), done, before, r)
		}
	})
}

// copied is what becomes of a message that is stored.
func (p *planned) copied(m todo) {
	p.run.conclude(m.entry, copied, Outcome{Result: Copied})
	if m.was != nil {
		p.records[m.was.ID-1].Phase, p.records[m.was.ID-1].Run = state.PhaseStored, 1
		return
	}
	p.records = append(p.records, state.Record{ID: int64(len(p.records) + 1), UIDL: m.UIDL, Listed: m.Size,
		Phase: state.PhaseStored, Run: 1})
}
