package real

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// makeTLS makes s.Roots and writes the authority's certificate to s.CA, and the server's certificate to cert.pem, its
// key to key.pem and both to both.pem.
func (s *Server) makeTLS(t testing.TB) {
	t.Helper()
	a, err := lab.NewTLS()
	if err != nil {
		t.Fatal(err)
	}
	leaf := a.Good.Config.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		t.Fatalf("write the key of %s: %v", s.Kind, err)
	}
	cert := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Certificate[0]}))
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	s.file(t, "cert.pem", cert)
	s.file(t, "key.pem", key)
	s.file(t, "both.pem", key+cert)
	s.Roots, s.CA = a.Pool, s.file(t, "ca.pem", string(a.PEM))
	if err := os.Chmod(s.CA, 0o644); err != nil {
		t.Fatalf("write the authority of %s: %v", s.Kind, err)
	}
}

// trust is the configuration of a client that trusts this server's authority and no other.
func (s *Server) trust() *tls.Config {
	return &tls.Config{RootCAs: s.Roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
}
