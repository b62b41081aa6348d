package discover

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	stdsync "sync"
)

// domain asks the domain itself, in DNS and over HTTPS. What autoconfig says goes first: it knows the user's login, and
// the certificate of the web server proves it. Both are asked at the same time.
func (s *search) domain(ctx context.Context) ([]Candidate, error) {
	d := s.of.Domain
	var (
		all                    stdsync.WaitGroup
		auto, wellKnown, byDNS []Candidate
		denied                 bool
	)
	all.Go(func() {
		auto = s.fetch(ctx, "https://autoconfig."+d+"/mail/config-v1.1.xml?"+s.question(), "autoconfig of "+d)
	})
	all.Go(func() {
		wellKnown = s.fetch(ctx, "https://"+d+"/.well-known/autoconfig/mail/config-v1.1.xml", "autoconfig of "+d)
	})
	all.Go(func() { byDNS, denied = s.services(ctx) })
	all.Wait()
	found := sorted(append(append(auto, wellKnown...), byDNS...))
	if len(found) == 0 && denied {
		return nil, fmt.Errorf("%s says in DNS that it offers no %s", d, s.name)
	}
	return found, nil
}

// services asks for the SRV records (RFC 6186 §3). denied: each of the two services is said not to be offered, by the
// target "." (RFC 2782).
func (s *search) services(ctx context.Context) (found []Candidate, denied bool) {
	ctx, cancel := context.WithTimeout(ctx, dnsTime)
	defer cancel()
	no := 0
	for _, service := range []string{s.tls, s.startTLS} {
		// With the dot at the end the name is not looked for below this machine's own domain.
		_, records, err := s.resolver().LookupSRV(ctx, service, "tcp", s.of.Domain+".")
		s.remember(err)
		for _, r := range records { // by priority, and by chance by weight (RFC 2782)
			if r.Target == "." {
				no++
				break
			}
			c, ok := s.candidate(service, r.Target, int(r.Port), s.of.whole, "SRV records of "+s.of.Domain)
			if ok {
				c.Unproved = !below(c.Host, s.of.Domain)
				found = append(found, c)
			}
		}
	}
	return found, no == 2
}

// below says whether a host is in a domain.
func below(host, domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) }

func (s *search) resolver() *net.Resolver {
	if s.Resolver == nil {
		return net.DefaultResolver
	}
	return s.Resolver
}

// remember keeps the first fault of DNS. That there is no such record is none.
func (s *search) remember(err error) {
	dns, ok := errors.AsType[*net.DNSError](err)
	if ok && !dns.IsNotFound && s.fault == nil {
		s.fault = err
	}
}
