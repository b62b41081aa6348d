package proof_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// five are two that are the same, one without a Message-ID, one that does not fit into memory, and one more.
func five() []lab.Mail {
	return []lab.Mail{mail("a"), anonymous("b"), as(mail("a"), "a2"), sized(mail("large"), 1<<20+1), mail("c")}
}

// routed are some for each of three folders, by turns; two are the same but for the UIDL.
func routed() []lab.Mail {
	return []lab.Mail{to("INBOX", mail("a")), mail("b"), to("Lists/Go", mail("c")), to("INBOX", anonymous("d")),
		as(mail("b"), "b2"), to("Lists/Go", sized(mail("large"), 1<<20+1)), mail("e")}
}

// correspondence is two messages and what the user answered, of which one was sent to the maildrop before what it answers.
func correspondence() []lab.Mail {
	return []lab.Mail{to("INBOX", mail("a")), answer("ra", "a"), answer("rb", "b"), to("INBOX", mail("b")), to("INBOX", mail("c"))}
}

var marked = map[string][]string{"a": {`\Answered`, `\Seen`}, "b": {`\Answered`, `\Seen`}, "ra": {`\Seen`}, "rb": {`\Seen`}}

// What a destination may lack.
var (
	uidplus  = imap.CapUIDPlus     // it does not say where it has stored a message
	multi    = imap.CapMultiAppend // it takes one message a command
	unbidden = imap.CapLiteralPlus // it takes no message that it has not asked for
)

var plans = []plan{
	{name: "batched", mail: five(), steps: 171},
	{name: "batched, UIDs not told", mail: five(), without: []imap.Cap{uidplus}, steps: 227},
	{name: "single", mail: five(), without: []imap.Cap{multi}, steps: 178},
	{name: "single, UIDs not told", mail: five(), without: []imap.Cap{multi, uidplus}, steps: 230},
	{name: "single, on request", mail: five(), without: []imap.Cap{multi, unbidden}, steps: 181},
	{name: "batched on request, UIDs not told", mail: five(), without: []imap.Cap{unbidden, uidplus}, steps: 233},
	{name: "three batches", mail: []lab.Mail{mail("a"), sized(mail("large"), 4<<20), as(mail("a"), "a2")}, steps: 270},
	{name: "batched, without dedup", mail: five(), noDedup: true, steps: 171},
	{name: "single, UIDs not told, without dedup", mail: five(), without: []imap.Cap{multi, uidplus}, noDedup: true, steps: 230},
	{name: "batched, then deleted", mail: five(), deletes: true, steps: 230},
	{name: "to three folders", mail: routed(), routed: true, steps: 260, jitter: 30},
	{name: "to three folders, UIDs not told", mail: routed(), routed: true, without: []imap.Cap{uidplus}, steps: 350, jitter: 30},
	{name: "with own messages", mail: correspondence(), routed: true, flags: marked, steps: 191, jitter: 30},
	{name: "with own messages, UIDs not told", mail: correspondence(), routed: true, flags: marked, without: []imap.Cap{uidplus},
		steps: 238, jitter: 30},
	{name: "single, UIDs not told, then deleted", mail: five(), without: []imap.Cap{multi, uidplus}, deletes: true, steps: 290},
}

// TestCrashAtEachStep kills the program at each step of a migration, and runs it again.
func TestCrashAtEachStep(t *testing.T) {
	for _, p := range plans {
		t.Run(p.name, func(t *testing.T) {
			for _, k := range some(counted(t, p), 10) {
				t.Run(fmt.Sprint(k), func(t *testing.T) {
					t.Parallel()
					w := create(t, p)
					e := w.run(k)
					if p.jitter > 0 && e.exit == 0 && len(e.steps) < k {
						t.Skipf("this time there were only %d steps", len(e.steps))
					}
					w.dies(e)
					w.ends(w.run(0))
					w.finished()
					w.rests()
				})
			}
		})
	}
}

// counted says how many steps there are when nothing happens: as many each time, and about as many as when this test was
// written. Otherwise steps may have been lost, and with them what this proves: find out, and then change the plan.
func counted(t *testing.T, p plan) int {
	t.Helper()
	var runs [2][]string
	for i := range runs {
		w := create(t, p)
		e := w.run(0)
		w.ends(e)
		w.finished()
		w.rests()
		runs[i] = e.steps
	}
	n := len(runs[0])
	times := map[string]int{}
	for _, name := range runs[0] {
		times[name]++
	}
	t.Logf("%d steps: %v", n, times)
	const goodbye = 4 // steps: what is said to it may come too late
	if d := len(runs[1]) - n; max(d, -d) > max(p.jitter, goodbye) {
		t.Errorf("%d steps the first time, and then %d", n, len(runs[1]))
	}
	if n < p.steps*4/5 || n > p.steps*5/4 {
		t.Errorf("%d steps, want about %d", n, p.steps)
	}
	for _, c := range [][2]int{{times["retrieved"], len(p.mail)}, {times["committed"], times["commit"]},
		{times["written to from"], times["write to from"]}, {times["written to to"], times["write to to"]}} {
		if c[0] != c[1] || c[0] == 0 {
			t.Errorf("there are steps missing: %v", times)
		}
	}
	return n - goodbye
}

// some gives the numbers from 1 to n; where there is no time for all of them, so many of them, always the same.
func some(n, most int) []int {
	list := rand.New(rand.NewPCG(1, uint64(n))).Perm(n)
	if !thorough() {
		list = list[:min(most, n)]
	}
	for i := range list {
		list[i]++
	}
	slices.Sort(list)
	return list
}
