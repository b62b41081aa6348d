package wire

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// shakes is a server that says one line within TLS.
func shakes(conf *tls.Config) func(*lab.Peer) {
	return func(p *lab.Peer) {
		if p.StartTLS(conf) == nil {
			p.Send("within\r\n")
			listen(p)
		}
	}
}

func TestHandshake(t *testing.T) {
	for _, c := range check.Certificates(t) {
		t.Run(c.Name, func(t *testing.T) {
			s := play(t, shakes(c.Leaf.Config))
			s.Security, s.Host, s.Roots, s.Fingerprint = ImplicitTLS, c.Host, c.Roots, c.Pin
			if c.Fails == "" {
				conn := dial(t, s)
				if line, err := conn.ReadLine(100); string(line) != "within\r\n" || err != nil || !conn.Secure() {
					t.Errorf("got %q and %v, secure: %v", line, err, conn.Secure())
				}
				return
			}
			_, err := Dial(t.Context(), s)
			c.Distrusted(t, err, "to")
		})
	}
}

func TestCleartextOnlyByName(t *testing.T) {
	if Cleartext == 0 {
		t.Error("cleartext is what comes without a name")
	}
}

func TestHandshakeThatFails(t *testing.T) {
	a := check.Authority(t)
	old := a.Good.Config.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	foreign := a.Good.Config.Clone()
	foreign.MaxVersion, foreign.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
	for _, c := range []struct {
		name   string
		script func(*lab.Peer)
		class  sync.Class
		says   string
		remedy string
	}{
		{"cleartext", sends("* OK ready for work\r\n"), sync.Unavailable, "does not speak TLS", "STARTTLS"},
		{"TLS 1.1 at the most", shakes(old), sync.Unavailable, "TLS handshake", "1.2"},
		{"TLS 1.0, by a server that knows no other", oldServer, sync.Unavailable, "TLS handshake", "1.2"},
		{"no cipher in common", shakes(foreign), sync.Unavailable, "TLS handshake", ""},
		{"hangs up", func(p *lab.Peer) { p.Conn.Read(make([]byte, 1024)) }, sync.Temporary, "", ""},
		{"hangs up halfway", func(p *lab.Peer) { p.Send("\x16\x03\x03") }, sync.Temporary, "", ""},
		{"stops halfway", sends("\x16\x03\x03"), sync.Temporary, "silent for 300ms", "--timeout"},
		{"silence", listen, sync.Temporary, "silent for 300ms", "--timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, c.script)
			s.Security, s.Roots, s.Timeout = ImplicitTLS, a.Pool, 300*time.Millisecond
			_, err := Dial(t.Context(), s)
			e := isClass(t, err, c.class, c.says)
			check.Advises(t, e, c.remedy)
		})
	}
}

// sends says so much and then nothing more.
func sends(text string) func(*lab.Peer) {
	return func(p *lab.Peer) {
		p.Send(text)
		listen(p)
	}
}

// oldServer answers with a ServerHello of TLS 1.0.
func oldServer(p *lab.Peer) {
	p.Conn.Read(make([]byte, 4096))
	hello := "\x03\x01" + strings.Repeat("r", 32) + "\x00" + "\x00\x2f" + "\x00"
	message := "\x02\x00\x00" + string(rune(len(hello))) + hello
	p.Send("\x16\x03\x01\x00" + string(rune(len(message))) + message)
	listen(p)
}

func TestStartTLS(t *testing.T) {
	a := check.Authority(t)
	t.Run("after cleartext", func(t *testing.T) {
		s := play(t, func(p *lab.Peer) {
			p.Send("go\r\n")
			shakes(a.Good.Config)(p)
		})
		s.Security, s.Roots = StartTLS, a.Pool
		c := dial(t, s)
		c.ReadLine(100)
		if c.Secure() {
			t.Error("secure before TLS")
		}
		if err := c.StartTLS(t.Context()); err != nil {
			t.Fatal(err)
		}
		if line, err := c.ReadLine(100); string(line) != "within\r\n" || err != nil || !c.Secure() {
			t.Errorf("got %q and %v, secure: %v", line, err, c.Secure())
		}
	})
	t.Run("octets ahead of it", func(t *testing.T) {
		s := play(t, func(p *lab.Peer) {
			p.Send("go\r\nmore\r\n")
			listen(p)
		})
		c := dial(t, s)
		c.ReadLine(100)
		isClass(t, c.StartTLS(t.Context()), sync.Protocol, "6 octets ahead")
		if _, err := c.Write([]byte("secret")); err == nil || c.Secure() {
			t.Error("the connection goes on")
		}
	})
	t.Run("cleartext in its place", func(t *testing.T) {
		s := play(t, func(p *lab.Peer) {
			p.Send("go\r\n")
			p.Conn.Read(make([]byte, 1024))
			p.Send("a1 OK ready for work\r\n")
			listen(p)
		})
		s.Security = StartTLS
		c := dial(t, s)
		c.ReadLine(100)
		e := isClass(t, c.StartTLS(t.Context()), sync.Unavailable, "does not speak TLS")
		if strings.Contains(e.Remedy, "imap://") {
			t.Errorf("that is what was asked for: %q", e.Remedy)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		c := dial(t, play(t, listen))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, cancel)
		isClass(t, c.StartTLS(ctx), sync.Stopped, "TLS handshake")
	})
}

// A line that TLS does not end properly was cut, by whomever.
func TestCutWithinTLS(t *testing.T) {
	a := check.Authority(t)
	for _, last := range []string{"", "\x17\x03\x03\x00\x20cut in a record"} {
		s := play(t, func(p *lab.Peer) {
			tcp := p.Conn
			p.StartTLS(a.Good.Config)
			p.Send("half")
			tcp.Write([]byte(last))
			tcp.Close()
		})
		s.Security, s.Roots = ImplicitTLS, a.Pool
		_, err := dial(t, s).ReadLine(100)
		isClass(t, err, sync.Temporary, "closed the connection")
	}
}

// Names in a certificate are whatever its maker wrote.
func TestCertificateWithControlCharacters(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"\x1b[2Jforged.example.org"}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s := play(t, shakes(&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}))
	s.Security, s.Host, s.Roots = ImplicitTLS, "localhost", x509.NewCertPool()
	s.Roots.AddCert(cert)
	_, err = Dial(t.Context(), s)
	e := isClass(t, err, sync.Unavailable, "not trusted")
	if strings.Contains(e.Error(), "\x1b") {
		t.Errorf("got %q", e)
	}
}

func TestSecured(t *testing.T) {
	a := check.Authority(t)
	for _, c := range []struct {
		name  string
		leaf  lab.Leaf
		times int
	}{{"a good certificate", a.Good, 1}, {"one that is not trusted", a.Expired, 0}} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, shakes(c.leaf.Config))
			s.Security, s.Roots = ImplicitTLS, a.Pool
			times := 0
			s.Secured = func(cs tls.ConnectionState) {
				times++
				if sum := sha256.Sum256(cs.PeerCertificates[0].Raw); hex.EncodeToString(sum[:]) != c.leaf.Fingerprint {
					t.Errorf("another certificate: %x", sum)
				}
			}
			conn, err := Dial(t.Context(), s)
			if err == nil {
				conn.Close()
			} else if e := isClass(t, err, sync.Unavailable, "not trusted"); !strings.Contains(e.Remedy, "clock says "+time.Now().Format("2006")) {
				t.Errorf("no word of the clock in %q", e.Remedy)
			}
			if times != c.times {
				t.Errorf("called %d times, want %d", times, c.times)
			}
		})
	}
}
