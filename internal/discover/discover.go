// Package discover finds the POP3 or IMAP server of a mail address, for a user to look at: what the domain itself says
// (SRV records of RFC 6186, Mozilla's autoconfig), what Thunderbird's database of providers says of it, both again for
// the domain that its mail exchanger belongs to, and at last the usual names, tried. It logs in nowhere.
//
// Only what begins with TLS, or insists on it (STLS, STARTTLS), is ever proposed.
//
// What is told of the user: his domain to DNS, to the web server of the domain and to Thunderbird's; his whole address
// to https://autoconfig.DOMAIN alone, which needs it to know his login (and to where that server sends us on, if it
// writes the address into its redirect). Passwords have no part in it.
package discover

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/wire"
)

// Kind is what a server speaks.
type Kind int

const (
	POP3 Kind = iota
	IMAP
)

// A protocol is what is to be known of a Kind.
type protocol struct {
	name     string
	tls      string // URL scheme and service name (RFC 6186 §3.2, §3.3) of TLS from the first byte
	startTLS string // the same of STLS or STARTTLS
	port     int    // of tls (RFC 8314 §7)
	hosts    []string
	greeting string
	parse    func(string) (config.Endpoint, error)
}

var protocols = [...]protocol{
	POP3: {"POP3", "pop3s", "pop3", 995, []string{"pop.", "pop3.", "mail.", ""}, "+OK", config.ParseFrom},
	IMAP: {"IMAP", "imaps", "imap", 993, []string{"imap.", "mail.", ""}, "* OK", config.ParseTo},
}

func (k Kind) String() string { return protocols[k].name }

// An Address is a mail address taken apart. Make it with [ParseAddress].
type Address struct {
	Local  string // before the last @, as it was written
	Domain string // in ASCII (RFC 5891) and lower case
	whole  string
}

// What is wrong with an address, without it.
var (
	errAddress = errors.New("that is not a mail address: one looks like alice@example.org")
	errDomain  = errors.New("what stands behind the @ is not a domain such as example.org")
)

// ParseAddress reads LOCAL@DOMAIN. The error does not quote it.
func ParseAddress(s string) (Address, error) {
	s = strings.TrimSpace(s)
	at := strings.LastIndexByte(s, '@')
	if at < 1 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return Address{}, errAddress
	}
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(s[at+1:], "."))
	if err != nil || !strings.Contains(domain, ".") || net.ParseIP(domain) != nil {
		return Address{}, errDomain
	}
	return Address{s[:at], domain, s}, nil
}

// A Candidate is a server that may be the right one. Its user name is the whole address where nobody says otherwise
// (RFC 6186 §4). Auth is "" unless only OAuth 2 is said to work there: then it is "xoauth2", and the secret a token.
type Candidate struct {
	config.Endpoint
	Source string // who says so, in words

	// Unproved: it lies outside the domain of the address, and DNS, which anybody in the way can forge, is all that
	// connects the two. It is to be used only when the user has said yes to its name (RFC 6186 §6, RFC 8314 §5.1).
	Unproved bool
}

// OAuth says whether a password will not do.
func (c *Candidate) OAuth() bool { return c.Auth != "" }

// A Lookup is how the world is asked. The zero value of each field is the real one.
type Lookup struct {
	Resolver *net.Resolver                                                     // for SRV and MX
	Dial     func(ctx context.Context, network, addr string) (net.Conn, error) // for HTTPS and for trying names
	Roots    *x509.CertPool
}

// How long an answer may take. A resolver gives each of its servers five seconds; a server that does not greet in five
// is one that a user would not want to wait for either.
const (
	dnsTime   = 10 * time.Second
	webTime   = 10 * time.Second
	probeTime = 5 * time.Second
)

// most is how many candidates are given: more nobody would read.
const most = 8

// A search is one that is under way.
type search struct {
	*Lookup
	protocol
	of    Address
	fault error // of DNS, or of a server that was not trusted
}

// Find gives candidates, the best one first: who is asked later is asked only when nobody before knew one. The error
// says that there is none, and why if that is known; or it is the cause of ctx. It never holds the address, and the
// wait is less than a minute.
func (l *Lookup) Find(ctx context.Context, of Address, k Kind) ([]Candidate, error) {
	s := &search{Lookup: l, protocol: protocols[k], of: of}
	for _, ask := range []func(context.Context) ([]Candidate, error){s.domain, s.database, s.exchanger, s.probe} {
		found, err := ask(ctx)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			return nil, err
		case len(found) > 0:
			return found[:min(most, len(found))], nil
		}
	}
	err := fmt.Errorf("no %s server was found for %s", s.name, of.Domain)
	if s.fault != nil {
		err = fmt.Errorf("%w: %w", err, s.fault)
	}
	return nil, err
}

// candidate checks and completes what somebody said: host and port may be anything. A host with more in it than a name
// would be read as something else in a URL.
func (s *search) candidate(scheme, host string, port int, user, source string) (Candidate, bool) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	e, err := s.parse(scheme + "://" + url.User(user).String() + "@" + net.JoinHostPort(host, strconv.Itoa(port)))
	return Candidate{Endpoint: e, Source: source}, err == nil && e.Host == host
}

// sorted puts what is proved first, then TLS from the first byte (RFC 8314 §3), and leaves out what was there before.
func sorted(list []Candidate) []Candidate {
	slices.SortStableFunc(list, func(a, b Candidate) int {
		return cmp.Or(rank(a.Unproved)-rank(b.Unproved), rank(a.Security == wire.StartTLS)-rank(b.Security == wire.StartTLS))
	})
	var once []Candidate
	for _, c := range list {
		if !slices.ContainsFunc(once, func(o Candidate) bool {
			return o.Scheme == c.Scheme && o.Host == c.Host && o.Port == c.Port
		}) {
			once = append(once, c)
		}
	}
	return once
}

func rank(later bool) int {
	if later {
		return 1
	}
	return 0
}
