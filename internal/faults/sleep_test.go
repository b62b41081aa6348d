package faults

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
)

// TestAsleepWhileLinesBreak stops the program (SIGSTOP) with an APPEND on its way, as a laptop does that is closed. The
// server stores the message, or does not, and drops the line; then the program goes on (SIGCONT).
func TestAsleepWhileLinesBreak(t *testing.T) {
	for name, fate := range map[string]lab.Fate{"stored": lab.CutReply, "not stored": lab.Cut} {
		t.Run(name, func(t *testing.T) {
			w := create(t)
			asleep, sleeps := make(chan error, 1), make(chan int, 1)
			appends := 0
			box, err := lab.StartIMAP(lab.IMAPOptions{User: trial.User, Password: trial.Password,
				Hook: func(_ int, command string) lab.Fate {
					if !strings.HasPrefix(command, "APPEND") {
						return lab.Execute
					}
					if appends++; appends != 2 {
						return lab.Execute
					}
					asleep <- stop(<-sleeps)
					return fate
				}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(box.Close)
			w.IMAP, w.To, w.mail = box, box, three
			w.POP.SetMail(three)
			cmd := w.command()
			var said strings.Builder
			cmd.Stdout, cmd.Stderr = &said, &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			sleeps <- cmd.Process.Pid
			if err := <-asleep; err != nil {
				t.Error(err)
			}
			if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Error(err)
			}
			cmd.Wait() // whatever it says: what counts is what is there in the end
			if code := cmd.ProcessState.ExitCode(); code != 0 && code != 4 && code != 75 {
				t.Errorf("exit code %d\n%s", code, said.String())
			}
			w.recovers(said.String())
		})
	}
}

// stop stops a process, and returns when all of it stands still.
func stop(pid int) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	for {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return err
		}
		if strings.Contains(string(stat), ") T ") {
			return nil
		}
	}
}
