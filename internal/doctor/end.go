package doctor

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// soon is how many days before its end a certificate is told of: servers that renew theirs by themselves do so a month
// before.
const soon = 14

// reach looks for a host and connects to it. It gives the time of a round trip, which is what TCP needs to connect (RFC 9293
// §3.5).
func (x *examination) reach(ctx context.Context, e *End) (trip time.Duration, ok bool) {
	side, host := e.Server.Side, e.Server.Host
	addresses, err := x.Lookup(ctx, host)
	if err == nil && len(addresses) == 0 {
		err = errors.New("no addresses")
	}
	if err != nil {
		words := sync.Clean(err.Error())
		if dns, ok := errors.AsType[*net.DNSError](err); ok {
			words = dns.Err
		}
		x.fail("dns", side, &sync.Error{Class: sync.Temporary, Err: fmt.Errorf("cannot find %s: %s", host, words),
			Remedy: fmt.Sprintf("check the host name in --%s, and that this machine has a network", side)})
		return 0, false
	}
	var names []string
	for _, a := range addresses {
		names = append(names, a.String())
	}
	if net.ParseIP(host) == nil {
		x.ok("dns", side, "%s is %s", host, strings.Join(names, ", "))
	}
	for _, name := range names {
		bare := e.Server
		bare.Host, bare.Security = name, wire.Cleartext
		began := time.Now()
		var c *wire.Conn
		if c, err = wire.Dial(ctx, bare); err == nil {
			trip = time.Since(began)
			c.Close()
			x.ok("connect", side, "port %d answers in %s", bare.Port, rounded(trip))
			return trip, true
		}
	}
	x.fail("connect", side, err)
	return 0, false
}

// dial logs in, by what it is given, and says what came of TLS and of the login.
func (x *examination) dial(ctx context.Context, e *End, in func(wire.Server) error) bool {
	server := e.Server
	var shaken *tls.ConnectionState
	server.Secured = func(cs tls.ConnectionState) { shaken = &cs }
	err := in(server)
	if shaken != nil {
		x.lookAtTLS(&server, shaken)
	}
	switch {
	case server.Security == wire.Cleartext:
		x.warn("tls", server.Side, fmt.Sprintf("if the server knows TLS, take it: --%s without \"+insecure\"", server.Side),
			"password and mail go in cleartext, as the URL asks for")
	case err != nil && shaken == nil:
		x.fail("tls", server.Side, err)
		return false
	}
	if err != nil {
		x.fail("login", server.Side, err)
		return false
	}
	x.ok("login", server.Side, "%s is let in", e.User)
	return true
}

// lookAtTLS says what protects the line, how long yet, and how to pin the certificate.
func (x *examination) lookAtTLS(s *wire.Server, cs *tls.ConnectionState) {
	cert := cs.PeerCertificates[0]
	sum := sha256.Sum256(cert.Raw)
	pin := fmt.Sprintf("--%s-tls-fingerprint sha256:%s", s.Side, hex.EncodeToString(sum[:]))
	until := cert.NotAfter.Format(time.DateOnly)
	days := int(time.Until(cert.NotAfter).Hours() / 24)
	version := tls.VersionName(cs.Version)
	switch {
	case time.Now().After(cert.NotAfter): // it is pinned
		x.warn("tls", s.Side, "have the server's certificate renewed, and pin the new one",
			"%s; the certificate ended on %s, and is trusted only because it is pinned: %s", version, until, pin)
	case days < soon:
		x.warn("tls", s.Side, "whoever runs the server has to renew it by then, or no run trusts it; a pinned one is to be pinned anew",
			"%s; the certificate ends in %s, on %s; %s pins it", version, units.Plural(days, "day"), until, pin)
	default:
		x.ok("tls", s.Side, "%s; the certificate is good for %s, until %s; %s pins it", version, units.Plural(days, "day"), until, pin)
	}
}

// unprepared says why nobody can log in. What TLS is like can be seen without a password if it comes first.
func (x *examination) unprepared(ctx context.Context, e *End) {
	if e.Server.Host == "" {
		x.fail("config", e.Server.Side, e.Err)
		return
	}
	x.fail("secret", e.Server.Side, e.Err)
	if e.Server.Security != wire.ImplicitTLS {
		return
	}
	server := e.Server
	server.Secured = func(cs tls.ConnectionState) { x.lookAtTLS(&server, &cs) }
	c, err := wire.Dial(ctx, server)
	if err != nil {
		x.fail("tls", server.Side, err)
		return
	}
	c.Close()
}

// abilities says what a server can do, and what of it only after or only before the login. What it cannot do and a run would
// miss is told by the checks that follow.
func (x *examination) abilities(side string, before, after []string) {
	text := sync.Clean(strings.Join(after, ", "))
	missing := func(all, of []string) string {
		rest := slices.DeleteFunc(slices.Clone(all), func(a string) bool { return slices.Contains(of, a) })
		return sync.Clean(strings.Join(rest, ", "))
	}
	if more := missing(after, before); more != "" {
		text += "; of these only after the login: " + more
	}
	if less := missing(before, after); less != "" {
		text += "; only before it: " + less
	}
	x.findings = append(x.findings, Finding{Check: "abilities", End: side, Text: text, Detail: true})
}
