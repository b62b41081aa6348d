package bench

import (
	"fmt"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/real"
)

// BenchmarkSlowLine moves mail to a server over the line that people have at home, without and with COMPRESS=DEFLATE: mail
// most of which is attachments, and letters.
func BenchmarkSlowLine(b *testing.B) {
	for _, c := range []corpus{mixed(300), uniform(1500, 8<<10)} {
		c.dense = true
		from := startSource(b, c)
		plain, compressed := slowly(b, from, false), slowly(b, from, true)
		tables.note("| %s, %.0f MB, 1 MB/s 20 ms | %s; with COMPRESS=DEFLATE %s: %.2f times as fast |", c.name,
			float64(from.octets(c.count()))/1e6, from.describe(plain), from.describe(compressed),
			plain.Wall.Seconds()/compressed.Wall.Seconds())
	}
}

// slowly moves all mail over the slow line, to a server that can compress or not.
func slowly(b *testing.B, from *source, compress bool) usage {
	b.Helper()
	r := lay(b, from, real.Options{Format: "mdbox", Compress: compress}, 0)
	r.IMAP = reach(b, r.to.IMAPS, lab.ProxyOptions{Rate: 1e6, Delay: 10 * ms})
	u := pop2imap(b, r, b.TempDir())
	if got := r.arrived(b); got != from.corpus.count() {
		b.Fatalf("%d messages at the destination, want %d", got, from.corpus.count())
	}
	return u
}

// describe says what moving all of the mail took.
func (s *source) describe(u usage) string {
	return fmt.Sprintf("%.1f s, CPU %.1f ms/MB, peak %d MiB", u.Wall.Seconds(),
		float64(u.CPU)/1e6/(float64(s.octets(s.corpus.count()))/1e6), u.Peak>>10)
}
