package discover

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	stdsync "sync"
)

// probe tries the usual names below the domain, all at once. Who shows a certificate for the name and greets as such a
// server does is one. Only TLS from the first byte is tried: a certificate is the only proof that there is.
func (s *search) probe(ctx context.Context) (found []Candidate, err error) {
	answers := make([]error, len(s.hosts))
	var all stdsync.WaitGroup
	for i, prefix := range s.hosts {
		all.Go(func() { answers[i] = s.greets(ctx, prefix+s.of.Domain) })
	}
	all.Wait()
	for i, prefix := range s.hosts {
		host := prefix + s.of.Domain
		c, ok := s.candidate(s.tls, host, s.port, s.of.whole, "it answers at "+host)
		if ok && answers[i] == nil {
			found = append(found, c)
		}
		if bad, is := errors.AsType[*tls.CertificateVerificationError](answers[i]); ok && is {
			s.fault = cmp.Or(s.fault, fmt.Errorf("%s answers, and its certificate is not trusted: %w. If it is your own server, name it yourself", host, bad.Err))
		}
	}
	return found, nil
}

// errNone says that what answers is no such server.
var errNone = errors.New("it does not greet as one")

// greets says whether a server of the kind answers at the host, or why it is none.
func (s *search) greets(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	dial := s.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	raw, err := dial(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(s.port)))
	if err != nil {
		return err
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	conn := tls.Client(raw, &tls.Config{ServerName: host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12})
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	greeting := make([]byte, len(s.greeting))
	if _, err = io.ReadFull(conn, greeting); err == nil && !strings.EqualFold(string(greeting), s.greeting) {
		return errNone
	}
	return err
}
