package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab/real"
)

// BenchmarkMaildrop moves maildrops of several sizes, to see whether a message costs the same in each, and then runs
// again when nothing is new, beside a session that asks only what is there.
func BenchmarkMaildrop(b *testing.B) {
	numbers := []int{1000, 10_000}
	if *full {
		numbers = append(numbers, 100_000)
	}
	for _, n := range numbers {
		b.Run(fmt.Sprint(n), func(b *testing.B) { maildrop(b, uniform(n, 1000)) })
	}
}

func maildrop(b *testing.B, c corpus) {
	from := startSource(b, c)
	for _, roundTrip := range []time.Duration{0, 50 * ms} {
		b.Run(fmt.Sprintf("%d ms", roundTrip/ms), func(b *testing.B) {
			r, dir := lay(b, from, real.Options{Format: "mdbox"}, roundTrip), b.TempDir()
			name := fmt.Sprintf("%s, mdbox %d ms", c.name, roundTrip/ms)
			u := pop2imap(b, r, dir)
			each := u.Wall / time.Duration(c.number)
			tables.note("| %s | %v a message, CPU %v, peak %d MiB |", name, each.Round(time.Microsecond),
				(u.CPU / time.Duration(c.number)).Round(time.Microsecond), u.Peak>>10)
			b.ReportMetric(float64(each)/1e6, "ms/message")
			idle(b, r, dir, name)
			if got := r.arrived(b); got != c.number {
				b.Fatalf("%d messages at the destination, want %d", got, c.number)
			}
		})
	}
}

// idle compares the fastest of a few runs.
func idle(b *testing.B, r *route, dir, name string) {
	const tries = 5
	var run, session usage
	for range tries {
		session = faster(session, own(b, "bare", r.job))
		run = faster(run, pop2imap(b, r, dir))
	}
	ratio := run.Wall.Seconds() / session.Wall.Seconds()
	tables.note("| %s, nothing new | %v, a bare session %v: ratio %.2f; CPU %v, peak %d MiB |", name, run.Wall.Round(ms),
		session.Wall.Round(ms), ratio, run.CPU.Round(ms), run.Peak>>10)
	b.ReportMetric(ratio, "to-bare")
}

func faster(a, b usage) usage {
	if a.Wall == 0 || b.Wall < a.Wall {
		return b
	}
	return a
}
