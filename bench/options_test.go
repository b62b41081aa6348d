package bench

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab/real"
)

// BenchmarkOptions says which parts of the table wait for a flag that the program does not have.
func BenchmarkOptions(b *testing.B) {
	file, err := build()
	if err != nil {
		b.Fatal(err)
	}
	help, err := exec.Command(file, "sync", "--help").CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, help)
	}
	if strings.Contains(string(help), "--imap-connections") {
		connections(b)
	} else {
		tables.note("| synchronising literals, 4 connections to 1 | not measured: the program has no --imap-connections |")
	}
	if strings.Contains(string(help), "--verify") {
		verified(b)
	} else {
		tables.note("| CPU with --verify digest | not measured: the program has no --verify |")
	}
}

// connections compares how fast one connection is and four are where each literal waits.
func connections(b *testing.B) {
	n := 300
	if *full {
		n = 1000
	}
	from := startSource(b, mixed(n))
	var took [2]usage
	for i, n := range []string{"1", "4"} {
		r := lay(b, from, real.Options{Capability: noLiteral}, 50*ms)
		took[i] = pop2imap(b, r, b.TempDir(), "--imap-connections", n)
	}
	tables.note("| synchronising literals, %s, maildir 50 ms | %v with 1 connection, %v with 4: ratio %.2f |", from.corpus.name,
		took[0].Wall.Round(ms), took[1].Wall.Round(ms), took[0].Wall.Seconds()/took[1].Wall.Seconds())
}

// verified measures the CPU time when each message is read back whole.
func verified(b *testing.B) {
	from := startSource(b, mixed(300))
	r := lay(b, from, real.Options{Format: "mdbox"}, 0)
	u := pop2imap(b, r, b.TempDir(), "--verify", "digest")
	tables.note("| CPU with --verify digest, %s, mdbox 0 ms | %.1f ms/MB |", from.corpus.name,
		float64(u.CPU)/1e6/(float64(from.octets(from.corpus.count()))/1e6))
}
