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
	tag      string
	compress bool       // it is COMPRESS, and not APPEND
	replies  chan reply // has room for all that can come: a "+" and the tagged end
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

// compress announces COMPRESS, in the same way.
func (m *mux) compress() *command {
	c := m.command(false)
	m.mu.Lock()
	defer m.mu.Unlock()
	c.compress = true
	return c
}

// rest waits until the server owes us no reply, or there will be no more.
func (m *mux) rest() {
	m.mu.Lock()
	if len(m.waiting) == 0 {
		m.mu.Unlock()
		return
	}
	rested := make(chan struct{})
	m.rested = rested
	m.mu.Unlock()
	select {
	case <-rested:
	case <-m.done:
	}
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
	if c.compress && r.status == "OK" { // what comes behind this very line is compressed
		m.Inflate()
	}
	var lost error
	if r.status == "BAD" && !asked && !c.compress {
		lost = m.confused(r)
		m.note(lost) // before anybody hears of the reply, and sends the next message
	}
	c.replies <- r
	m.chatter.Store(0)
	m.watch()
	if m.rested != nil && len(m.waiting) == 0 {
		close(m.rested)
		m.rested = nil
	}
	return lost
}

// confused is why we hang up on a server that did not understand APPEND: it may not have taken the literal for one, and no
// more mail shall be read as commands.
func (m *mux) confused(r reply) error {
	e := refusal(sync.Temporary, r.status, m.veil.over(r.text))
	return &sync.Error{Class: sync.Temporary, Pause: e.Pause, Server: e.Server,
		Err: fmt.Errorf("we hung up on %s, which did not understand APPEND", m.Host())}
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
