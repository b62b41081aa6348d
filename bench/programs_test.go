package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A program is something that moves mail.
type program struct {
	name string
	run  func(testing.TB, *route) usage
	slow bool // waits for each message, and so is given only the first ones
}

var (
	ours     = program{name: "pop2imap", run: func(b testing.TB, r *route) usage { return pop2imap(b, r, b.TempDir()) }}
	theFloor = program{name: "floor", run: func(b testing.TB, r *route) usage { return own(b, "floor", r.job) }}
	theNaive = program{name: "naive", run: func(b testing.TB, r *route) usage { return own(b, "naive", r.job) }, slow: true}
)

// few is how many messages a slow program moves: enough to know its pace.
func few(roundTrip time.Duration) int {
	if roundTrip > 0 {
		return 60
	}
	return 300
}

// build makes the program, once.
var build = sync.OnceValues(func() (string, error) {
	if *subject != "" {
		return filepath.Abs(*subject)
	}
	dir, err := os.MkdirTemp("", "pop2imap-bench-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", dir, "../cmd/pop2imap").CombinedOutput()
	if err != nil {
		os.Stderr.Write(out)
	}
	return filepath.Join(dir, "pop2imap"), err
})

// pop2imap runs the program, with its state in a folder.
func pop2imap(b testing.TB, r *route, dir string, more ...string) usage {
	b.Helper()
	file, err := build()
	if err != nil {
		b.Fatalf("build: %v", err)
	}
	env := []string{"POP2IMAP_FROM_PASSWORD=" + r.Password, "POP2IMAP_TO_PASSWORD=" + r.to.Password}
	args := append([]string{"sync", "--state", filepath.Join(dir, "state.db"), "--timeout", "10m",
		"--from", "pop3s://" + r.User + "@" + r.POP, "--from-tls-ca", r.CA,
		"--to", "imaps://" + r.to.User + "@" + r.IMAP + "/" + r.Folder, "--to-tls-ca", r.CA}, more...)
	if *profiles == "" {
		return measure(b, env, file, args...)
	}
	profile := filepath.Join(*profiles, strings.NewReplacer("/", ".", " ", "_").Replace(b.Name())+".perf")
	return measure(b, env, "perf", append([]string{"record", "-q", "-F", "997", "-g", "-o", profile, "--", file}, args...)...)
}

// best runs a program on new routes, and gives the fastest usage.
func best(b testing.TB, p program, lay func(testing.TB) *route) (u usage, messages int) {
	b.Helper()
	for range max(1, *rounds) {
		r := lay(b)
		got := p.run(b, r)
		if messages = r.arrived(b); messages != r.expected() {
			b.Fatalf("%s: %d messages at the destination, want %d", p.name, messages, r.expected())
		}
		if u.Wall == 0 || got.Wall < u.Wall {
			u = got
		}
	}
	return u, messages
}

// expected is how many messages there have to be in the end.
func (r *route) expected() int {
	if r.Most > 0 {
		return min(r.Most, r.from.corpus.count())
	}
	return r.from.corpus.count()
}

// rate is in messages a second.
func rate(messages int, t time.Duration) float64 { return float64(messages) / t.Seconds() }
