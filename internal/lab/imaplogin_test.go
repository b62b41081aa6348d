package lab

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/pop2imap/pop2imap/internal/sasl"
)

func TestIMAPLogin(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	for _, c := range []struct{ name, user, password string }{
		{"wrong password", user, "wrong"}, {"wrong user", "bob", password}, {"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			refused(t, imapTo(t, s).Login(c.user, c.password).Wait(), imap.ResponseCodeAuthenticationFailed)
		})
	}
	t.Run("right, after a wrong one", func(t *testing.T) {
		c := imapTo(t, s)
		c.Login(user, "wrong").Wait()
		if err := c.Login(user, password).Wait(); err != nil {
			t.Fatal(err)
		}
		open(t, c, "INBOX", false)
	})
	t.Run("as literals", func(t *testing.T) {
		w := talkOn(t, dial(t, s))
		w.wants("* OK")
		w.do(fmt.Sprintf("a LOGIN {%d}", len(user)), "+")
		w.do(fmt.Sprintf("%s {%d}", user, len(password)), "+")
		w.do(password, "a OK")
	})
}

func TestIMAPMechanisms(t *testing.T) {
	s := startIMAP(t, IMAPOptions{Mechs: mechanisms})
	for _, m := range mechanisms {
		login := func(t *testing.T, secret string) (*imapclient.Client, error) {
			mech, err := sasl.New(m, user, secret, "mail.example.org", 143)
			if err != nil {
				t.Fatal(err)
			}
			c := imapTo(t, s)
			return c, c.Authenticate(mech)
		}
		t.Run(m, func(t *testing.T) {
			c, err := login(t, password)
			if err != nil {
				t.Fatal(err)
			}
			open(t, c, "INBOX", false)
		})
		t.Run(m+" with a wrong secret", func(t *testing.T) {
			c, err := login(t, "wrong")
			refused(t, err, imap.ResponseCodeAuthenticationFailed)
			if err := c.Login(user, password).Wait(); err != nil {
				t.Error("afterwards:", err)
			}
		})
	}
}

func TestIMAPOffersTheMechanismsOfItsOptions(t *testing.T) {
	for _, offered := range [][]string{nil, {"LOGIN"}, {"PLAIN", "XOAUTH2"}} {
		t.Run(fmt.Sprint(offered), func(t *testing.T) {
			c := imapTo(t, startIMAP(t, IMAPOptions{Mechs: offered}))
			same(t, "AUTH=", slices.Sorted(slices.Values(c.Caps().AuthMechanisms())), offered)
			mech, err := sasl.New("CRAM-MD5", user, password, "", 0)
			if err != nil {
				t.Fatal(err)
			}
			refused(t, c.Authenticate(mech), "")
		})
	}
	if s, err := StartIMAP(IMAPOptions{Mechs: []string{"GSSAPI"}}); err == nil {
		s.Close()
		t.Error("started with a mechanism that it does not know")
	}
}

func TestIMAPExchangeThatIsCancelled(t *testing.T) {
	w := talkOn(t, dial(t, startIMAP(t, IMAPOptions{Mechs: []string{"PLAIN"}})))
	w.wants("* OK")
	w.do("a AUTHENTICATE PLAIN", "+")
	w.do("*", "a BAD")
	w.do("b STATUS INBOX (MESSAGES)", "b BAD")
	w.do(`c LOGIN "`+user+`" "`+password+`"`, "c OK")
}

func TestIMAPOverSTARTTLS(t *testing.T) {
	a := authority(t)
	s := startIMAP(t, IMAPOptions{TLS: a.Good.Config})
	if !imapTo(t, s).Caps().Has(imap.CapStartTLS) {
		t.Error("STARTTLS is not offered")
	}
	c, err := imapclient.NewStartTLS(bounded{dial(t, s)}, &imapclient.Options{
		TLSConfig: &tls.Config{RootCAs: a.Pool, ServerName: "localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if c.Caps().Has(imap.CapStartTLS) {
		t.Error("STARTTLS is offered inside TLS")
	}
	if err := c.Login(user, password).Wait(); err != nil {
		t.Fatal(err)
	}
	mustPut(t, c, "INBOX", "A: 1\r\n\r\none\r\n", nil)
	mustPut(t, c, "INBOX", "", nil)
	holds(t, s, "INBOX", "A: 1\r\n\r\none\r\n", "")
	if err := c.Logout().Wait(); err != nil {
		t.Error(err)
	}
}

func TestIMAPOverTLSFromTheFirstByte(t *testing.T) {
	a := authority(t)
	s := startIMAP(t, IMAPOptions{TLS: a.Good.Config, Implicit: true,
		Hook: func(_ int, command string) Fate {
			if command == "NOOP" {
				return Cut
			}
			return Execute
		}})
	conn := tls.Client(dial(t, s), &tls.Config{RootCAs: a.Pool, ServerName: "mail.example.org"})
	c := imapclient.New(bounded{conn}, nil)
	t.Cleanup(func() { c.Close() })
	if err := c.Login(user, password).Wait(); err != nil {
		t.Fatal(err)
	}
	if c.Caps().Has(imap.CapStartTLS) {
		t.Error("STARTTLS is offered inside TLS")
	}
	mustPut(t, c, "INBOX", "A: 1\r\n\r\none\r\n", nil)
	holds(t, s, "INBOX", "A: 1\r\n\r\none\r\n")
	if err := c.Noop().Wait(); err == nil {
		t.Error("the line was not cut")
	}
	same(t, "Commands", s.Commands(), []string{"LOGIN ***", "APPEND INBOX {13+}", "NOOP"})
}

func TestIMAPWithoutTLSKnowsNoSTARTTLS(t *testing.T) {
	w := talkOn(t, dial(t, startIMAP(t, IMAPOptions{})))
	w.wants("* OK")
	w.do("a STARTTLS", "a NO")
	w.do("b NOOP", "b OK")
}

func TestIMAPWithAnExpiredCertificate(t *testing.T) {
	a := authority(t)
	s := startIMAP(t, IMAPOptions{TLS: a.Expired.Config})
	_, err := imapclient.NewStartTLS(bounded{dial(t, s)}, &imapclient.Options{
		TLSConfig: &tls.Config{RootCAs: a.Pool, ServerName: "localhost"}})
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); !ok || e.Reason != x509.Expired {
		t.Errorf("handshake: %v", err)
	}
}
