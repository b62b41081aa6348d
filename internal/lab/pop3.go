package lab

import (
	"bytes"
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// POP3Options say how a POP3 server behaves. The zero value is a server that knows everything but SASL, APOP and TLS.
type POP3Options struct {
	User, Password string      // with XOAUTH2 and OAUTHBEARER Password is the token
	TLS            *tls.Config // STLS is offered with it; nil: no TLS
	Implicit       bool        // TLS from the first byte instead

	NoCAPA, NoUIDL, NoTOP, NoSTLS bool // the command is unknown

	// NoPipelining leaves PIPELINING out of CAPA (RFC 2449 §6.6), and hangs up on a client that pipelines all the same.
	NoPipelining bool

	Mechs     []string // SASL mechanisms: PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-256, XOAUTH2, OAUTHBEARER
	APOP      bool     // a timestamp in the greeting (RFC 1939 §7)
	LFOnly    bool     // all lines end with LF alone
	ExtraCapa []string // more lines for CAPA
	Greeting  string   // the whole line without its end; "": a usual one

	Last int // what LAST says (RFC 1081); 0: the command is unknown

	// What servers do that are odd:
	Window  int  // a session lists only so many of the oldest messages; 0: all
	Hides   bool // QUIT hides from later sessions what was retrieved, and keeps it
	Expires bool // QUIT removes what was retrieved, and CAPA says EXPIRE 0 (RFC 2449 §6.7)
	Shift   int  // with this command after the login the first message vanishes, and the others move up; 0: never

	// Keeps, if not nil, says which of the deleted messages QUIT does not remove; its answer is -ERR then (RFC 1939 §6).
	Keeps func(Mail) bool

	// LosesReply, if not nil, sees each command after Hook. With true it is executed, but the line is cut before the reply.
	LosesReply func(session int, line string) bool

	// Hook, if not nil, sees each command, as it was received, before it is executed; sessions count from 1. A reply
	// that is not empty is sent as it is, line ends included, instead of execution. With drop the line is then cut
	// without QUIT. It is called from the goroutine of its session.
	Hook func(session int, line string) (reply string, drop bool)
}

// A Mail is one message of a maildrop.
type Mail struct {
	UIDL string // as it is listed
	Raw  []byte // its octets; on the wire each line ends in CRLF, also the last; a CR alone stays
	Size int64  // what LIST and STAT say; 0: the octets of Raw with CRLF line ends (RFC 1939 §11)
}

func (m *Mail) size() int64 {
	if m.Size != 0 {
		return m.Size
	}
	n := len(m.Raw) + bytes.Count(m.Raw, []byte("\n")) - bytes.Count(m.Raw, []byte("\r\n"))
	if len(m.Raw) > 0 && m.Raw[len(m.Raw)-1] != '\n' {
		n += len("\r\n")
	}
	return int64(n)
}

// A POP3 is a server with one maildrop, which one session at a time may have (RFC 1939 §4).
type POP3 struct {
	*door
	journal
	o    POP3Options
	lock chan struct{} // full while a session has the maildrop

	mailMu sync.Mutex
	mail   []*Mail
	hidden map[*Mail]bool // not listed any more
}

// StartPOP3 starts a server with an empty maildrop. It listens until Close.
func StartPOP3(o POP3Options) (*POP3, error) {
	d, err := openDoorWith(o.Mechs, o.User, o.Password)
	if err != nil {
		return nil, err
	}
	p := &POP3{door: d, o: o, lock: make(chan struct{}, 1), hidden: make(map[*Mail]bool)}
	d.serve(func(n int, c net.Conn) { newPOPSession(p, n, c).run() })
	return p, nil
}

// SetMail replaces the maildrop. A session that has it open goes on with what it has. Raw is not copied.
func (p *POP3) SetMail(mail []Mail) {
	list := make([]*Mail, len(mail))
	for i, m := range mail {
		list[i] = &m
	}
	p.mailMu.Lock()
	defer p.mailMu.Unlock()
	p.mail = list
}

// Mail gives what the maildrop holds: what was deleted is gone after QUIT.
func (p *POP3) Mail() []Mail {
	var list []Mail
	for _, m := range p.snapshot() {
		list = append(list, *m)
	}
	return list
}

func (p *POP3) snapshot() []*Mail {
	p.mailMu.Lock()
	defer p.mailMu.Unlock()
	return slices.Clone(p.mail)
}

// listed gives what a new session finds.
func (p *POP3) listed() []*Mail {
	p.mailMu.Lock()
	defer p.mailMu.Unlock()
	list := slices.DeleteFunc(slices.Clone(p.mail), func(m *Mail) bool { return p.hidden[m] })
	if p.o.Window > 0 {
		list = list[:min(p.o.Window, len(list))]
	}
	return list
}

// update is the UPDATE state of RFC 1939 §6, after a session that has deleted and retrieved these messages. It says
// whether all that was deleted is gone.
func (p *POP3) update(deleted, retrieved map[*Mail]bool) (whole bool) {
	p.mailMu.Lock()
	defer p.mailMu.Unlock()
	whole = true
	p.mail = slices.DeleteFunc(slices.Clone(p.mail), func(m *Mail) bool {
		if p.o.Hides && retrieved[m] {
			p.hidden[m] = true
		}
		if deleted[m] && p.o.Keeps != nil && p.o.Keeps(*m) {
			whole = false
			return false
		}
		return deleted[m] || p.o.Expires && retrieved[m]
	})
	return whole
}

// lockDrop gets the maildrop for a session. It waits a little, as Dovecot does, so that a client that lost its line and
// comes back at once is not refused because the server has not yet seen the end of the old session.
func (p *POP3) lockDrop() bool {
	timeout := time.NewTimer(250 * time.Millisecond)
	defer timeout.Stop()
	select {
	case p.lock <- struct{}{}:
		return true
	case <-timeout.C:
		return false
	}
}

func (p *POP3) unlockDrop() { <-p.lock }

// RefuseLogins is a Hook that answers so many logins with a refusal, a line without its end. It counts over all sessions.
func RefuseLogins(n int, reply string) func(int, string) (string, bool) {
	var refused atomic.Int64
	return func(_ int, line string) (string, bool) {
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		if (verb == "PASS" || verb == "APOP" || verb == "AUTH") && refused.Add(1) <= int64(n) {
			return reply + "\r\n", false
		}
		return "", false
	}
}
