package pop3

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

func TestTLS(t *testing.T) {
	a := newTLS(t)
	other := newTLS(t)
	for _, security := range []wire.Security{wire.ImplicitTLS, wire.StartTLS} {
		for _, c := range []struct {
			name  string
			leaf  lab.Leaf
			roots *x509.CertPool
			pin   string // hex
			fails string // "": it does not
		}{
			{"own authority", a.Good, a.Pool, "", ""},
			{"pinned", a.Good, nil, a.Good.Fingerprint, ""},
			{"pinned, and expired", a.Expired, nil, a.Expired.Fingerprint, ""},
			{"pinned, for another name", a.WrongName, nil, a.WrongName.Fingerprint, ""},
			{"unknown authority", a.Good, nil, "", "not trusted"},
			{"another authority", a.Good, other.Pool, "", "not trusted"},
			{"expired", a.Expired, a.Pool, "", "to 2020-01-01 only"},
			{"for another name", a.WrongName, a.Pool, "", "not trusted"},
			{"another one is pinned", a.Good, nil, other.Good.Fingerprint, "not the pinned one"},
			{"another one is pinned, authority known", a.Good, a.Pool, other.Good.Fingerprint, "not the pinned one"},
		} {
			t.Run([]string{"TLS ", "STLS "}[security]+c.name, func(t *testing.T) {
				s := startPOP3(t, lab.POP3Options{TLS: c.leaf.Config, Implicit: security == wire.ImplicitTLS})
				server := at(s)
				server.Security, server.Roots = security, c.roots
				if c.pin != "" {
					server.Fingerprint = pin(t, c.pin)
				}
				if c.fails == "" {
					ss, err := Dial(t.Context(), server, alice)
					if err != nil {
						t.Fatal(err)
					}
					ss.Abandon()
					return
				}
				err := refused(t, server, alice)
				e := isClass(t, err, sync.Unavailable)
				says(t, err, c.fails)
				says(t, err, "sha256:"+c.leaf.Fingerprint)
				if !strings.Contains(e.Remedy, "--from-tls-fingerprint sha256:"+c.leaf.Fingerprint) {
					t.Errorf("remedy: %q", e.Remedy)
				}
				if slices.Contains(s.Commands(), "USER "+user) {
					t.Error("the user name was sent")
				}
			})
		}
	}
}

func TestSTLSIsNotToBeHad(t *testing.T) {
	a := newTLS(t)
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
			isClass(t, err, c.class)
			says(t, err, c.says)
			if slices.Contains(s.Commands(), "USER "+user) {
				t.Error("the user name was sent in cleartext")
			}
		})
	}
}

// Response injection (nostarttls.secvuln.info): what comes in cleartext behind the answer to STLS is not the server's.
func TestPlaintextInjectedBeforeTLS(t *testing.T) {
	a := newTLS(t)
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
			s := startScript(t, func(p *lab.Peer) {
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
			isClass(t, refused(t, server, alice), c.class)
			if err := <-hellos; err == nil {
				t.Error("the user name was sent in cleartext")
			}
		})
	}
}

// What was said in cleartext is forgotten (RFC 2595 §4).
func TestAbilitiesAreThoseWithinTLS(t *testing.T) {
	a := newTLS(t)
	s := startScript(t, func(p *lab.Peer) {
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
	a := newTLS(t)
	t.Run("cleartext where TLS was meant", func(t *testing.T) {
		server := at(startPOP3(t, lab.POP3Options{}))
		server.Security, server.Roots = wire.ImplicitTLS, a.Pool
		e := isClass(t, refused(t, server, alice), sync.Unavailable)
		says(t, e, "does not speak TLS")
		if !strings.Contains(e.Remedy, "pop3://") {
			t.Errorf("remedy: %q", e.Remedy)
		}
	})
	t.Run("TLS where STLS was meant", func(t *testing.T) { // each waits for the other to begin
		server := at(startPOP3(t, lab.POP3Options{TLS: a.Good.Config, Implicit: true}))
		server.Security, server.Roots, server.Timeout = wire.StartTLS, a.Pool, patience/100
		soon(t, "the login", func() { isClass(t, refused(t, server, alice), sync.Temporary) })
	})
}

func TestTLSTooOld(t *testing.T) {
	a := newTLS(t)
	old := a.Good.Config.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	server := at(startPOP3(t, lab.POP3Options{TLS: old, Implicit: true}))
	server.Security, server.Roots = wire.ImplicitTLS, a.Pool
	e := isClass(t, refused(t, server, alice), sync.Unavailable)
	if !strings.Contains(e.Remedy, "1.2") {
		t.Errorf("remedy: %q", e.Remedy)
	}
}

func TestCleartextOnlyByName(t *testing.T) {
	a := newTLS(t)
	s := startPOP3(t, lab.POP3Options{TLS: a.Good.Config})
	enter(t, s) // at: wire.Cleartext
	if slices.Contains(s.Commands(), "STLS") {
		t.Error("STLS was sent")
	}
	if wire.Cleartext == 0 {
		t.Error("cleartext is what comes without a name")
	}
}
