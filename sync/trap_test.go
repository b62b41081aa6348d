package sync_test

import (
	"strings"
	stdsync "sync"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// A trap springs once, at the n-th command with its prefix; then or if n is 0 it is not set.
type trap struct {
	mu     stdsync.Mutex
	prefix string
	n      int
	then   func() // nil: nothing
}

// set makes it spring at the n-th command from now on.
func (t *trap) set(prefix string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.prefix, t.n = prefix, n
}

func (t *trap) springs(command string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == 0 || !strings.HasPrefix(command, t.prefix) {
		return false
	}
	t.n--
	if t.n == 0 && t.then != nil {
		t.then()
	}
	return t.n == 0
}

// fate is a hook of an IMAP server.
func (t *trap) fate(f lab.Fate) func(int, string) lab.Fate {
	return func(_ int, command string) lab.Fate {
		if t.springs(command) {
			return f
		}
		return lab.Execute
	}
}

// answer is a hook of a POP3 server.
func (t *trap) answer(reply string, drop bool) func(int, string) (string, bool) {
	return func(_ int, command string) (string, bool) {
		if t.springs(command) {
			return reply, drop
		}
		return "", false
	}
}
