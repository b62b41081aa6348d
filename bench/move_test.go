package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab/real"
)

const ms = time.Millisecond

// A series is a corpus and the ways on which it is moved.
type series struct {
	corpus corpus
	ways   []way
}

// A way is a destination, and a line of so long a round trip.
type way struct {
	options   real.Options
	roundTrip time.Duration
}

// noMulti is what Dovecot says, without MULTIAPPEND; the last of them also without LITERAL+.
const (
	noMulti   = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE UIDPLUS LIST-EXTENDED LIST-STATUS NAMESPACE SPECIAL-USE LITERAL+"
	noLiteral = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE UIDPLUS LIST-EXTENDED LIST-STATUS NAMESPACE SPECIAL-USE"
)

func (w way) String() string {
	name := w.options.Format
	switch w.options.Capability {
	case noMulti:
		name += " without MULTIAPPEND"
	case noLiteral:
		name += " without LITERAL+"
	}
	return fmt.Sprintf("%s %d ms", name, w.roundTrip/ms)
}

// ways combines formats and round trips.
func ways(capability string, roundTrips ...time.Duration) (all []way) {
	for _, format := range []string{"maildir", "mdbox"} {
		for _, t := range roundTrips {
			all = append(all, way{real.Options{Format: format, Capability: capability}, t})
		}
	}
	return all
}

// cases are those that end within ten minutes, or all of them.
func cases() []series {
	if !*full {
		return []series{
			{mixed(1000), append(ways("", 0, 50*ms), ways(noMulti, 0)...)},
			{uniform(2000, 8<<10), ways("", 0)},
		}
	}
	delays := []time.Duration{0, 20 * ms, 50 * ms, 100 * ms}
	return []series{
		{mixed(1000), append(append(ways("", delays...), ways(noMulti, 0, 50*ms)...), ways(noLiteral, 50*ms)...)},
		{mixed(10_000), ways("", delays...)},
		{uniform(10_000, 8<<10), ways("", 0, 50*ms)},
	}
}

// BenchmarkMove moves each corpus on each way with each program, in turn.
func BenchmarkMove(b *testing.B) {
	for _, s := range cases() {
		b.Run(s.corpus.name, func(b *testing.B) {
			from := startSource(b, s.corpus)
			for _, w := range s.ways {
				b.Run(w.String(), func(b *testing.B) { compare(b, from, w) })
			}
		})
	}
}

// compare runs the programs in one case.
func compare(b *testing.B, from *source, w way) {
	for _, p := range append([]program{theFloor, ours, theNaive}, peers(from, w)...) {
		if p.name == theFloor.name && w.options.Capability == noLiteral {
			continue // it does not wait for a server's leave
		}
		b.Run(p.name, func(b *testing.B) { move(b, p, from, w) })
	}
}

func move(b *testing.B, p program, from *source, w way) {
	most := 0
	if p.slow {
		most = few(w.roundTrip)
	}
	u, messages := best(b, p, func(b testing.TB) *route {
		r := lay(b, from, w.options, w.roundTrip)
		r.Most = most
		return r
	})
	octets := from.octets(messages)
	tables.add(row{from.corpus.name + ", " + w.String(), p.name, messages, octets, u})
	b.ReportMetric(rate(messages, u.Wall), "messages/s")
	b.ReportMetric(float64(octets)/1e6/u.Wall.Seconds(), "MB/s")
	b.ReportMetric(u.CPU.Seconds(), "CPU-s")
	b.ReportMetric(float64(u.Peak)/1024, "peak-MiB")
}
