package imap

import (
	"fmt"
	"strconv"

	"github.com/pop2imap/pop2imap/sync"
)

// tagPrefix begins our tags; those of imapclient begin with T.
const tagPrefix = "p"

// A command is one of our own that is on its way.
type command struct {
	tag     string
	replies chan reply // has room for all that can come: a "+" and the tagged end
}

// reply answers a command of our own: a tagged status, or a continuation request, which has the tag "+".
type reply struct{ tag, status, text string }

// command announces one of our own, before it is written: the reply may be there at once. asks says that it will wait
// for "+". Only one at a time may.
func (m *mux) command(asks bool) *command {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next++
	c := &command{tag: tagPrefix + strconv.Itoa(m.next), replies: make(chan reply, 2)}
	m.waiting[c.tag] = c
	if asks {
		m.asking = c
	}
	m.watch()
	return c
}

// answered says whether the server owes us no reply.
func (m *mux) answered() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.waiting) == 0
}

// write says that we write, or do no longer.
func (m *mux) write(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writing = on
	m.watch()
}

// expect says that a command of imapclient is under way, or is no longer.
func (m *mux) expect(on bool) {
	m.chatter.Store(0)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.step = on
	m.watch()
}

// watch tells the wire whether the server owes an answer. While we write, however long that takes, it does not; if it
// does not read, that is an error of writing. m.mu is held.
func (m *mux) watch() { m.Idle(m.writing || len(m.waiting) == 0 && !m.step) }

// deliver gives a reply to whom it is for. It is called by who reads, and never waits.
func (m *mux) deliver(r reply) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.tag == "+" {
		switch {
		case m.asking != nil:
			m.asking.replies <- r
			m.asking = nil
		case len(m.waiting) > 0:
			return &sync.Error{Class: sync.Protocol, Err: fmt.Errorf("%s wants more after a whole message", m.Host())}
		}
		return nil // or it came unasked, and means nothing
	}
	c := m.waiting[r.tag]
	if c == nil {
		return &sync.Error{Class: sync.Protocol, Err: fmt.Errorf("%s answered %q, which nobody asked", m.Host(), sync.Clean(r.tag))}
	}
	delete(m.waiting, r.tag)
	asked := m.asking == c
	if asked {
		m.asking = nil
	}
	c.replies <- r
	m.chatter.Store(0)
	m.watch()
	if r.status == "BAD" && !asked { // it may not have taken the literal for one: no more mail shall be read as commands
		e := refusal(sync.Temporary, r.status, m.veil.over(r.text))
		return &sync.Error{Class: sync.Temporary, Pause: e.Pause, Server: e.Server,
			Err: fmt.Errorf("we hung up on %s, which did not understand APPEND", m.Host())}
	}
	return nil
}

// await waits for the reply to a command of our own, or for the "+" that it needs to go on.
func (m *mux) await(c *command) (reply, error) {
	select {
	case r := <-c.replies:
		return r, nil
	case <-m.done:
	}
	select {
	case r := <-c.replies: // it came before the end
		return r, nil
	default:
		return reply{}, m.gone()
	}
}
