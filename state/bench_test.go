package state

import (
	"fmt"
	"testing"
)

// uidl looks like Dovecot's.
func uidl(i int) string { return fmt.Sprintf("%08x5f3c2a1b", i*2654435761%(1<<32)) }

// BenchmarkBatch: Begin and Stored of 100 messages, each one durable commit; the time is that of one message.
func BenchmarkBatch(b *testing.B) {
	const size = 100
	a := account(b, opened(b))
	rs, places := make([]Record, size), make([]Place, size)
	for i := 0; i < b.N; i += size {
		for k := range rs {
			rs[k] = sample(uidl(i + k))
		}
		ids, err := a.Begin(b.Context(), rs)
		if err != nil {
			b.Fatal(err)
		}
		for k, id := range ids {
			places[k] = Place{ID: id, UIDValidity: 9, UID: uint32(i + k + 1)}
		}
		if err := a.Stored(b.Context(), places, noon); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkByUIDL: a listing of 100,000 messages against the records of as many, and of ten times as many. All are
// known, or none is.
func BenchmarkByUIDL(b *testing.B) {
	const listed = 100_000
	for _, records := range []int{listed, 10 * listed} {
		a := account(b, opened(b))
		many(b, a, records)
		for name, first := range map[string]int{"known": 0, "unknown": records} {
			uidls := make([]string, listed)
			for i := range uidls {
				uidls[i] = uidl(first + i)
			}
			b.Run(fmt.Sprintf("%s of %d", name, records), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					got, err := a.ByUIDL(b.Context(), uidls)
					if err != nil {
						b.Fatal(err)
					}
					if want := min(listed, records-first); len(got) != want {
						b.Fatalf("found %d, want %d", len(got), want)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("overview of %d", records), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if o, err := a.Overview(b.Context()); err != nil || o.All.Messages != records {
					b.Fatalf("got %+v (%v)", o, err)
				}
			}
		})
		b.Run(fmt.Sprintf("counts of %d", records), func(b *testing.B) {
			for b.Loop() {
				if c, err := a.Counts(b.Context()); err != nil || c.Verified != records {
					b.Fatalf("got %+v (%v)", c, err)
				}
			}
		})
	}
}

// many makes n verified records.
func many(b *testing.B, a *Account, n int) {
	b.Helper()
	err := a.change(b.Context(), begin, func(m moving) error {
		for i := range n {
			if _, err := m.put(sample(uidl(i)), PhaseVerified); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
