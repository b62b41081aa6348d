package pop3

import (
	"crypto/tls"
	"slices"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

func TestTLS(t *testing.T) {
	for _, c := range check.Certificates(t) {
		for _, security := range []wire.Security{wire.ImplicitTLS, wire.StartTLS} {
			t.Run([]string{"TLS ", "STLS "}[security]+c.Name, func(t *testing.T) {
				s := startPOP3(t, lab.POP3Options{TLS: c.Leaf.Config, Implicit: security == wire.ImplicitTLS})
				server := at(s)
				server.Security, server.Host, server.Roots, server.Fingerprint = security, c.Host, c.Roots, c.Pin
				if c.Fails != "" {
					c.Distrusted(t, refused(t, server, alice), "from")
					check.Equal(t, "logged in by", said(s.Commands()), "")
					return
				}
				ss, err := Dial(t.Context(), server, alice)
				if err != nil {
					t.Fatal(err)
				}
				defer ss.Abandon()
				if !ss.w.Secure() {
					t.Error("not secure")
				}
			})
		}
	}
}

func TestSTLSIsNotToBeHad(t *testing.T) {
	a := check.Authority(t)
	replies := func(reply string) lab.POP3Options {
		return lab.POP3Options{TLS: a.Good.Config, Hook: replying("STLS", reply)}
	}
	for _, c := range []struct {
		name  string
		o     lab.POP3Options
		class sync.Class
		says  string
	}{
		{"not offered", lab.POP3Options{}, sync.Unavailable, "does not offer STLS"},
		{"no CAPA, and unknown", lab.POP3Options{NoCAPA: true}, sync.Unavailable, "refused STLS"},
		{"offered, and refused", replies("-ERR \x1b[31mno\r\n"), sync.Unavailable, "?[31mno"},
		{"refused for now", replies("-ERR [SYS/TEMP] later\r\n"), sync.Temporary, "later"},
		{"answered with nonsense", replies("+ continue\r\n"), sync.Protocol, "neither"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startPOP3(t, c.o)
			server := at(s)
			server.Security, server.Roots = wire.StartTLS, a.Pool
			err := refused(t, server, alice)
			check.Class(t, err, c.class)
			check.Says(t, err, c.says)
			if slices.Contains(s.Commands(), "USER "+user) {
				t.Error("the user name was sent in cleartext")
			}
		})
	}
}

// Response injection (nostarttls.secvuln.info): what comes in cleartext behind the answer to STLS is not the server's.
func TestPlaintextInjectedBeforeTLS(t *testing.T) {
	a := check.Authority(t)
	for _, c := range []struct {
		name, first, then string
		class             sync.Class
	}{
		{"with the answer", "+OK begin\r\n+OK\r\nUSER\r\n.\r\n", "", sync.Protocol},
		{"one octet with the answer", "+OK begin\r\n+", "", sync.Protocol},
		{"in place of the handshake", "+OK begin\r\n", "+OK\r\nUSER\r\n.\r\n+OK\r\n", sync.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			hellos := make(chan error, 1)
			s := check.Script(t, func(p *lab.Peer) {
				p.Send("+OK\r\n")
				p.Expect("CAPA")
				p.Send("+OK\r\nSTLS\r\n.\r\n")
				p.Expect("STLS")
				p.Send(c.first)
				if c.then != "" {
					p.Conn.Read(make([]byte, 1)) // ClientHello
					p.Send(c.then)
				}
				_, err := p.Expect("USER")
				hellos <- err
			})
			server := at(s)
			server.Security, server.Roots = wire.StartTLS, a.Pool
			check.Class(t, refused(t, server, alice), c.class)
			if err := <-hellos; err == nil {
				t.Error("the user name was sent in cleartext")
			}
		})
	}
}

// What was said in cleartext is forgotten (RFC 2595 §4).
func TestAbilitiesAreThoseWithinTLS(t *testing.T) {
	a := check.Authority(t)
	s := check.Script(t, func(p *lab.Peer) {
		p.Send("+OK <1@lab>\r\n")
		p.Expect("CAPA")
		p.Send("+OK\r\nSTLS\r\nUTF8\r\nSASL SCRAM-SHA-256\r\n.\r\n")
		p.Expect("STLS")
		p.Send("+OK\r\n")
		if p.StartTLS(a.Good.Config) != nil {
			return
		}
		answers("", welcoming("CAPA", "-ERR\r\n"))(p)
	})
	server := at(s)
	server.Security, server.Roots = wire.StartTLS, a.Pool
	ss, err := Dial(t.Context(), server, alice)
	if err != nil {
		t.Fatal(err)
	}
	defer ss.Abandon()
	if ss.caps != nil {
		t.Errorf("still believed: %v", ss.caps)
	}
	if !ss.w.Secure() {
		t.Error("not secure")
	}
}

func TestWrongPort(t *testing.T) {
	a := check.Authority(t)
	t.Run("cleartext where TLS was meant", func(t *testing.T) {
		server := at(startPOP3(t, lab.POP3Options{}))
		server.Security, server.Roots = wire.ImplicitTLS, a.Pool
		e := check.Class(t, refused(t, server, alice), sync.Unavailable)
		check.Says(t, e, "does not speak TLS")
		check.Advises(t, e, "pop3://")
	})
	t.Run("TLS where STLS was meant", func(t *testing.T) { // each waits for the other to begin
		server := at(startPOP3(t, lab.POP3Options{TLS: a.Good.Config, Implicit: true}))
		server.Security, server.Roots, server.Timeout = wire.StartTLS, a.Pool, 200*time.Millisecond
		check.Soon(t, "the login", func() { check.Class(t, refused(t, server, alice), sync.Temporary) })
	})
}

func TestTLSTooOld(t *testing.T) {
	a := check.Authority(t)
	old := a.Good.Config.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	server := at(startPOP3(t, lab.POP3Options{TLS: old, Implicit: true}))
	server.Security, server.Roots = wire.ImplicitTLS, a.Pool
	e := check.Class(t, refused(t, server, alice), sync.Unavailable)
	check.Advises(t, e, "1.2")
}

func TestCleartextOnlyByName(t *testing.T) {
	a := check.Authority(t)
	s := startPOP3(t, lab.POP3Options{TLS: a.Good.Config})
	enter(t, s) // at: wire.Cleartext
	if slices.Contains(s.Commands(), "STLS") {
		t.Error("STLS was sent")
	}
}
