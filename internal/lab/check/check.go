// Package check is what the tests of both ends have in common: an account, servers that end with the test, and what
// every error and every trace must keep to. It is for tests only. Package lab itself imports nothing of this module.
package check

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// An account at the lab's servers.
const (
	User     = "alice@example.org"
	Password = `correct "horse"  bättery` // blanks, quotes and UTF-8 must come through
)

// Mechanisms are all that the lab's servers know, the best one last.
var Mechanisms = []string{"XOAUTH2", "OAUTHBEARER", "LOGIN", "PLAIN", "CRAM-MD5", "SCRAM-SHA-256"}

// Patience is how long a test waits for what should come at once: the machine may be busy.
const Patience = 2 * time.Minute

// Script starts a server that does as it is told, and ends with the test.
func Script(t testing.TB, play func(*lab.Peer)) *lab.Script {
	t.Helper()
	s, err := lab.StartScript(play)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Unused gives a port of 127.0.0.1 on which nobody listens.
func Unused(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Equal compares what a test got with what it wants.
func Equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\ngot  %#v\nwant %#v", what, got, want)
	}
}

// Soon runs what must come to an end by itself.
func Soon(t testing.TB, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(Patience):
		t.Fatalf("%s did not end within %v", what, Patience)
	}
}

// Class checks the class of an error, and that there is no secret in it, and nothing a terminal would obey.
func Class(t testing.TB, err error, want sync.Class) *sync.Error {
	t.Helper()
	e, ok := errors.AsType[*sync.Error](err)
	if !ok {
		t.Fatalf("got %v, want an error of class %d", err, want)
	}
	if e.Class != want {
		t.Errorf("class of %q: got %d, want %d", err, e.Class, want)
	}
	NoSecret(t, "the error", fmt.Sprintf("%v\n%#v\n%v", err, e, errors.Unwrap(e)))
	for _, text := range []string{e.Err.Error(), e.Server, e.Code, e.Remedy} {
		if text != sync.Clean(text) {
			t.Errorf("the error has control characters, or has no end: %q", text)
		}
	}
	return e
}

// Says checks that a text is in an error.
func Says(t testing.TB, err error, want string) {
	t.Helper()
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want %q in it", err, want)
	}
}

// Advises checks that a text is in the remedy of an error.
func Advises(t testing.TB, e *sync.Error, want string) {
	t.Helper()
	if !strings.Contains(e.Remedy, want) {
		t.Errorf("remedy: %q, want %q in it", e.Remedy, want)
	}
}

// NoSecret checks that a text has the password in none of the forms in which it goes over the line.
func NoSecret(t testing.TB, where, text string) {
	t.Helper()
	plain, xoauth2, bearer := "\x00"+User+"\x00"+Password, Encoded("user=" + User)[:16], Encoded("n,a=" + User)[:16]
	for _, secret := range []string{Password, Password[:7], Encoded(Password), Encoded(plain), xoauth2, bearer} {
		if strings.Contains(text, secret) {
			t.Errorf("the secret %q is in %s:\n%s", secret, where, text)
		}
	}
}

// Encoded is how a secret goes over the line in most mechanisms.
func Encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// A Trace keeps what a session shows of itself: a line each, after "C " or "S ".
type Trace struct {
	mu  stdsync.Mutex
	all strings.Builder
}

// Note is for the Trace of a wire.Server.
func (tr *Trace) Note(dir, line string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.all.WriteString(dir + " " + line + "\n")
}

func (tr *Trace) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.all.String()
}

var errHome = errors.New("the user wants to go home")

// Until gives a context that the user cancels when something has happened.
func Until(t testing.TB, happened <-chan struct{}) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-happened
		cancel(errHome)
	}()
	return ctx
}

// Stopped checks that err is of class Stopped, and tells why such a context has ended.
func Stopped(t testing.TB, err error) *sync.Error {
	t.Helper()
	if !errors.Is(err, errHome) {
		t.Errorf("got %v, want the cause in it", err)
	}
	return Class(t, err, sync.Stopped)
}
