package lab

import (
	"bytes"
	"crypto/tls"
	"net"
	"slices"
	"sync"
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
}

// StartPOP3 starts a server with an empty maildrop. It listens until Close.
func StartPOP3(o POP3Options) (*POP3, error) {
	for _, m := range o.Mechs {
		if _, err := verifier(m, o.User, o.Password); err != nil {
			return nil, err
		}
	}
	d, err := openDoor()
	if err != nil {
		return nil, err
	}
	p := &POP3{door: d, o: o, lock: make(chan struct{}, 1)}
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

// remove takes messages out of the maildrop, the UPDATE state of RFC 1939 §6.
func (p *POP3) remove(gone map[*Mail]bool) {
	p.mailMu.Lock()
	defer p.mailMu.Unlock()
	p.mail = slices.DeleteFunc(slices.Clone(p.mail), func(m *Mail) bool { return gone[m] })
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
