package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// An Authority is a certificate authority of its own, and what it has signed. No one else trusts it.
type Authority struct {
	PEM  []byte         // its certificate, as a file for --from-tls-ca
	Pool *x509.CertPool // the same, alone

	Good      Leaf // for 127.0.0.1, localhost and the hosts that were asked for
	Expired   Leaf // the same, until 2020
	WrongName Leaf // for wrong.example.org only
}

// A Leaf is a server's certificate.
type Leaf struct {
	Config      *tls.Config // of a server that shows it
	Fingerprint string      // SHA-256 of its DER, in hex
}

// NewTLS makes an authority and its leaves.
func NewTLS(hosts ...string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the lab's authority: %w", err)
	}
	now := time.Now()
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pop2imap lab authority"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageCertSign,
		BasicConstraintsValid: true, IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make the lab's authority: %w", err)
	}
	if root, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("make the lab's authority: %w", err)
	}
	a := &Authority{PEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), Pool: x509.NewCertPool()}
	a.Pool.AddCert(root)
	hosts = append([]string{"127.0.0.1", "localhost"}, hosts...)
	past := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, l := range []struct {
		leaf        *Leaf
		hosts       []string
		from, until time.Time
	}{
		{&a.Good, hosts, now.Add(-time.Hour), now.AddDate(1, 0, 0)},
		{&a.Expired, hosts, past.AddDate(-1, 0, 0), past},
		{&a.WrongName, []string{"wrong.example.org"}, now.Add(-time.Hour), now.AddDate(1, 0, 0)},
	} {
		if *l.leaf, err = sign(root, key, l.hosts, l.from, l.until); err != nil {
			return nil, fmt.Errorf("make a certificate of the lab: %w", err)
		}
	}
	return a, nil
}

func sign(root *x509.Certificate, by *ecdsa.PrivateKey, hosts []string, from, until time.Time) (Leaf, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Leaf{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return Leaf{}, err
	}
	c := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: hosts[0]}, NotBefore: from,
		NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, root, key.Public(), by)
	if err != nil {
		return Leaf{}, err
	}
	sum := sha256.Sum256(der)
	return Leaf{
		Config: &tls.Config{MinVersion: tls.VersionTLS12,
			Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		Fingerprint: hex.EncodeToString(sum[:]),
	}, nil
}
