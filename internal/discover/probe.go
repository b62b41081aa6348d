package discover

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strconv"
	"strings"
	stdsync "sync"
)

// probe tries the usual names below the domain, all at once. Who shows a certificate for the name and greets as such a
// server does is one. Only TLS from the first byte is tried: a certificate is the only proof that there is.
func (s *search) probe(ctx context.Context) (found []Candidate, err error) {
	answers := make([]bool, len(s.hosts))
	var all stdsync.WaitGroup
	for i, prefix := range s.hosts {
		all.Go(func() { answers[i] = s.greets(ctx, prefix+s.of.Domain) })
	}
	all.Wait()
	for i, prefix := range s.hosts {
		host := prefix + s.of.Domain
		c, ok := s.candidate(s.tls, host, s.port, s.of.whole, "it answers at "+host)
		if ok && answers[i] {
			found = append(found, c)
		}
	}
	return found, nil
}

// greets says whether a server of the kind answers at the host.
func (s *search) greets(ctx context.Context, host string) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	dial := s.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	raw, err := dial(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(s.port)))
	if err != nil {
		return false
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	conn := tls.Client(raw, &tls.Config{ServerName: host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12})
	if err := conn.HandshakeContext(ctx); err != nil {
		return false
	}
	greeting := make([]byte, len(s.greeting))
	_, err = io.ReadFull(conn, greeting)
	return err == nil && strings.EqualFold(string(greeting), s.greeting)
}
