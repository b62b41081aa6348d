package bench

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// A usage is what a program took.
type usage struct {
	Wall, CPU time.Duration
	Peak      int64 // of resident memory, in KiB
}

// watch runs the program in its arguments and prints its usage on stdout; what the program prints goes to stderr. It is
// a process of its own because a child begins with the peak of the one that starts it (execve(2) keeps ru_maxrss), and
// the benchmark has much in memory.
func watch() error {
	cmd := exec.Command(os.Args[2], os.Args[3:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return err
	}
	u := usage{Wall: time.Since(began), CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		Peak: cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss}
	return json.NewEncoder(os.Stdout).Encode(u)
}

// measure runs a program to its end, which must be a good one.
func measure(b testing.TB, env []string, name string, args ...string) (u usage) {
	b.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"watch", name}, args...)...)
	var said bytes.Buffer
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), &said
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &u)
	}
	if err != nil {
		b.Fatalf("%s: %v\n%s", name, err, said.Bytes())
	}
	return u
}

// own runs one of this binary's own roles.
func own(b testing.TB, role string, j job) usage {
	b.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		b.Fatal(err)
	}
	return measure(b, nil, os.Args[0], role, string(text))
}
