package check

import (
	"crypto/x509"
	"encoding/hex"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// Authority makes certificates.
func Authority(t testing.TB) *lab.Authority {
	t.Helper()
	a, err := lab.NewTLS()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A Certificate is one that a server shows to a client that knows so much.
type Certificate struct {
	Name  string
	Leaf  lab.Leaf
	Host  string // that is dialled
	Roots *x509.CertPool
	Pin   []byte
	Fails string // what the error says; "": it is trusted
}

// Certificates are good ones and bad ones.
func Certificates(t testing.TB) []Certificate {
	t.Helper()
	a, other := Authority(t), Authority(t)
	pin := func(l lab.Leaf) []byte {
		b, err := hex.DecodeString(l.Fingerprint)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return []Certificate{
		{"known authority", a.Good, "127.0.0.1", a.Pool, nil, ""},
		{"known authority, by name", a.Good, "localhost", a.Pool, nil, ""},
		{"pinned", a.Good, "127.0.0.1", nil, pin(a.Good), ""},
		{"pinned, and expired", a.Expired, "127.0.0.1", nil, pin(a.Expired), ""},
		{"pinned, for another name", a.WrongName, "127.0.0.1", nil, pin(a.WrongName), ""},
		{"the system's authorities", a.Good, "127.0.0.1", nil, nil, "not trusted"},
		{"another authority", a.Good, "127.0.0.1", other.Pool, nil, "not trusted"},
		{"expired", a.Expired, "127.0.0.1", a.Pool, nil, "valid from 2019-01-01 to 2020-01-01 only"},
		{"for another name, by address", a.WrongName, "127.0.0.1", a.Pool, nil, "not trusted"},
		{"for another name", a.WrongName, "localhost", a.Pool, nil, "wrong.example.org, not localhost"},
		{"another one is pinned", a.Good, "127.0.0.1", nil, pin(other.Good), "not the pinned one"},
		{"another one is pinned, authority known", a.Good, "127.0.0.1", a.Pool, pin(a.Expired), "not the pinned one"},
		{"an empty pin", a.Good, "127.0.0.1", a.Pool, []byte{}, "not the pinned one"},
	}
}

// Distrusted checks the error of a certificate that is not trusted: it shows the fingerprint, and how to pin it at this
// end, "from" or "to".
func (c Certificate) Distrusted(t testing.TB, err error, side string) {
	t.Helper()
	e := Class(t, err, sync.Unavailable)
	Says(t, e, c.Fails)
	Says(t, e, "sha256:"+c.Leaf.Fingerprint)
	Advises(t, e, "--"+side+"-tls-fingerprint sha256:"+c.Leaf.Fingerprint)
}
