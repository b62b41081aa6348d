package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A pane is a terminal of tmux with a shell in it, and somebody who looks.
type pane struct {
	t      *testing.T
	socket string
	more   chan struct{} // has something when more was written since somebody looked
}

// openPane opens one of so many columns, with the environment of cmd.
func openPane(t *testing.T, columns int, env []string) *pane {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("tmux is not here")
		}
		t.Skip("tmux is not here")
	}
	w := &pane{t, filepath.Join(t.TempDir(), "tmux"), make(chan struct{}, 1)}
	args := []string{"-f", os.DevNull, "new-session", "-d", "-x", fmt.Sprint(columns), "-y", "20"}
	for _, e := range append(env, "PATH="+os.Getenv("PATH"), "LC_ALL=C.UTF-8", "NO_COLOR=") {
		args = append(args, "-e", e)
	}
	w.tmux(append(args, "/bin/sh")...)
	t.Cleanup(func() { w.tmux("kill-server") })
	w.listen()
	w.types("PS1='$ '; clear") // dash takes none from the environment
	w.shows(`\A\$`)
	return w
}

// listen hears of all that is written. tmux has it on its screen before it answers anybody.
func (w *pane) listen() {
	w.t.Helper()
	path := w.socket + ".out"
	if out, err := exec.Command("mkfifo", path).CombinedOutput(); err != nil {
		w.t.Fatalf("mkfifo: %v\n%s", err, out)
	}
	out, err := os.OpenFile(path, os.O_RDWR, 0) // to open it for reading alone would wait for a writer
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { out.Close() })
	go func() {
		for buf := make([]byte, 4096); ; {
			if _, err := out.Read(buf); err != nil {
				return
			}
			select {
			case w.more <- struct{}{}:
			default:
			}
		}
	}()
	w.tmux("pipe-pane", "exec cat >"+path)
}

func (w *pane) tmux(args ...string) string {
	w.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-u", "-S", w.socket}, args...)...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (w *pane) types(line string) { w.tmux("send-keys", line, "Enter") }

func (w *pane) resize(columns int) { w.tmux("resize-window", "-x", fmt.Sprint(columns)) }

// screen is what is to be seen, with what has gone up and out of sight.
func (w *pane) screen() string {
	return strings.TrimRight(w.tmux("capture-pane", "-p", "-S", "-"), "\n ")
}

// shows waits until an expression is to be seen.
func (w *pane) shows(what string) string {
	w.t.Helper()
	expression := regexp.MustCompile("(?m)" + what)
	for late := time.After(2 * time.Minute); ; {
		screen := w.screen()
		if expression.MatchString(screen) {
			return screen
		}
		select {
		case <-w.more:
		case <-late:
			w.t.Fatalf("it never shows %q, but\n%s", what, screen)
		}
	}
}

// However the terminal is resized, there is one bar, with what matters in it; and none when all is over.
func TestBarInAResizedTerminal(t *testing.T) {
	t.Parallel()
	m := setStage(t, oldMail(240))
	goOn := m.holdAt(100)
	defer goOn()
	w := openPane(t, 80, m.env)
	w.types("seq 30; pop2imap sync alice") // high up tmux would put what it has to wrap out of reach, above the screen
	w.shows(`^alice [0-9]+/240, .* left`)
	for _, c := range []struct {
		columns int
		want    string
	}{
		{80, `^alice [0-9]+/240, .* MiB, .*B/s, [0-9]+[sm] left +[0-9]+% \|█.*\|$`},
		{40, `^alice [0-9]+/240, (.*, )?[0-9]+[smh]\S* left$`},
		{20, `^[0-9]+/240, [0-9]+[smh]\S* left$`},
		{100, `^alice [0-9]+/240, .* MiB, .*B/s, .* left +[0-9]+% \|█.*\|$`},
		{30, `^alice [0-9]+/240, [0-9]+[smh]\S* left$`},
	} {
		w.resize(c.columns)
		screen := w.shows(c.want)
		t.Logf("%d columns:\n%s", c.columns, screen)
		if n := strings.Count(screen, "/240"); n != 1 {
			t.Errorf("%d columns: %d bars\n%s", c.columns, n, screen)
		}
	}
	w.resize(80)
	goOn()
	if screen := w.shows(`240 copied.*\n\$`); strings.Contains(screen, "/240") || strings.Contains(screen, "█") {
		t.Errorf("something is left of the bar:\n%s", screen)
	}
}
