package imap

import (
	"crypto/x509"
	"os"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

func TestRealServers(t *testing.T) {
	for _, kind := range real.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			s := real.Start(t, kind, nil)
			for security, port := range map[wire.Security]int{wire.ImplicitTLS: s.IMAPS, wire.StartTLS: s.IMAP} {
				server := wire.Server{Host: "127.0.0.1", Port: port, Security: security, Side: "to", Roots: roots(t, s.CA)}
				hasClass(t, refused(t, server, Login{User: s.User, Password: password}), sync.Login)
				ss, err := Dial(t.Context(), server, Login{User: s.User, Password: s.Password})
				if err != nil {
					t.Fatal(err)
				}
				appendAndFind(t, ss, []string{"INBOX", "Entwürfe & mehr"}[security])
			}
		})
	}
}

// appendAndFind appends to a folder that is empty or missing, and finds there what was appended.
func appendAndFind(t *testing.T, s *Session, folder string) {
	t.Helper()
	f, err := s.Open(t.Context(), folder, true)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "created", f.Created, folder != "INBOX")
	m := letter("Message-ID: <a@x>\r\nSubject: Gr\xc3\xbc\xc3\x9fe\r\n\r\nbody\r\n")
	m.Flags, m.Date = []string{`\Seen`}, time.Date(2001, 2, 3, 4, 5, 6, 0, time.FixedZone("", -330*60))
	first := max(f.UIDNext, 1) // Courier does not say it
	for n := range uint32(3) {
		placed, err := s.Append(t.Context(), f, m)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "place", placed, sync.Placed{UIDValidity: f.UIDValidity, UID: n + first})
	}
	got, err := found(t, s, f, first+1)
	if err != nil || len(got) != 2 {
		t.Errorf("found %q, %v", got, err)
	}
	again, err := s.Open(t.Context(), folder, false)
	if err != nil || f.UIDNext != 0 && again.UIDNext != first+3 || again.UIDValidity != f.UIDValidity {
		t.Errorf("afterwards: %+v, %v", again, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func roots(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}
