package faults

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
)

var all = flag.Bool("all", false, "every system call in turn, not only some")

var program string // the path of pop2imap

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "pop2imap-faults-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "pop2imap")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/pop2imap").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// straceOrSkip skips where there is no strace that may trace.
func straceOrSkip(t *testing.T) {
	t.Helper()
	out, err := exec.Command("strace", "-f", "-o", os.DevNull, "-e", "inject=fsync:error=EIO:when=1", "true").CombinedOutput()
	if err != nil {
		t.Skipf("NOT SHOWN: strace cannot be used here: %v %s", err, out)
	}
}

// A world is one of package trial, between whose ends the program is run.
type world struct {
	*trial.World
	mail []lab.Mail
	env  []string
}

func create(t *testing.T, mail ...lab.Mail) *world {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	return &world{World: trial.Start(t, dir, lab.POP3Options{}, lab.IMAPOptions{}, mail...), mail: mail}
}

// sync runs the program, under the command of before if there is one, and gives its exit code and what it said.
func (w *world) sync(before ...string) (exit int, said string) {
	w.Helper()
	cmd := w.command(before...)
	out, err := cmd.CombinedOutput()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode(), string(out)
	} else if err != nil {
		w.Fatal(err)
	}
	return 0, string(out)
}

func (w *world) command(before ...string) *exec.Cmd {
	cmd := w.Command(w.Context(), append(before, program)...)
	cmd.Env = append(cmd.Env, w.env...)
	return cmd
}

// recovers checks that the next run brings all to its end, and that one more changes nothing.
func (w *world) recovers(context string) {
	w.Helper()
	w.noneTwice(context)
	exit, said := w.sync()
	if exit != 0 || !slices.Equal(w.There(), trial.Raw(w.mail...)) {
		w.Errorf("%s\nthe next run: exit code %d, %d messages, want %d\n%s", context, exit, len(w.There()), len(w.mail), said)
	}
	appends := len(w.IMAP.Commands())
	if exit, said := w.sync(); exit != 0 || len(w.IMAP.Commands()) != appends {
		w.Errorf("%s\none more run: exit code %d\n%s", context, exit, said)
	}
}

// noneTwice checks that what is in the mailbox is the beginning of what is to come there.
func (w *world) noneTwice(context string) {
	w.Helper()
	got, want := w.There(), trial.Raw(w.mail...)
	if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
		w.Errorf("%s\nthe mailbox holds %.300q", context, got)
	}
}

// three messages, two of which are the same.
var three = []lab.Mail{mail("a"), mail("b"), {UIDL: "c", Raw: mail("a").Raw}}

func mail(name string) lab.Mail {
	return lab.Mail{UIDL: name, Raw: []byte("Message-ID: <" + name + "@x>\r\nSubject: x\r\n\r\n.\r\n..x\r\n")}
}

// large is a message that does not fit into memory whole.
func large() lab.Mail {
	raw := "Message-ID: <large@x>\r\n\r\n" + strings.Repeat("filled up to its size, filled up to its size.\r\n", 60000)
	return lab.Mail{UIDL: "large", Raw: []byte(raw)}
}
