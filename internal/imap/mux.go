package imap

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	stdsync "sync"
	"sync/atomic"

	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// Limits against a server that never ends a line or a list.
const (
	lineMax    = 1 << 20  // octets of one line of a response; a SEARCH of 100,000 has 700 KB
	literalMax = 64 << 10 // octets of a literal outside FETCH, which is the only one that is streamed
	fetchMax   = 64 << 20 // octets of a literal in FETCH: no header is as long
	repliesMax = 1 << 10  // of our own commands, not yet waited for
	chatterMax = 1 << 18  // other responses during one step, FETCH apart
)

// A mux is the connection as imapclient sees it. It frames what the server sends: the replies to our own tags and the
// continuation requests that they wait for are taken out, what imapclient does not know (it would give up) is left out,
// and the rest is passed on untouched. imapclient's own goroutine reads, all the time.
//
// imapclient and we write by turns: [Session] is used from one goroutine, and imapclient writes only during a call.
type mux struct {
	*wire.Conn
	next    int // number of our next tag
	pass    []byte
	literal int64 // octets of a literal still to come
	inside  bool  // a response goes on behind that literal
	drop    bool  // of a response that is left out
	fetch   bool  // of a FETCH response
	veil    veil

	chatter atomic.Int64 // responses in this step
	replies chan reply
	done    chan struct{} // closed when there will be no more replies
	closing stdsync.Once
	mu      stdsync.Mutex
	fault   error   // why it is gone
	bye     *string // what the server said with BYE
}

// reply answers a command of our own: a tagged status, or a continuation request, which has the tag "+".
type reply struct{ tag, status, text string }

func newMux(w *wire.Conn, v veil, greeting string) *mux {
	return &mux{Conn: w, veil: v, pass: []byte(greeting), replies: make(chan reply, repliesMax),
		done: make(chan struct{})}
}

// Read gives imapclient what is meant for it. imapclient reads on after an error, which must not bring it back to life.
func (m *mux) Read(p []byte) (int, error) {
	for {
		if len(m.pass) > 0 {
			n := copy(p, m.pass)
			m.pass = m.pass[n:]
			return n, nil
		}
		if why := m.why(); why != nil {
			if n := m.fill(p); n > 0 {
				return n, nil
			}
			return 0, why
		}
		var n int
		var err error
		if m.literal > 0 {
			n, err = m.through(p)
		} else {
			err = m.line()
		}
		if err != nil {
			m.end(err)
		} else if n > 0 {
			return n, nil
		}
	}
}

// through passes on, or drops, octets of a literal.
func (m *mux) through(p []byte) (int, error) {
	n, err := m.Conn.Read(p[:min(int64(len(p)), m.literal)])
	m.literal -= int64(n)
	if m.drop {
		n = 0
	}
	return n, err
}

// fill makes up the rest of a literal that will not come: imapclient would read on in it from two goroutines at once.
// The error follows, and so nobody takes it for the server's.
func (m *mux) fill(p []byte) int {
	if m.drop {
		return 0
	}
	n := int(min(int64(len(p)), m.literal))
	clear(p[:n])
	m.literal -= int64(n)
	return n
}

// line reads one line of a response and decides whose it is.
func (m *mux) line() error {
	line, err := m.ReadLine(lineMax)
	if err != nil {
		return err
	}
	if !m.inside {
		m.Trace("S", m.veil.over(string(bytes.TrimRight(line, "\r\n"))))
		if m.drop, err = m.ours(line); err != nil {
			return err
		}
		m.fetch = fetchLine.Match(line)
	}
	m.literal, m.inside = literalLength(line)
	if err := m.bounded(line); err != nil {
		m.literal = 0
		return err
	}
	if !m.drop {
		m.pass = append(m.pass[:0], line...)
	}
	return nil
}

// bounded checks the limits.
func (m *mux) bounded(line []byte) error {
	e := &sync.Error{Class: sync.Protocol, Server: sync.Clean(m.veil.over(string(line)))}
	switch {
	case !m.fetch && m.literal > literalMax, m.literal > fetchMax:
		e.Err = fmt.Errorf("%s announced %d octets where a name or a number is due", m.Host(), m.literal)
	case !m.fetch && m.chatter.Add(1) > chatterMax:
		e.Err = fmt.Errorf("%s does not come to an end", m.Host())
	default:
		return nil
	}
	return e
}

