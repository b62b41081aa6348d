package wire

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/pop2imap/pop2imap/sync"
)

// StartTLS begins TLS on a connection that is still in cleartext. What has been read ahead was sent before the
// handshake, by whom nobody knows, and is an error (the response injection of nostarttls.secvuln.info).
func (c *Conn) StartTLS(ctx context.Context) error {
	if n := c.r.Buffered(); n > 0 {
		c.Close()
		return &sync.Error{Class: sync.Protocol,
			Err: fmt.Errorf("%s sent %d octets ahead of the TLS handshake: someone may be in the way", c.server.Host, n)}
	}
	limited, cancel := context.WithTimeout(ctx, c.server.Timeout)
	defer cancel()
	t := tls.Client(c.raw, c.server.tlsConfig())
	if err := t.HandshakeContext(limited); err != nil {
		c.Close()
		return c.handshakeError(ctx, err)
	}
	t.SetDeadline(time.Time{})
	c.raw, c.secure = t, true
	if c.server.Secured != nil {
		c.server.Secured(t.ConnectionState())
	}
	return nil
}

func (s *Server) tlsConfig() *tls.Config {
	conf := &tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12} // RFC 8314 §4.1
	if s.Fingerprint != nil {
		conf.InsecureSkipVerify = true // the pin replaces the chain: exactly one certificate will do
		conf.VerifyConnection = func(cs tls.ConnectionState) error {
			sum := sha256.Sum256(cs.PeerCertificates[0].Raw)
			if !bytes.Equal(sum[:], s.Fingerprint) {
				return &pinError{got: sum}
			}
			return nil
		}
	}
	return conf
}

// An Untrusted is a certificate that nobody vouches for whom this machine trusts.
type Untrusted struct {
	Sum [32]byte // SHA-256 of it
	err error
}

func (u *Untrusted) Error() string { return u.err.Error() }
func (u *Untrusted) Unwrap() error { return u.err }

type pinError struct{ got [32]byte }

func (e *pinError) Error() string { return "the certificate is not the pinned one" }

func (c *Conn) handshakeError(ctx context.Context, err error) error {
	s := &c.server
	e := &sync.Error{Class: sync.Unavailable, Err: fmt.Errorf("TLS handshake with %s: %w", s.Addr(), err)}
	var (
		pin    *pinError
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
	)
	switch {
	case ctx.Err() != nil:
		e.Class, e.Err = sync.Stopped, fmt.Errorf("TLS handshake with %s: %w", s.Addr(), context.Cause(ctx))
	case errors.As(err, &pin):
		e.Err = fmt.Errorf("the certificate of %s is not the pinned one: it has %s", s.Host, printed(pin.got))
		e.Remedy = fmt.Sprintf("if the server has a new certificate and you know it: --%s-tls-fingerprint %s",
			s.Side, printed(pin.got))
	case errors.As(err, &cert):
		sum := sha256.Sum256(cert.UnverifiedCertificates[0].Raw)
		got := printed(sum)
		e.Err = &Untrusted{sum, fmt.Errorf("the certificate of %s is not trusted: %s; its fingerprint is %s", s.Host, reason(cert.Err), got)}
		e.Remedy = fmt.Sprintf("if it is your own server, --%s-tls-ca FILE names its authority; "+
			"if you know this very certificate, pin it: --%s-tls-fingerprint %s", s.Side, s.Side, got)
		if x509Error, ok := errors.AsType[x509.CertificateInvalidError](cert.Err); ok && x509Error.Reason == x509.Expired {
			e.Remedy = fmt.Sprintf("this machine's clock says %s: if that is right, the server needs a new certificate; %s",
				time.Now().Format(time.DateOnly), e.Remedy)
		}
	case errors.As(err, &record):
		e.Err = fmt.Errorf("%s does not speak TLS on port %d", s.Host, s.Port)
		if s.Security == ImplicitTLS {
			e.Remedy = "the port may be one for STARTTLS: use pop3:// or imap:// in its URL"
		}
	case broken(err):
		return c.explain("TLS handshake with", err)
	default:
		e.Remedy = "the server may know only TLS versions that are no longer safe (1.2 is the least)"
	}
	return e
}

// broken says whether a handshake failed for want of a connection. crypto/tls makes a net.OpError of alerts too.
func broken(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Op == "read" || op.Op == "write"
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded)
}

// reason puts the commonest causes in words that a user knows. Names in a certificate may hold anything.
func reason(err error) string {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return fmt.Sprintf("it is valid from %s to %s only", invalid.Cert.NotBefore.Format(time.DateOnly),
			invalid.Cert.NotAfter.Format(time.DateOnly))
	}
	return sync.Clean(err.Error())
}

// printed gives a fingerprint as the options take it.
func printed(sum [32]byte) string { return "sha256:" + hex.EncodeToString(sum[:]) }
