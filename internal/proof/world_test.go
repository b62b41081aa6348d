package proof_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	stdsync "sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
	"github.com/pop2imap/pop2imap/state"
)

// thorough says whether there is time for everything.
func thorough() bool { return os.Getenv("POP2IMAP_PROOF") == "all" }

// scratch is a folder for the program and what it remembers, until TestMain ends.
var scratch string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if scratch, err = os.MkdirTemp(memory(), "pop2imap-proof-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch)
		return m.Run()
	}())
}

// memory is a folder in memory, if there is one: a killed process needs no disk to find again what it has written, and each
// commit of the state waits for one.
func memory() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// program builds the command with crash points, once.
var program = stdsync.OnceValues(func() (string, error) {
	if err := lookAt("../../cmd", "../../internal", "../../state", "../../sync"); err != nil {
		return "", err
	}
	path := filepath.Join(scratch, "pop2imap")
	return path, build(path, "../../cmd/pop2imap")
})

// router builds the one that routes.
var router = stdsync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "router")
	return path, build(path, "./router")
})

func build(path, from string) error {
	out, err := exec.Command("go", "build", "-tags", "crashpoints,"+tags(), "-o", path, from).CombinedOutput()
	if err != nil {
		return fmt.Errorf("build %s: %w\n%s", from, err, out)
	}
	return nil
}

// tags are those that this test was built with: one of package sabotage has to reach the program too.
func tags() string {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			return s.Value
		}
	}
	return ""
}

// lookAt reads folders of the source. A result of go test is good until a file changes that the test has looked at: without
// this it would be good for a program that is not the same any more.
func lookAt(folders ...string) error {
	for _, folder := range folders {
		if err := filepath.WalkDir(folder, func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
			return err
		}
	}
	return nil
}

// A plan says what a migration is like.
type plan struct {
	name    string
	mail    []lab.Mail
	without []imap.Cap // what the destination lacks
	deletes bool
	routed  bool                // each message says into which folder it goes: see router, which runs in place of the command
	flags   map[string][]string // what each message is to have at the end, by UIDL; nil: that does not matter
	noDedup bool                // what the mailbox has already is not looked at: only intents and settling stand between us and a second copy
	steps   int                 // about so many there should be
	jitter  int                 // so many there may be more or less: what comes in time for a batch, and what the server says meanwhile, differs
}

// A world is one migration: two servers, and what the program remembers.
type world struct {
	*trial.World
	plan
	program string
}

func create(t *testing.T, p plan) *world {
	t.Helper()
	dir, err := os.MkdirTemp(scratch, "world-")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{plan: p, World: trial.Start(t, dir, lab.POP3Options{}, lab.IMAPOptions{Without: p.without}, p.mail...)}
	if w.program, err = program(); err == nil && p.routed {
		w.program, err = router()
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// An end is how a run of the program ended.
type end struct {
	exit  int            // -1: by a signal
	by    syscall.Signal // -1: by none
	steps []string       // the names of its steps
	said  string
}

// run runs the program. With crashAt it kills itself at that step.
func (w *world) run(crashAt int) end {
	w.Helper()
	// A run takes two settles and some work; whoever takes a minute waits for something that never comes.
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	cmd := w.Command(ctx, w.program)
	if w.routed {
		_, pop := w.POP.Addr()
		_, imap := w.IMAP.Addr()
		cmd.Args = []string{w.program, w.State(), fmt.Sprint(pop), fmt.Sprint(imap), trial.User, trial.Password}
	}
	if w.deletes {
		cmd.Args = append(cmd.Args, "--delete", "verified")
	}
	if w.noDedup {
		cmd.Args = append(cmd.Args, "--no-dedup")
	}
	steps := filepath.Join(w.Dir, "steps")
	cmd.Env = append(cmd.Env, "POP2IMAP_STEPS="+steps)
	if crashAt > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("POP2IMAP_CRASH_AT=%d", crashAt))
	}
	out, err := cmd.CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok || ctx.Err() != nil {
		w.Fatalf("run the program: %v, %v\n%s", err, ctx.Err(), out)
	}
	e := end{exit: cmd.ProcessState.ExitCode(), by: -1, said: string(out)}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		e.by = status.Signal()
	}
	e.steps = w.taken(steps)
	return e
}

// taken gives the names of the steps that were noted, and forgets them.
func (w *world) taken(path string) (names []string) {
	w.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		w.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		names = append(names, name)
	}
	if err := os.RemoveAll(path); err != nil {
		w.Fatal(err)
	}
	return names
}

// ends checks that a run ended with success.
func (w *world) ends(e end) {
	w.Helper()
	if e.exit != 0 {
		w.Fatalf("exit %d, signal %d\n%s", e.exit, e.by, e.said)
	}
}

