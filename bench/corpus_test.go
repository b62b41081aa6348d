package bench

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab/real"
)

// A corpus is mail that is the same in each run.
type corpus struct {
	name   string
	number int
	octets func(*rand.Rand) int // of a message
	giant  int                  // octets of one more message in the middle; 0: there is none
	dense  bool                 // it can be compressed no better than the mail of people
}

// mixed is mail as people have it: the median is 14 KB, the mean about 65 KB, a message in 200 has 1 to 5 MB.
func mixed(n int) corpus {
	return corpus{name: fmt.Sprintf("mixed-%d", n), number: n, octets: func(r *rand.Rand) int {
		if r.IntN(200) == 0 {
			return 1<<20 + r.IntN(4<<20)
		}
		return min(1<<20, max(800, int(14_000*math.Exp(1.65*r.NormFloat64()))))
	}}
}

// uniform is mail of one size.
func uniform(n, octets int) corpus {
	return corpus{name: fmt.Sprintf("%dB-%d", octets, n), number: n, octets: func(*rand.Rand) int { return octets }}
}

// put gives the corpus to a server.
func (c corpus) put(b testing.TB, s *real.Server) {
	b.Helper()
	const together = 100
	r := rand.New(rand.NewPCG(1, 2))
	var some [][]byte
	for i := range c.number {
		some = append(some, c.letter(r, i, c.octets(r)))
		if c.giant > 0 && i == c.number/2 {
			some = append(some, c.letter(r, c.number, c.giant))
		}
		if len(some) >= together || i == c.number-1 {
			s.Put(b, some)
			some = some[:0]
		}
	}
}

// count is how many messages there are.
func (c corpus) count() int {
	if c.giant > 0 {
		return c.number + 1
	}
	return c.number
}

// letter makes a message of about so many octets: a header and lines, a dot at the start of some.
func (c corpus) letter(r *rand.Rand, i, octets int) []byte {
	m := bytes.NewBuffer(make([]byte, 0, octets+200))
	fmt.Fprintf(m, "Received: from a.example.com by b.example.com; Mon, 02 Mar 2020 %02d:%02d:%02d +0000\n"+
		"From: bob@example.com\nTo: alice@example.org\nSubject: letter %d\nMessage-ID: <%d.%d@example.com>\n"+
		"Date: Mon, 02 Mar 2020 10:00:00 +0000\n\n", i/3600%24, i/60%60, i%60, i, i, r.Uint64())
	line := quick
	switch {
	case c.dense && octets > 20_000:
		line = attached
	case c.dense:
		line = written
	}
	for n := 0; m.Len() < octets; n++ {
		if n%50 == 7 {
			m.WriteByte('.')
		}
		line(r, m)
		m.WriteByte('\n')
	}
	return m.Bytes()
}

// quick is a line that is soon made.
func quick(r *rand.Rand, m *bytes.Buffer) {
	const line = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/0123456789AB"
	at := r.IntN(len(line) - 1)
	m.WriteString(line[at:])
	m.WriteString(line[:at])
}

// attached is a line of base64 of what is compressed already, as most attachments are.
func attached(r *rand.Rand, m *bytes.Buffer) {
	var raw [57]byte
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	m.WriteString(base64.StdEncoding.EncodeToString(raw[:]))
}

// written is a line of words, some of which are more frequent than others.
func written(r *rand.Rand, m *bytes.Buffer) {
	for range 10 {
		word := 1 + r.IntN(1+r.IntN(4000)) // the same number is the same word
		for n := word * 7919; n > 0; n /= 26 {
			m.WriteByte(byte('a' + n%26))
		}
		m.WriteByte(' ')
	}
}
