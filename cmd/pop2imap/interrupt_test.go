package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// TestInterrupted stops the program by a signal while the server has the first batch and has not answered. The first
// message of a run is offered alone; the others follow together.
func TestInterrupted(t *testing.T) {
	for _, c := range []struct {
		name   string
		signal []syscall.Signal
		exit   int    // -1: killed
		again  string // what the next run says
		more   string // argument of the run that is stopped; "": none
	}{
		{"SIGINT finishes the batch under way", []syscall.Signal{syscall.SIGINT}, 130, "5 messages listed, 5 known, nothing new", ""},
		{"SIGTERM too", []syscall.Signal{syscall.SIGTERM}, 143, "5 messages listed, 5 known, nothing new", ""},
		{"SIGTERM in a pass is the end of --every", []syscall.Signal{syscall.SIGTERM}, 143, "5 messages listed, 5 known, nothing new", "--every=1h"},
		{"the second SIGINT leaves at once", []syscall.Signal{syscall.SIGINT, syscall.SIGINT}, 130, "5 messages listed, 1 known, 0 copied (0 B), 4 found at the destination", ""},
		{"SIGKILL", []syscall.Signal{syscall.SIGKILL}, -1, " 0 copied (0 B), ", ""}, // whether the first is recorded, chance decides
	} {
		t.Run(c.name, func(t *testing.T) { interrupted(t, lab.Sample()[:5], c.signal, c.exit, c.again, c.more) })
	}
}

// TestStopBeginsNothingNew stops the program while three batches of a hundred are on their way, or are being filled: the
// other messages stay for the next run.
func TestStopBeginsNothingNew(t *testing.T) {
	mail := make([]lab.Mail, 500)
	for i := range mail {
		mail[i] = lab.Mail{UIDL: fmt.Sprint(i), Raw: fmt.Appendf(nil, "Message-ID: <%d@example.org>\r\n\r\n%d\r\n", i, i)}
	}
	out := interrupted(t, mail, []syscall.Signal{syscall.SIGINT}, 130, "500 messages listed", "")
	if strings.Contains(out, "nothing new") {
		t.Errorf("it copied all: %s", out)
	}
}

// interrupted gives what the next run says. After that each message is there once, to the octet, in order.
func interrupted(t *testing.T, mail []lab.Mail, signals []syscall.Signal, exit int, again, more string) string {
	t.Helper()
	hook, has, goOn := atTheSecond()
	command, mailbox := prepared(t, mail, hook)
	first := command()
	if more != "" {
		first.Args = append(first.Args, more)
	}
	var talk strings.Builder
	said := &lines{to: &talk, line: make(chan string, 100)}
	first.Stderr = said
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	<-has
	for i, s := range signals {
		if err := first.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		if i == 0 && s != syscall.SIGKILL {
			if line := <-said.line; !strings.Contains(line, "stopping") {
				t.Errorf("it says %q", line)
			}
		}
	}
	leavesAtOnce := len(signals) > 1 || exit == -1
	if leavesAtOnce {
		first.Wait()
	}
	close(goOn)
	if !leavesAtOnce {
		first.Wait()
	}
	if got := first.ProcessState.ExitCode(); got != exit {
		t.Errorf("exit code %d, want %d\n%s", got, exit, talk.String())
	}
	out, err := command().CombinedOutput()
	if err != nil || !strings.Contains(string(out), again) {
		t.Errorf("%v\n%s\nwant %s", err, out, again)
	}
	stored, err := mailbox.Messages("INBOX")
	if err != nil || len(stored) != len(mail) {
		t.Fatalf("%d messages, want %d, %v", len(stored), len(mail), err)
	}
	for i, m := range mail {
		if !bytes.Equal(stored[i].Raw, m.Raw) {
			t.Errorf("message %d is not the one of the maildrop", i+1)
		}
	}
	return string(out)
}

// atTheSecond has a mailbox tell that it has the second message, and wait until it may go on.
func atTheSecond() (onAppend func(int64, []byte) error, has, goOn chan bool) {
	has, goOn = make(chan bool, 1), make(chan bool)
	appends := 0
	return func(int64, []byte) error {
		if appends++; appends == 2 {
			has <- true
			<-goOn
		}
		return nil
	}, has, goOn
}

// prepared starts two servers, and gives the command that syncs them.
func prepared(t *testing.T, mail []lab.Mail, onAppend func(int64, []byte) error) (func() *exec.Cmd, *lab.IMAP) {
	ca, err := lab.NewTLS()
	if err != nil {
		t.Fatal(err)
	}
	maildrop, err := lab.StartPOP3(lab.POP3Options{User: "alice", Password: password, TLS: ca.Good.Config, Implicit: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(maildrop.Close)
	maildrop.SetMail(mail)
	mailbox, err := lab.StartIMAP(lab.IMAPOptions{User: "alice", Password: password, TLS: ca.Good.Config, Implicit: true, RefuseAppend: onAppend})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mailbox.Close)
	_, popPort := maildrop.Addr()
	_, imapPort := mailbox.Addr()
	dir := t.TempDir()
	return func() *exec.Cmd {
		cmd := exec.Command("pop2imap", "sync", "--settle", "500ms", "--state", filepath.Join(dir, "state.db"),
			"--from", fmt.Sprintf("pop3s://alice@127.0.0.1:%d", popPort), "--from-tls-fingerprint", "sha256:"+ca.Good.Fingerprint,
			"--to", fmt.Sprintf("imaps://alice@127.0.0.1:%d", imapPort), "--to-tls-fingerprint", "sha256:"+ca.Good.Fingerprint)
		cmd.Env = append(os.Environ(), "POP2IMAP_FROM_PASSWORD="+password, "POP2IMAP_TO_PASSWORD="+password, "POP2IMAP_CONFIG="+os.DevNull)
		return cmd
	}, mailbox
}

// lines passes on what is written, and each write as an event.
type lines struct {
	to   *strings.Builder
	line chan string
}

func (l *lines) Write(p []byte) (int, error) {
	l.line <- string(p)
	return l.to.Write(p)
}