// dies checks that a run was killed by itself.
func (w *world) dies(e end) {
	w.Helper()
	if e.by != syscall.SIGKILL {
		w.Fatalf("it was to die by SIGKILL: exit %d, signal %d\n%s", e.exit, e.by, e.said)
	}
}

// expected is what each folder is to have, in order.
func (w *world) expected() map[string][]lab.Mail {
	folders := map[string][]lab.Mail{}
	for _, m := range w.mail {
		folder := "INBOX"
		if w.routed {
			folder = folderOf(m)
		}
		folders[folder] = append(folders[folder], m)
	}
	return folders
}

// finished checks the end state: what it would be if nothing had ever happened.
func (w *world) finished() {
	w.Helper()
	stored := map[place]lab.Stored{}
	for folder, mail := range w.expected() {
		list, err := w.IMAP.Messages(folder)
		if err != nil {
			w.Fatal(err)
		}
		if !slices.EqualFunc(list, mail, func(s lab.Stored, m lab.Mail) bool { return bytes.Equal(s.Raw, m.Raw) }) {
			w.Errorf("%s has %s; want %s", folder, w.names(raws(list)), w.names(mails(mail)))
		}
		for _, s := range list {
			stored[place{folder, s.UID}] = s
			if name := w.nameOf(s.Raw); w.flags != nil && !slices.Equal(s.Flags, w.flags[name]) {
				w.Errorf("%s in %s has %q; want %q", name, folder, s.Flags, w.flags[name])
			}
		}
	}
	left := w.mail
	if w.deletes {
		left = nil
	}
	if !slices.EqualFunc(w.POP.Mail(), left, func(a, b lab.Mail) bool { return a.UIDL == b.UIDL }) {
		w.Errorf("the maildrop has %s; want %s", w.names(mails(w.POP.Mail())), w.names(mails(left)))
	}
	w.remembers(stored)
}

// place is where a message is stored.
type place struct {
	folder string
	uid    uint32
}

// remembers checks that there is one record for each message, with a copy of its own.
func (w *world) remembers(stored map[place]lab.Stored) {
	w.Helper()
	want := state.PhaseVerified
	if w.deletes {
		want = state.PhaseDeleted
	}
	at := map[place][32]byte{}
	for p, s := range stored {
		at[p] = sha256.Sum256(s.Raw)
	}
	missing := map[string]bool{}
	for _, m := range w.mail {
		missing[m.UIDL] = true
	}
	for _, r := range w.Records() {
		if !missing[r.UIDL] || r.Phase != want || r.UID != 0 && at[place{r.Folder, r.UID}] != r.Digest {
			w.Errorf("record %d of %q is %s at UID %d, digest %x; want it once, %s, with its own copy", r.ID, r.UIDL, r.Phase,
				r.UID, r.Digest[:4], want)
		}
		delete(missing, r.UIDL)
		delete(at, place{r.Folder, r.UID})
	}
	if len(missing) > 0 {
		w.Errorf("no record of %v", missing)
	}
}

// rests checks that one more run changes nothing.
func (w *world) rests() {
	w.Helper()
	before := w.Records()
	seen := len(w.IMAP.Commands())
	w.ends(w.run(0))
	for _, c := range w.IMAP.Commands()[seen:] {
		if strings.HasPrefix(c, "APPEND") || strings.HasPrefix(c, "UID STORE") {
			w.Errorf("a run with nothing to do said %q", c)
		}
	}
	if after := w.Records(); !slices.Equal(before, after) {
		w.Errorf("a run with nothing to do changed the records\n%+v\ninto\n%+v", before, after)
	}
	w.finished()
}

func raws(list []lab.Stored) (raw [][]byte) {
	for _, s := range list {
		raw = append(raw, s.Raw)
	}
	return raw
}

func mails(list []lab.Mail) (raw [][]byte) {
	for _, m := range list {
		raw = append(raw, m.Raw)
	}
	return raw
}

// names says which messages these are.
func (w *world) names(list [][]byte) string {
	var b strings.Builder
	for _, raw := range list {
		b.WriteString(" " + w.nameOf(raw))
	}
	return "[" + strings.TrimSpace(b.String()) + "]"
}

// nameOf gives the UIDL of a message.
func (w *world) nameOf(raw []byte) string {
	i := slices.IndexFunc(w.mail, func(m lab.Mail) bool { return bytes.Equal(m.Raw, raw) })
	if i < 0 {
		return fmt.Sprintf("an unknown one of %d octets", len(raw))
	}
	return w.mail[i].UIDL
}
