package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// A pass begins so long after the last one began, but not at once after that has ended.
func TestWhenTheNextPassBegins(t *testing.T) {
	began := time.Date(2025, 3, 3, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct{ every, took, want time.Duration }{
		{15 * time.Minute, 2 * time.Minute, 15 * time.Minute},
		{15 * time.Minute, 14*time.Minute + 30*time.Second, 15*time.Minute + 30*time.Second},
		{15 * time.Minute, time.Hour, time.Hour + time.Minute},
		{time.Minute, time.Second, time.Minute + time.Second},
		{time.Second, time.Hour, time.Hour + time.Second}, // only tests have less than a minute
	} {
		p := passes{every: c.every, began: began}
		if got := p.after(began.Add(c.took)).Sub(began); got != c.want {
			t.Errorf("every %s, one took %s: the next after %s, want %s", c.every, c.took, got, c.want)
		}
	}
}

// TestStateInMemory: who copies is told that the state is gone after a restart, once; cron is not, and a dry run has none.
func TestStateInMemory(t *testing.T) {
	dir, err := os.MkdirTemp("/dev/shm", "pop2imap-")
	if err != nil {
		t.Skipf("no memory to keep files in: %v", err)
	}
	defer os.RemoveAll(dir)
	command, _ := prepared(t, lab.Sample()[:1], nil)
	for _, c := range []struct {
		more string
		want int
	}{{"--verbose", 1}, {"--dry-run", 0}, {"--quiet", 0}} {
		cmd := command()
		cmd.Args = append(cmd.Args, "--state", filepath.Join(dir, "state.db"), c.more)
		out, err := cmd.CombinedOutput()
		if got := strings.Count(string(out), "lies in memory (tmpfs)"); err != nil || got != c.want {
			t.Errorf("%s: it says so %d times, want %d (%v)\n%s", c.more, got, c.want, err, out)
		}
	}
	out, err := command().CombinedOutput()
	if err != nil || strings.Contains(string(out), "tmpfs") {
		t.Errorf("of a state on a disk it says (%v)\n%s", err, out)
	}
}
