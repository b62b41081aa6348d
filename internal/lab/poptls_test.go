package lab

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"testing"
)

func TestPOP3OverSTLS(t *testing.T) {
	a := authority(t)
	s := startPOP3(t, POP3Options{TLS: a.Good.Config}, mails("one\r\n")...)
	p := popTo(t, s)
	p.do("USER "+user, "+OK")
	p.do("STLS", "+OK")
	if err := p.secure(a); err != nil {
		t.Fatal(err)
	}
	p.do("PASS "+password, "-ERR [AUTH]") // what was said before TLS is forgotten
	p.do("STLS", "-ERR")
	for _, c := range p.capabilities() {
		if c == "STLS" {
			t.Error("STLS is offered inside TLS")
		}
	}
	p.do("USER "+user, "+OK")
	p.do("PASS "+password, "+OK")
	p.do("QUIT", "+OK")
	if err := p.ends(); err != nil {
		t.Error(err)
	}
}

func TestPOP3OverTLSFromTheFirstByte(t *testing.T) {
	a := authority(t)
	s := startPOP3(t, POP3Options{TLS: a.Good.Config, Implicit: true}, mails("one\r\n")...)
	p := talkOn(t, dial(t, s))
	if err := p.secure(a); err != nil {
		t.Fatal(err)
	}
	p.wants("+OK")
	p.do("STLS", "-ERR")
	p.do("USER "+user, "+OK")
	p.do("PASS "+password, "+OK")
	p.do("RETR 1", "+OK")
	equal(t, "RETR", p.body(), "one\r\n")
}

func TestPOP3EndsWhenACommandIsAheadOfTheHandshake(t *testing.T) {
	p := popTo(t, startPOP3(t, POP3Options{TLS: authority(t).Good.Config}))
	p.send("STLS\r\nUSER " + user + "\r\n")
	p.wants("+OK")
	p.ends()
}

func TestTLSLeaves(t *testing.T) {
	a := authority(t)
	for _, c := range []struct {
		name string
		leaf Leaf
		good func(error) bool
	}{
		{"good", a.Good, func(err error) bool { return err == nil }},
		{"expired", a.Expired, func(err error) bool {
			e, ok := errors.AsType[x509.CertificateInvalidError](err)
			return ok && e.Reason == x509.Expired
		}},
		{"wrong name", a.WrongName, func(err error) bool {
			_, ok := errors.AsType[x509.HostnameError](err)
			return ok
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := popTo(t, startPOP3(t, POP3Options{TLS: c.leaf.Config}))
			p.do("STLS", "+OK")
			if err := p.secure(a); !c.good(err) {
				t.Errorf("handshake: %v", err)
			}
		})
	}
}

func TestTLSAuthorityIsTrustedByNoOneElse(t *testing.T) {
	a, other := authority(t), authority(t)
	p := popTo(t, startPOP3(t, POP3Options{TLS: a.Good.Config}))
	p.do("STLS", "+OK")
	if _, ok := errors.AsType[x509.UnknownAuthorityError](p.secure(other)); !ok {
		t.Error("the handshake succeeded, or failed for another reason")
	}
}

func TestTLSFingerprintIsThatOfTheLeaf(t *testing.T) {
	a := authority(t)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(a.PEM) {
		t.Fatal("PEM is not a certificate")
	}
	c := tls.Client(dial(t, startPOP3(t, POP3Options{TLS: a.Good.Config, Implicit: true})),
		&tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	equal(t, "fingerprint", fingerprint(c.ConnectionState().PeerCertificates[0]), a.Good.Fingerprint)
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}
