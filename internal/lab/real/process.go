package real

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stopTime is how long a server may take to end after SIGTERM: all three take less than half a second when idle.
const stopTime = 5 * time.Second

// An account is who runs the servers.
type account struct {
	name, group string
	uid, gid    int
}

// whoRuns is nobody when root runs the test: Dovecot gives no mail to root, and Cyrus and Courier give up root's
// rights to somebody else too.
func whoRuns(t testing.TB) account {
	t.Helper()
	u, err := user.Current()
	if err == nil && u.Uid == "0" {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		t.Fatalf("find who runs the servers: %v", err)
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		t.Fatalf("find who runs the servers: %v", err)
	}
	a := account{name: u.Username, group: g.Name}
	a.uid, _ = strconv.Atoi(u.Uid)
	a.gid, _ = strconv.Atoi(u.Gid)
	return a
}

// command is a program that runs as the server's user, in a process group of its own, in the server's folder, with
// its output in the log.
func (s *Server) command(t testing.TB, env []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	log, err := os.OpenFile(s.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatalf("start %s: %v", s.Kind, err)
	}
	t.Cleanup(func() { log.Close() })
	s.own(t, log.Name())
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Dir, log, log
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(s.runner.uid), Gid: uint32(s.runner.gid)}
	}
	return cmd
}

// keep runs a command until the test ends.
func (s *Server) keep(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	started, gone := make(chan error), make(chan struct{})
	go func() {
		// Pdeathsig strikes when the thread that started the process ends. This one ends with the test program, even
		// when that panics, so that no server outlives it.
		runtime.LockOSThread()
		cmd.SysProcAttr.Pdeathsig = syscall.SIGTERM
		defer close(gone)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in the log
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("start %s: %v", s.Kind, err)
	}
	s.gone = append(s.gone, gone)
	t.Cleanup(func() { stop(t, cmd.Process.Pid, gone) })
}

// stop ends a process group and returns when nothing of it runs any more.
func stop(t testing.TB, group int, gone <-chan struct{}) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		_ = syscall.Kill(-group, sig)
		for end := time.Now().Add(stopTime); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if !runs(group) {
				<-gone
				return
			}
		}
	}
	t.Errorf("process group %d does not end", group)
}

// runs says whether a process group has a process that is not a zombie. Those that are wait for the machine's first
// process, which takes its time or, in a container, never comes.
func runs(group int) bool {
	if errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) {
		return false
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // fails for malformed patterns only
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it has just ended
		}
		// proc_pid_stat(5): "pid (name) state parent group …", and the name may have anything in it
		f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if f[0] != "Z" && f[2] == strconv.Itoa(group) {
			return true
		}
	}
	return false
}

// ended says whether something that should run has ended.
func (s *Server) ended() bool {
	for _, gone := range s.gone {
		select {
		case <-gone:
			return true
		default:
		}
	}
	return false
}
