package main

import (
	"strings"
	"syscall"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// TestEscapeSequences: nothing has a colour, and who cannot or does not want to see escape sequences gets none.
func TestEscapeSequences(t *testing.T) {
	for _, c := range []struct {
		name         string
		env          []string
		bar, escapes bool
	}{
		{"a terminal", []string{"TERM=xterm", "NO_COLOR="}, true, true},
		{"NO_COLOR", []string{"TERM=xterm", "NO_COLOR=1"}, true, false},
		{"a dumb terminal", []string{"TERM=dumb", "NO_COLOR="}, false, false},
		{"nothing is known of the terminal", []string{"TERM=", "NO_COLOR="}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			command, _ := prepared(t, lab.Sample()[:5], nil)
			cmd := command()
			cmd.Env = append(cmd.Env, c.env...)
			s := sitDown(t, cmd)
			s.reads("5 copied")
			s.reads("\n")
			cmd.Wait()
			seen := s.seen.String()
			if got := strings.Contains(seen, "/5"); got != c.bar {
				t.Errorf("whether there is a bar: %v\n%q", got, seen)
			}
			if got := strings.Contains(seen, "\x1b"); got != c.escapes {
				t.Errorf("whether there are escape sequences: %v\n%q", got, seen)
			}
			if rest := strings.NewReplacer(erase, "", noWrap, "", wrap, "").Replace(seen); strings.Contains(rest, "\x1b") {
				t.Errorf("there are others than those of the bar:\n%q", rest)
			}
		})
	}
	command, _ := prepared(t, lab.Sample()[:5], nil)
	cmd := command()
	cmd.Args, cmd.Env = append(cmd.Args, "--progress", "always"), append(cmd.Env, "TERM=xterm", "NO_COLOR=")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "\x1b") || !strings.Contains(string(out), "/5") {
		t.Errorf("without a terminal (%v)\n%q", err, out)
	}
}

// TestEveryAsksOnce: passwords that somebody types are asked for before the first pass, and never again.
func TestEveryAsksOnce(t *testing.T) {
	command, _ := prepared(t, lab.Sample()[:1], nil)
	cmd := command()
	cmd.Args = append(cmd.Args, "--every", "100ms")
	cmd.Env = append(cmd.Env, "POP2IMAP_FROM_PASSWORD=", "POP2IMAP_TO_PASSWORD=", "KEYRING="+t.TempDir()+"/none")
	s := sitDown(t, cmd)
	for range 2 {
		s.reads("Password for alice at 127.0.0.1: ")
		s.typesUnseen(password + "\n")
	}
	s.reads("1 copied")
	s.reads("1 known, nothing new")
	s.reads("1 known, nothing new")
	s.reads("the next pass begins at")
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 143 {
		t.Errorf("exit code %d, want 143", got)
	}
	if seen := s.seen.String(); strings.Count(seen, "Password for") != 2 || strings.Contains(seen, password) {
		t.Errorf("it asks more than twice, or shows a password:\n%s", seen)
	}
}