var (
	fetchLine   = regexp.MustCompile(`(?i)^\* [0-9]+ FETCH `)
	literalTail = regexp.MustCompile(`\{([0-9]+)\}\r?\n$`)
	// imapclient has to see these. What else may come unasked can only make it give up, as what it does not know
	// (VANISHED) does, or mislead it: told of IMAP4rev2 it writes names in UTF-8.
	neededLine = regexp.MustCompile(`(?i)^\* (([0-9]+ FETCH|NAMESPACE|LIST|STATUS) |OK \[(UIDNEXT|UIDVALIDITY) [0-9]+\])`)
)

// literalLength reads the announcement of a literal at the end of a line (RFC 9051 §4.3).
func literalLength(line []byte) (n int64, ok bool) {
	m := literalTail.FindSubmatch(line)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(string(m[1]), 10, 63)
	if err != nil {
		return 1 << 62, true // more than anyone has
	}
	return n, true
}

// ours says whether the response that begins with line must not reach imapclient, and takes the replies to us.
func (m *mux) ours(line []byte) (bool, error) {
	text := strings.TrimRight(string(line), "\r\n")
	first, rest, _ := strings.Cut(text, " ")
	switch {
	case first == "+":
		return true, m.deliver(reply{tag: "+", text: rest})
	case strings.HasPrefix(first, tagPrefix):
		status, rest, _ := strings.Cut(rest, " ")
		return true, m.deliver(reply{first, strings.ToUpper(status), rest})
	case first != "*":
		return false, nil
	}
	if word, bye, _ := strings.Cut(rest, " "); strings.EqualFold(word, "BYE") {
		m.mu.Lock()
		m.bye = &bye
		m.mu.Unlock()
	}
	return !neededLine.MatchString(text), nil
}

func (m *mux) deliver(r reply) error {
	select {
	case m.replies <- r:
		return nil
	default:
		return &sync.Error{Class: sync.Protocol, Err: fmt.Errorf("%s answers what nobody asked", m.Host())}
	}
}

// tagPrefix begins our tags; those of imapclient begin with T.
const tagPrefix = "p"

// tag gives a new one. What nobody waited for (a "+" that came unasked) is forgotten.
func (m *mux) tag() string {
	for len(m.replies) > 0 {
		<-m.replies
	}
	m.next++
	return tagPrefix + strconv.Itoa(m.next)
}

// await waits for the reply to a command of our own, or for the "+" that it needs to go on. A reply to another
// tag means that the server and we no longer talk about the same thing.
func (m *mux) await(tag string) (reply, error) {
	var r reply
	select {
	case r = <-m.replies:
	case <-m.done:
		if len(m.replies) == 0 {
			return r, m.gone()
		}
		r = <-m.replies // it came before the end
	}
	if r.tag != tag && r.tag != "+" {
		return r, m.broken(fmt.Errorf("%s answered %q, which nobody asked", m.Host(), r.tag))
	}
	return r, nil
}

// gone is why, for when there must be a reason.
func (m *mux) gone() error {
	if why := m.why(); why != nil {
		return why
	}
	return &sync.Error{Class: sync.Protocol, Err: fmt.Errorf("cannot understand %s", m.Host())}
}

// broken gives the connection up as out of step.
func (m *mux) broken(err error) error {
	m.giveUp(&sync.Error{Class: sync.Protocol, Err: err})
	return m.why()
}

// giveUp closes the connection. Whoever wants it later is told why.
func (m *mux) giveUp(why error) {
	m.end(why)
	m.Close()
}

// end notes why there is nothing more to read, and wakes whoever waits. A server that said BYE has said why.
func (m *mux) end(err error) {
	m.mu.Lock()
	if m.fault == nil {
		m.fault = err
		if m.bye != nil && sync.ClassOf(err) != sync.Stopped {
			e := refusal(sync.Temporary, "BYE", m.veil.over(*m.bye))
			e.Err = fmt.Errorf("%s ended the session: %w", m.Host(), io.ErrUnexpectedEOF)
			m.fault = e
		}
	}
	m.mu.Unlock()
	m.closing.Do(func() { close(m.done) })
}

// why gives the reason why the connection is gone, or nil if it is not, or if imapclient gave it up.
func (m *mux) why() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fault
}

func (m *mux) saidBye() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bye != nil
}

// Close is called by imapclient too, when it does not understand the server.
func (m *mux) Close() error {
	err := m.Conn.Close()
	m.closing.Do(func() { close(m.done) })
	return err
}
