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
	literalMax = 64 << 10 // octets of a literal that imapclient holds
	bodyMax    = 2 << 30  // octets of a literal that is streamed: a header, or a message of 1 GiB with what a server adds
	chatterMax = 1 << 18  // other responses during one step, FETCH apart
)

// A mux is the connection as imapclient sees it. It frames what the server sends: the replies to our own tags and the
// continuation requests that they wait for are taken out, what imapclient does not know (it would give up) is left out,
// and the rest is passed on untouched. imapclient's own goroutine reads, all the time.
//
// imapclient and we write by turns: a [Session] is used from one goroutine, and imapclient writes only during a call.
type mux struct {
	*wire.Conn
	pass    []byte
	literal int64 // octets of a literal still to come
	inside  bool  // a response goes on behind that literal
	drop    bool  // of a response that is left out
	fetch   bool  // of a FETCH response
	body    bool  // the literal is that of a BODY section
	veil    veil
	most    int64 // of responses that are no answer

	chatter   atomic.Int64           // responses since the step began, or since the last reply to us
	unsticky  atomic.Bool            // the server said [UIDNOTSTICKY]
	quota     atomic.Bool            // imapclient waits for QUOTA responses
	permanent atomic.Pointer[string] // what it last said between the parentheses of [PERMANENTFLAGS ()]; nil: nothing
	done      chan struct{}          // closed when there will be no more replies
	closing   stdsync.Once

	mu      stdsync.Mutex // of all that follows
	next    int           // number of our last tag
	waiting map[string]*command
	asking  *command      // that of them which waits for "+"
	rested  chan struct{} // closed when nothing is in waiting any more; nil: nobody wants to know
	writing bool          // we are
	step    bool          // imapclient waits
	fault   error         // why it is gone
	bye     *string       // what the server said with BYE
}

func newMux(w *wire.Conn, v veil, greeting string, most int64) *mux {
	return &mux{Conn: w, veil: v, pass: []byte(greeting), most: most, waiting: map[string]*command{}, step: true,
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

// Write sends what imapclient says: whole lines, in which there are no secrets after the login.
func (m *mux) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		m.Trace("C", string(bytes.TrimRight(line, "\r\n")))
	}
	return m.Conn.Write(p)
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
	m.body = m.inside && m.fetch && bodyTail.Match(line)
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
	if !m.fetch || m.drop { // others are counted when nobody wants them
		m.chatter.Add(1)
	}
	var err error
	switch {
	case !m.body && m.literal > literalMax, m.literal > bodyMax:
		err = fmt.Errorf("%s announced %d octets where a name or a number is due", m.Host(), m.literal)
	case m.chatter.Load() > m.most:
		err = fmt.Errorf("%s does not come to an end", m.Host())
	default:
		return nil
	}
	return &sync.Error{Class: sync.Protocol, Server: sync.Clean(m.veil.over(string(line))), Err: err}
}

var (
	bodyTail  = regexp.MustCompile(`(?i)[ (]BODY\[[^\]]*\](<[0-9]+>)? \{[0-9]+\}\r?\n$`)
	fetchLine = regexp.MustCompile(`(?i)^\* [0-9]+ FETCH `)
	// RFC 4315 §3: UIDs are others in the next session.
	unstickyLine = regexp.MustCompile(`(?i)^\* (OK|NO) \[UIDNOTSTICKY\]`)
	// RFC 9051 §7.1. No flag has a parenthesis in it (§9).
	permanentLine = regexp.MustCompile(`(?i)^\* (?:OK|NO) \[PERMANENTFLAGS \(([^()]*)\)\]`)
	// RFC 9208 §4.2. Where there is no limit, Courier leaves out the list, and imapclient would give up. More than so many
	// digits is no limit either.
	quotaLine = regexp.MustCompile(`(?i)^\* (?:QUOTAROOT .*|QUOTA (?:"(?:[^"\\]|\\.)*"|[^ "(){]+) ` +
		`\((?:[^ ()]+ [0-9]{1,15} [0-9]{1,15} ?)*\))$`)
	literalTail = regexp.MustCompile(`\{([0-9]+)\}\r?\n$`)
	// What another client has done to a message. imapclient would take it for the answer to our own FETCH, and give the
	// answer to nobody.
	flagsLine = regexp.MustCompile(`(?i)^\* [0-9]+ FETCH \((?:(?:UID [0-9]+|MODSEQ \([0-9]+\)|FLAGS \([^()]*\)) ?)+\)$`)
	// imapclient has to see these. What else may come unasked can only make it give up, as what it does not know
	// (VANISHED) does, or mislead it: told of IMAP4rev2 it writes names in UTF-8.
	neededLine = regexp.MustCompile(`(?i)^\* (([0-9]+ FETCH|NAMESPACE|LIST|STATUS) |OK \[(UIDNEXT|UIDVALIDITY) [0-9]+\])`)
)

// literalLength reads the announcement of a literal at the end of a line (RFC 9051 §4.3).
func literalLength(line []byte) (n int64, ok bool) {
	if !bytes.HasSuffix(bytes.TrimRight(line, "\r\n"), []byte("}")) { // most lines, and soon said
		return 0, false
	}
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
	if unstickyLine.MatchString(text) {
		m.unsticky.Store(true)
	}
	if f := permanentLine.FindStringSubmatch(text); f != nil {
		m.permanent.Store(&f[1])
	}
	if m.quota.Load() && quotaLine.MatchString(text) {
		return false, nil
	}
	return !neededLine.MatchString(text) || flagsLine.MatchString(text) || illegible(text), nil
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

// end notes why there is nothing more to read, and wakes whoever waits.
func (m *mux) end(err error) {
	m.mu.Lock()
	m.note(err)
	m.mu.Unlock()
	m.closing.Do(func() { close(m.done) })
}

// note keeps the first reason. A server that said BYE has said why. m.mu is held.
func (m *mux) note(err error) {
	if m.fault != nil {
		return
	}
	m.fault = err
	if m.bye != nil && sync.ClassOf(err) != sync.Stopped {
		e := refusal(sync.Temporary, "BYE", m.veil.over(*m.bye))
		e.Err = fmt.Errorf("%s ended the session: %w", m.Host(), io.ErrUnexpectedEOF)
		m.fault = e
	}
}

// why gives the reason why the connection is gone, or nil if it is not, or if imapclient gave it up.
func (m *mux) why() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fault
}

// Close is called by imapclient too, when it does not understand the server.
func (m *mux) Close() error {
	err := m.Conn.Close()
	m.closing.Do(func() { close(m.done) })
	return err
}
