package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// TestDoctorIsStopped sends the signal while the maildrop is being listed: nobody waits for the answer.
func TestDoctorIsStopped(t *testing.T) {
	listing, goOn := make(chan bool, 1), make(chan bool)
	maildrop, err := lab.StartPOP3(lab.POP3Options{User: "alice", Password: password, Hook: func(_ int, line string) (string, bool) {
		if line == "UIDL" {
			listing <- true
			<-goOn
		}
		return "", false
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(maildrop.Close)
	t.Cleanup(func() { close(goOn) })
	_, port := maildrop.Addr()
	cmd := exec.Command("pop2imap", "doctor", "--state", filepath.Join(t.TempDir(), "state.db"),
		"--from", "pop3+insecure://alice@127.0.0.1:"+strconv.Itoa(port), "--to", "imaps://alice@127.0.0.1")
	cmd.Env = append(os.Environ(), "POP2IMAP_FROM_PASSWORD="+password, "POP2IMAP_TO_PASSWORD="+password)
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-listing
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 143 || !strings.Contains(out.String(), "failure  stopped: ") {
		t.Errorf("exit code %d, want 143\n%s", got, out.String())
	}
}
