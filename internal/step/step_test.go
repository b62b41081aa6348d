package step_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// build makes the program in testdata/walk, and gives its path.
func build(t *testing.T, tags string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "walk")
	out, err := exec.Command("go", "build", "-tags", tags, "-o", program, "./testdata/walk").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// walk runs the program, and gives what it said, its list of steps and the signal that ended it, or -1.
func walk(t *testing.T, program, crashAt string) (said, steps string, by syscall.Signal) {
	t.Helper()
	list := filepath.Join(t.TempDir(), "steps")
	var out, talk bytes.Buffer
	c := exec.Command(program)
	c.Env = append(os.Environ(), "POP2IMAP_STEPS="+list, "POP2IMAP_CRASH_AT="+crashAt)
	c.Stdout, c.Stderr = &out, &talk
	by = -1
	var exit *exec.ExitError
	if err := c.Run(); errors.As(err, &exit) {
		if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
			by = status.Signal()
		}
	} else if err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(list)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return out.String() + talk.String(), string(written), by
}

func TestCrashAt(t *testing.T) {
	program := build(t, "crashpoints")
	const all = "1 intent\n2 append\n3 outcome\n"
	for name, c := range map[string]struct {
		at, said, steps string
		by              syscall.Signal
	}{
		"nowhere":        {"", "past intent\npast append\npast outcome\n", all, -1},
		"the first":      {"1", "", "1 intent\n", syscall.SIGKILL},
		"the second":     {"2", "past intent\n", "1 intent\n2 append\n", syscall.SIGKILL},
		"the last":       {"3", "past intent\npast append\n", all, syscall.SIGKILL},
		"after the last": {"4", "past intent\npast append\npast outcome\n", all, -1},
	} {
		t.Run(name, func(t *testing.T) {
			said, steps, by := walk(t, program, c.at)
			if said != c.said || steps != c.steps || by != c.by {
				t.Errorf("got %q, steps %q, signal %d; want %q, %q, %d", said, steps, by, c.said, c.steps, c.by)
			}
		})
	}
	for _, at := range []string{"0", "-1", "x"} {
		if said, _, _ := walk(t, program, at); !strings.Contains(said, "POP2IMAP_CRASH_AT") || strings.Contains(said, "past") {
			t.Errorf("POP2IMAP_CRASH_AT=%s: got %q, want a panic before the first step", at, said)
		}
	}
}

func TestNormalBuildHasNoSteps(t *testing.T) {
	program := build(t, "")
	if said, steps, by := walk(t, program, "1"); said != "past intent\npast append\npast outcome\n" || steps != "" || by != -1 {
		t.Errorf("got %q, steps %q, signal %d; want no step and no signal", said, steps, by)
	}
	symbols, err := exec.Command("go", "tool", "nm", program).Output()
	if err != nil || !bytes.Contains(symbols, []byte("main.main")) {
		t.Fatalf("symbols: %v", err)
	}
	if bytes.Contains(symbols, []byte("internal/step.")) {
		t.Error("the program has code of this package")
	}
}
