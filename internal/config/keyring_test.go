package config

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestSecretService keeps a password in gnome-keyring on a session bus of its own, where both are installed.
func TestSecretService(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{"HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"} {
		t.Setenv(name, home)
	}
	startBus(t)
	cmd := exec.Command(installed(t, "gnome-keyring-daemon"), "--unlock", "--components=secrets") // it goes when the bus goes
	cmd.Stdin = strings.NewReader("the keyring's own password")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	k := SystemKeyring{Getenv: os.Getenv}
	if _, err := k.Get("alice.from"); !errors.Is(err, ErrNotKept) {
		t.Fatalf("an empty keyring: got %v, want %v", err, ErrNotKept)
	}
	if err := k.Set("alice.from", "pass wörd"); err != nil {
		t.Fatal(err)
	}
	if got, err := k.Get("alice.from"); got != "pass wörd" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := k.Get("alice.to"); !errors.Is(err, ErrNotKept) {
		t.Errorf("the other end: got %v, want %v", err, ErrNotKept)
	}
	if err := k.Delete("alice.from"); err != nil {
		t.Error(err)
	}
	if err := k.Delete("alice.from"); !errors.Is(err, ErrNotKept) {
		t.Errorf("again: got %v, want %v", err, ErrNotKept)
	}
}

// startBus starts a session bus, which lives until the test ends.
func startBus(t *testing.T) {
	t.Helper()
	cmd := exec.Command(installed(t, "dbus-daemon"), "--session", "--nofork", "--print-address")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(address))
}

func installed(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skip(program + " is not installed")
	}
	return path
}
