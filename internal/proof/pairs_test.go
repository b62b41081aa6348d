package proof_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// three are two that are the same and one without a Message-ID.
func three() []lab.Mail { return []lab.Mail{mail("a"), anonymous("b"), as(mail("a"), "a2")} }

var small = []plan{
	{name: "batched", mail: three(), steps: 129},
	{name: "single, UIDs not told", mail: three(), without: []imap.Cap{multi, uidplus}, steps: 176},
	{name: "single, without dedup", mail: three(), without: []imap.Cap{multi}, noDedup: true, steps: 140},
	{name: "batched, then deleted", mail: three(), deletes: true, steps: 176},
}

// TestCrashTwice kills the program at step k, and its second run at step j. There are too many pairs for all of them.
func TestCrashTwice(t *testing.T) {
	most := 12
	if thorough() {
		most = 1000
	}
	for _, p := range small {
		t.Run(p.name, func(t *testing.T) {
			n := counted(t, p)
			later := n * 3 / 2 // recovery has steps of its own
			for _, at := range rand.New(rand.NewPCG(2, 0)).Perm(n * later)[:most] {
				k, j := at/later+1, at%later+1
				t.Run(fmt.Sprintf("%d, %d", k, j), func(t *testing.T) {
					t.Parallel()
					w := create(t, p)
					w.dies(w.run(k))
					if e := w.run(j); len(e.steps) >= j {
						w.dies(e)
					} else if e.by != syscall.SIGKILL { // else another goroutine had a step of its own not yet written down
						w.ends(e) // it was done before
					}
					w.ends(w.run(0))
					w.finished()
					w.rests()
				})
			}
		})
	}
}
