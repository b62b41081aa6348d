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
)

const user, password = "alice", "open sesame"

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

// A world is a maildrop, a mailbox, and the folder in which the program remembers.
type world struct {
	*testing.T
	mail []lab.Mail
	pop  *lab.POP3
	imap *lab.IMAP
	dir  string // of the state
	env  []string
}

func create(t *testing.T, mail ...lab.Mail) *world {
	t.Helper()
	pop, err := lab.StartPOP3(lab.POP3Options{User: user, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pop.Close)
	box, err := lab.StartIMAP(lab.IMAPOptions{User: user, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(box.Close)
	pop.SetMail(mail)
	return &world{T: t, mail: mail, pop: pop, imap: box, dir: filepath.Join(t.TempDir(), "state")}
}

// state is the path of a file of the state.
func (w *world) state(suffix string) string { return filepath.Join(w.dir, "state.db"+suffix) }

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
	_, pop := w.pop.Addr()
	_, box := w.imap.Addr()
	args := append(before, program, "sync", "--settle", "100ms", "--state", w.state(""),
		"--from", fmt.Sprintf("pop3+insecure://%s@127.0.0.1:%d", user, pop),
		"--to", fmt.Sprintf("imap+insecure://%s@127.0.0.1:%d", user, box))
	cmd := exec.CommandContext(w.Context(), args[0], args[1:]...)
	cmd.Env = append(append(os.Environ(), "POP2IMAP_FROM_PASSWORD="+password, "POP2IMAP_TO_PASSWORD="+password), w.env...)
	return cmd
}

// recovers checks that the next run brings all to its end, and that one more changes nothing.
func (w *world) recovers(context string) {
	w.Helper()
	w.noneTwice(context)
	exit, said := w.sync()
	if exit != 0 || !slices.Equal(w.there(), w.wanted()) {
		w.Errorf("%s\nthe next run: exit code %d, %d messages, want %d\n%s", context, exit, len(w.there()), len(w.mail), said)
	}
	appends := len(w.imap.Commands())
	if exit, said := w.sync(); exit != 0 || len(w.imap.Commands()) != appends {
		w.Errorf("%s\none more run: exit code %d\n%s", context, exit, said)
	}
}

// noneTwice checks that what is in the mailbox is the beginning of what is to come there.
func (w *world) noneTwice(context string) {
	w.Helper()
	got, want := w.there(), w.wanted()
	if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
		w.Errorf("%s\nthe mailbox holds %.300q", context, got)
	}
}

func (w *world) there() (raw []string) {
	w.Helper()
	list, err := w.imap.Messages("INBOX")
	if err != nil {
		w.Fatal(err)
	}
	for _, m := range list {
		raw = append(raw, string(m.Raw))
	}
	return raw
}

func (w *world) wanted() (raw []string) {
	for _, m := range w.mail {
		raw = append(raw, string(m.Raw))
	}
	return raw
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
