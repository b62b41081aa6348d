package imap

import (
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

func TestTLS(t *testing.T) {
	for _, c := range check.Certificates(t) {
		for _, security := range []wire.Security{wire.ImplicitTLS, wire.StartTLS} {
			t.Run([]string{"TLS ", "STARTTLS "}[security]+c.Name, func(t *testing.T) {
				s := startIMAP(t, lab.IMAPOptions{TLS: c.Leaf.Config, Implicit: security == wire.ImplicitTLS})
				server := at(s)
				server.Security, server.Host, server.Roots, server.Fingerprint = security, c.Host, c.Roots, c.Pin
				if c.Fails != "" {
					c.Distrusted(t, refused(t, server, alice), "to")
					check.Equal(t, "logged in by", said(s.Commands()), "")
					return
				}
				ss := enterAt(t, server)
				if !ss.w.Secure() {
					t.Error("not secure")
				}
				raw := strings.Repeat("A: 1\r\n\r\nover TLS\r\n", 10_000)
				if _, err := appendOne(t.Context(), ss, inbox, letter(raw)); err != nil {
					t.Fatal(err)
				}
				holds(t, s, raw)
			})
		}
	}
}

func TestSTARTTLSIsNotToBeHad(t *testing.T) {
	for _, c := range []struct {
		name, caps, reply string
		class             sync.Class
		says              string
	}{
		{"not offered", "AUTH=PLAIN", "", sync.Unavailable, "does not offer STARTTLS"},
		{"offered, and refused", "STARTTLS", "% NO \x1b[31mno\r\n", sync.Unavailable, "in cleartext: server said: NO ?[31mno"},
		{"refused for now", "STARTTLS", "% NO [UNAVAILABLE] later\r\n", sync.Temporary, "later"},
		{"not known", "STARTTLS", "% BAD what\r\n", sync.Unavailable, "refused STARTTLS"},
		{"answered with nonsense", "STARTTLS", "+ continue\r\n", sync.Protocol, "wants more"},
		{"answered with BYE", "STARTTLS", "* BYE \x1b going\r\n% OK\r\n", sync.Unavailable, ""},
		{"answered with another tag", "STARTTLS", "a99 OK\r\n", sync.Protocol, "no answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			heard := make(chan string, 1)
			s := check.Script(t, func(p *lab.Peer) {
				p.Send("* OK ready\r\n")
				caps(c.caps).with("STARTTLS", c.reply).answerUntil(p, "STARTTLS")
				if c.name == "answered with BYE" { // and begins no TLS
					p.Conn.Read(make([]byte, 1))
					p.Send("* OK cleartext\r\n")
				}
				line, _ := p.ReadLine()
				heard <- line
			})
			server := at(s)
			server.Security = wire.StartTLS
			e := check.Class(t, refused(t, server, alice), c.class)
			check.Says(t, e, c.says)
			if c.class == sync.Unavailable && c.says != "" {
				check.Advises(t, e, "imaps://")
			}
			if line := <-heard; strings.Contains(line, "LOGIN") || strings.Contains(line, "AUTH") {
				t.Errorf("in cleartext we said %q", line)
			}
		})
	}
}

// Whom we are logged in as, and over what, someone else would have said (RFC 9051 §7.1.4).
func TestPREAUTHBeforeSTARTTLS(t *testing.T) {
	s := check.Script(t, func(p *lab.Peer) {
		p.Send("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome\r\n")
		caps("STARTTLS").answer(p)
	})
	server := at(s)
	server.Security = wire.StartTLS
	check.Says(t, check.Class(t, refused(t, server, alice), sync.Protocol), "someone may be in the way")
}

// Response injection (nostarttls.secvuln.info): what comes in cleartext behind the answer to STARTTLS is not the
// server's.
func TestPlaintextInjectedBeforeTLS(t *testing.T) {
	for _, c := range []struct {
		name, first, then string
		class             sync.Class
	}{
		{"with the answer", "a2 OK begin\r\n* CAPABILITY IMAP4rev1\r\n", "", sync.Protocol},
		{"one octet with the answer", "a2 OK begin\r\n*", "", sync.Protocol},
		{"in place of the handshake", "a2 OK begin\r\n", "* CAPABILITY IMAP4rev1\r\na3 OK\r\n", sync.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			hellos := make(chan error, 1)
			s := check.Script(t, func(p *lab.Peer) {
				p.Send("* OK ready\r\n")
				caps("STARTTLS").with("STARTTLS", c.first).answerUntil(p, "STARTTLS")
				if c.then != "" {
					p.Conn.Read(make([]byte, 1)) // ClientHello
					p.Send(c.then)
				}
				_, err := p.Expect("a3 ")
				hellos <- err
			})
			server := at(s)
			server.Security = wire.StartTLS
			check.Class(t, refused(t, server, alice), c.class)
			if err := <-hellos; err == nil {
				t.Error("it went on in cleartext")
			}
		})
	}
}

// What was said in cleartext is forgotten (RFC 9051 §6.2.1).
func TestAbilitiesAreThoseWithinTLS(t *testing.T) {
	a := check.Authority(t)
	s := check.Script(t, func(p *lab.Peer) {
		p.Send("* OK [CAPABILITY IMAP4rev1 STARTTLS LITERAL+ AUTH=SCRAM-SHA-256 APPENDLIMIT=5] ready\r\n")
		caps("").with("STARTTLS", "% OK\r\n").answerUntil(p, "STARTTLS")
		if p.StartTLS(a.Good.Config) == nil {
			caps("").answer(p)
		}
	})
	server := at(s)
	server.Security, server.Roots = wire.StartTLS, a.Pool
	ss, err := Dial(t.Context(), server, Login{User: user, Password: "ascii"})
	if err == nil {
		t.Cleanup(ss.drop)
		if ss.caps.has("LITERAL+") || ss.caps.has("AUTH=SCRAM-SHA-256") {
			t.Errorf("still believed: %v", ss.caps)
		}
		return
	}
	t.Error(err)
}

func TestCleartextOnlyByName(t *testing.T) {
	s := startIMAP(t, lab.IMAPOptions{TLS: check.Authority(t).Good.Config})
	enter(t, s) // at: wire.Cleartext
	if slices.Contains(s.Commands(), "STARTTLS") {
		t.Error("STARTTLS was sent")
	}
}
