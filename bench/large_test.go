package bench

import (
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab/real"
)

// BenchmarkMemory moves mixed mail with one message of 150 MB in it.
func BenchmarkMemory(b *testing.B) {
	c := mixed(300)
	if *full {
		c = mixed(10_000)
	}
	c.giant = 150e6
	from := startSource(b, c)
	r := lay(b, from, real.Options{Format: "mdbox"}, 0)
	u := pop2imap(b, r, b.TempDir())
	if got := r.arrived(b); got != c.count() {
		b.Fatalf("%d messages at the destination, want %d", got, c.count())
	}
	tables.note("| %s and one of 150 MB, mdbox 0 ms | peak %d MiB, CPU %.1f ms/MB |", c.name, u.Peak>>10,
		float64(u.CPU)/1e6/(float64(from.octets(c.count()))/1e6))
	b.ReportMetric(float64(u.Peak)/1024, "peak-MiB")
}
