// Package bench measures the real command between real servers on this machine, beside three others: naive moves one
// message after the other and waits for each reply, floor is what the two protocols allow when nothing is remembered
// and nothing checked, and peers are other people's programs where they are installed. All of them run in turn, each as
// a process of its own, on the same mail: what counts are the ratios within one run. docs/performance.md says how to
// run it and what came out.
//
// It holds no code that the program uses.
package bench

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"
)

var (
	full     = flag.Bool("full", false, "all cases, not only those of ten minutes")
	rounds   = flag.Int("rounds", 1, "how often each program runs a case; the fastest counts")
	subject  = flag.String("program", "", "`FILE` of the program to measure; built from the tree if empty")
	profiles = flag.String("profiles", "", "`FOLDER` to which perf(1) writes a profile of each run of the program")
)

// roles are what this binary does instead of measuring, when its first argument says so: it is its own children.
var roles = map[string]func() error{
	"watch": watch,
	"naive": func() error { return asJob(naive) },
	"floor": func() error { return asJob(floor) },
	"bare":  func() error { return asJob(bare) },
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if role := roles[os.Args[1]]; role != nil {
			if err := role(); err != nil {
				fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[1], err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	status := m.Run()
	fmt.Print(tables.markdown())
	os.Exit(status)
}

// A job is what a child has to do. It comes in the child's second argument.
type job struct {
	POP, IMAP      string // host:port, TLS from the first byte
	CA             string // file with the authority of both
	User, Password string
	Folder         string
	Most           int // messages; 0: all
}

func asJob(do func(job) error) error {
	var j job
	if err := json.Unmarshal([]byte(os.Args[2]), &j); err != nil {
		return err
	}
	return do(j)
}
