package main

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	stdsync "sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A process is one that a script has started, and what it has said so far.
type process struct {
	cmd  *exec.Cmd
	more chan struct{} // something was said

	mu   stdsync.Mutex
	text []byte
	seen int // how much of it the script has waited for
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	p.text = append(p.text, b...)
	p.mu.Unlock()
	select {
	case p.more <- struct{}{}:
	default:
	}
	return len(b), nil
}

// finds looks for an expression in what the script has not waited for yet.
func (p *process) finds(what *regexp.Regexp) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := what.FindIndex(p.text[p.seen:])
	if at != nil {
		p.seen += at[1]
	}
	return at != nil
}

// start COMMAND…: runs while the script goes on.
func start(ts *testscript.TestScript, _ bool, args []string) {
	path, err := exec.LookPath(args[0])
	ts.Check(err)
	p := &process{cmd: exec.Command(path, args[1:]...), more: make(chan struct{}, 1)}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = ts.MkAbs("."), p, p
	for _, name := range strings.Fields("HOME PATH PASSWORD TMPDIR SSL_CERT_FILE POP2IMAP_FROM_PASSWORD POP2IMAP_TO_PASSWORD POP2IMAP_STATE POP2IMAP_CONFIG POP2IMAP_EVERY GOCOVERDIR") {
		p.cmd.Env = append(p.cmd.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(p.cmd.Start())
	ts.Defer(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	serving(ts).process = p
}

// says EXPRESSION: waits until the process that was started last has said this, behind what was waited for before.
func untilSays(ts *testscript.TestScript, _ bool, args []string) {
	p, what := serving(ts).process, regexp.MustCompile("(?m)"+args[0])
	late := time.After(20 * time.Second)
	for !p.finds(what) {
		select {
		case <-p.more:
		case <-late:
			ts.Fatalf("it never said %q, but\n%s", args[0], p.text[p.seen:])
		}
	}
}

// ends CODE: waits until the process is over. The password must not be in what it said.
func endsWith(ts *testscript.TestScript, _ bool, args []string) {
	p := serving(ts).process
	over := time.AfterFunc(20*time.Second, func() { p.cmd.Process.Kill() })
	defer over.Stop()
	if err := p.cmd.Wait(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			ts.Fatalf("%v", err)
		}
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := p.cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d, want %d\n%s", got, want, p.text)
	}
	if strings.Contains(string(p.text), password) {
		ts.Fatalf("it said the password")
	}
}

// has-said [!] EXPRESSION: whether the process has said this at any time.
func hasSaid(ts *testscript.TestScript, not bool, args []string) {
	p := serving(ts).process
	p.mu.Lock()
	defer p.mu.Unlock()
	if regexp.MustCompile("(?m)"+args[0]).Match(p.text) == not {
		ts.Fatalf("whether it said %q must be %v:\n%s", args[0], !not, p.text)
	}
}

// send NAME: the process gets a signal.
func send(ts *testscript.TestScript, _ bool, args []string) {
	signal, ok := signalsByName[args[0]]
	if !ok {
		ts.Fatalf("unknown signal %s", args[0])
	}
	ts.Check(serving(ts).process.cmd.Process.Signal(signal))
}

var signalsByName = map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL}
