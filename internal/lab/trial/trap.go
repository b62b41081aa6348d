package trial

import (
	"strings"
	"sync"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// A Trap springs once, at the n-th command with its prefix; then or if n is 0 it is not set.
type Trap struct {
	Then func() // what it does then; nil: nothing

	mu     sync.Mutex
	prefix string
	n      int
}

// Set makes it spring at the n-th command from now on.
func (t *Trap) Set(prefix string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.prefix, t.n = prefix, n
}

// Springs says whether it springs at a command.
func (t *Trap) Springs(command string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == 0 || !strings.HasPrefix(command, t.prefix) {
		return false
	}
	t.n--
	if t.n == 0 && t.Then != nil {
		t.Then()
	}
	return t.n == 0
}

// Fate is a hook of an IMAP server.
func (t *Trap) Fate(f lab.Fate) func(int, string) lab.Fate {
	return func(_ int, command string) lab.Fate {
		if t.Springs(command) {
			return f
		}
		return lab.Execute
	}
}

// Answer is a hook of a POP3 server.
func (t *Trap) Answer(reply string, drop bool) func(int, string) (string, bool) {
	return func(_ int, command string) (string, bool) {
		if t.Springs(command) {
			return reply, drop
		}
		return "", false
	}
}
