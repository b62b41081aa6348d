package faults

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// traced is a run under strace, and what it logged.
type traced struct {
	exit  int
	said  string
	calls []string // those to which the injection applies, in order, and the writes that carry an APPEND
}

// trace runs the program under strace with an injection into the calls named by set, of the files if there are any.
func (w *world) trace(set, injection string, files ...string) traced {
	w.Helper()
	log := w.Dir + ".log"
	args := []string{"strace", "-f", "-y", "-qq", "-s", "64", "-o", log, "-e", "trace=" + set + ",write"}
	if injection != "" {
		args = append(args, "-e", "inject="+set+":"+injection)
	}
	for _, f := range files {
		args = append(args, "-P", f)
	}
	exit, said := w.sync(args...)
	text, err := os.ReadFile(log)
	if err != nil {
		w.Fatal(err)
	}
	r := traced{exit: exit, said: said}
	call := regexp.MustCompile(`^\d+ +(` + strings.ReplaceAll(set, ",", "|") + `)\(`)
	for line := range strings.Lines(string(text)) {
		if call.MatchString(line) && !strings.Contains(line, "state.db-shm") || strings.Contains(line, "APPEND") {
			r.calls = append(r.calls, strings.TrimSpace(line))
		}
	}
	return r
}

// hit gives the first call into which something was injected, from 1; 0: none.
func (r traced) hit() int {
	return 1 + slices.IndexFunc(r.calls, func(c string) bool { return strings.Contains(c, "INJECTED") })
}

// A tally says which calls were hit.
type tally map[int]bool

func (h tally) String() string {
	var list []int
	for n := range h {
		list = append(list, n)
	}
	slices.Sort(list)
	return fmt.Sprint(list)
}

// turns gives which call of a thread is hit in which round: each, several times.
func turns(most int) (ns []int) {
	if !*all {
		return []int{1, most / 4, most / 2}
	}
	for n := 1; n <= most; n++ {
		ns = append(ns, n, n, n, n, n, n)
	}
	return ns
}

// targets counts the calls that can be hit.
func (r traced) targets() (n int) {
	for _, c := range r.calls {
		if !strings.Contains(c, "APPEND") {
			n++
		}
	}
	return n
}

// threads lets the program's threads share the calls otherwise in every other round: one of them makes nearly all.
func threads(round int) []string { return []string{fmt.Sprintf("GOMAXPROCS=%d", 1+round%2)} }

// TestKilledAtASync kills the program with SIGKILL as it begins to sync a file or a folder.
func TestKilledAtASync(t *testing.T) {
	straceOrSkip(t)
	const set = "fsync,fdatasync"
	whole := create(t, three...).trace(set, "")
	if whole.exit != 0 || len(whole.calls) < 10 {
		t.Fatalf("without a fault: exit code %d, %d syncs\n%s", whole.exit, len(whole.calls), whole.said)
	}
	hits := tally{}
	for i, n := range turns(len(whole.calls)) {
		w := create(t, three...)
		w.env = threads(i)
		r := w.trace(set, fmt.Sprintf("signal=SIGKILL:when=%d", n))
		if strings.Contains(r.said, "copied") { // no thread came so far
			continue
		}
		hits[len(r.calls)] = true
		w.recovers(fmt.Sprintf("killed at sync %d: %s", len(r.calls), r.said))
	}
	t.Logf("killed at %d of %d syncs: %v, APPENDs counted too", len(hits), whole.targets(), hits)
	if len(hits) == 0 {
		t.Error("nothing was injected")
	}
}

// TestDiskFails lets a write or a sync of the state fail. Nothing is sent any more then, and the next run does the rest.
func TestDiskFails(t *testing.T) {
	straceOrSkip(t)
	for _, set := range []string{"fsync,fdatasync", "pwrite64"} {
		for _, failure := range []string{"EIO", "ENOSPC"} {
			t.Run(set+" "+failure, func(t *testing.T) { diskFails(t, set, failure) })
		}
	}
}

func diskFails(t *testing.T, set, failure string) {
	whole := prepared(t).trace(set, "")
	if whole.exit != 0 || len(whole.calls) < 4 {
		t.Fatalf("without a fault: exit code %d, %d calls\n%s", whole.exit, len(whole.calls), whole.said)
	}
	hits, silent := tally{}, tally{}
	for i, n := range turns(len(whole.calls)) {
		w := prepared(t)
		w.env = threads(i)
		r := w.trace(set, fmt.Sprintf("error=%s:when=%d", failure, n))
		at := r.hit()
		if at == 0 {
			continue
		}
		hits[at] = true
		context := fmt.Sprintf("%s at call %d, %s, exit code %d\n%s", failure, at, r.calls[at-1], r.exit, r.said)
		switch r.exit {
		case 74:
		case 0: // it was behind the last commit, where the journal is folded into the file
			silent[at] = true
			// SQLite does not look at whether a folder could be synced.
			if strings.Contains(r.calls[at-1], w.Dir+">") {
				break
			}
			if slices.ContainsFunc(r.calls[at:], func(c string) bool { return strings.Contains(c, "APPEND") }) {
				t.Errorf("it went on: %s", context)
			}
		default:
			t.Errorf("want exit code 74: %s", context)
		}
		w.recovers(context)
	}
	t.Logf("hit %d of %d calls: %v, APPENDs counted too; not an error: %v", len(hits), whole.targets(), hits, silent)
	if len(hits) == 0 {
		t.Error("nothing was injected")
	}
}

// prepared has a state already, and three messages to move.
func prepared(t *testing.T) *world {
	t.Helper()
	w := create(t)
	if exit, said := w.sync(); exit != 0 {
		t.Fatalf("exit code %d: %s", exit, said)
	}
	w.mail = three
	w.POP.SetMail(three)
	return w
}
