package discover

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	stdsync "sync"

	"golang.org/x/net/publicsuffix"
)

// configMax bounds a file of autoconfig, in octets. The largest of Thunderbird's database has less than 20,000.
const configMax = 1 << 20

// database asks Thunderbird's database of providers about the domain.
func (s *search) database(ctx context.Context) ([]Candidate, error) {
	return s.inDatabase(ctx, s.of.Domain), nil
}

func (s *search) inDatabase(ctx context.Context, domain string) []Candidate {
	return sorted(s.fetch(ctx, "https://autoconfig.thunderbird.net/v1.1/"+domain, "Thunderbird's database, of "+domain))
}

// exchanger asks about the domain that the mail exchanger belongs to: it tells with whom a domain has its mail. This is
// not the user's domain, so it is not told his address.
func (s *search) exchanger(ctx context.Context) ([]Candidate, error) {
	domains := s.exchangers(ctx)
	answers := make([][]Candidate, 2*len(domains))
	var all stdsync.WaitGroup
	for i, d := range domains {
		all.Go(func() {
			answers[2*i] = sorted(s.fetch(ctx, "https://autoconfig."+d+"/mail/config-v1.1.xml",
				"autoconfig of "+d+", the mail exchanger"))
		})
		all.Go(func() { answers[2*i+1] = s.inDatabase(ctx, d) })
	}
	all.Wait()
	for _, found := range answers {
		if len(found) > 0 {
			for i := range found {
				found[i].Unproved = !below(found[i].Host, s.of.Domain)
			}
			return found, nil
		}
	}
	return nil, nil
}

// exchangers gives the domains of the best MX: its name without the first label, and what its owner has registered.
// Above that one, as at co.uk, anybody could answer.
func (s *search) exchangers(ctx context.Context) (domains []string) {
	ctx, cancel := context.WithTimeout(ctx, dnsTime)
	defer cancel()
	records, err := s.resolver().LookupMX(ctx, s.of.Domain+".")
	s.remember(err)
	if len(records) == 0 {
		return nil
	}
	host := strings.ToLower(strings.TrimSuffix(records[0].Host, "."))
	registered, err := publicsuffix.EffectiveTLDPlusOne(host) // an error also of the null MX "." (RFC 7505)
	if err != nil {
		return nil
	}
	_, parent, _ := strings.Cut(host, ".")
	for _, d := range []string{parent, registered} {
		if below(d, registered) && d != s.of.Domain && (len(domains) == 0 || domains[0] != d) {
			domains = append(domains, d)
		}
	}
	return domains
}

// question is what autoconfig of the domain is asked.
func (s *search) question() string { return url.Values{"emailaddress": {s.of.whole}}.Encode() }

// fetch gets a file of autoconfig. What goes wrong means that nobody answers there, which is the usual case; its text
// would hold the address.
func (s *search) fetch(ctx context.Context, from, source string) []Candidate {
	ctx, cancel := context.WithTimeout(ctx, webTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil
	}
	request.Header.Set("User-Agent", "pop2imap")
	client := http.Client{CheckRedirect: redirect, Transport: &http.Transport{
		DialContext: s.Dial, TLSClientConfig: &tls.Config{RootCAs: s.Roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true, TLSHandshakeTimeout: webTime, MaxResponseHeaderBytes: 64 << 10}}
	answer, err := client.Do(request)
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, configMax+1))
	if err != nil || len(text) > configMax {
		return nil
	}
	return s.understand(text, source)
}

// redirect follows a server to another, three times and with HTTPS only. The other is not told from where we come: the
// address may stand in that URL.
func redirect(next *http.Request, before []*http.Request) error {
	next.Header.Del("Referer")
	if len(before) > 3 || next.URL.Scheme != "https" || next.URL.User != nil {
		return errors.New("a redirect that is not followed")
	}
	return nil
}

// A clientConfig is a file of autoconfig (draft-ietf-mailmaint-autoconfig). Elements that are not here are ignored.
type clientConfig struct {
	XMLName xml.Name   `xml:"clientConfig"`
	Servers []incoming `xml:"emailProvider>incomingServer"`
}

type incoming struct {
	Type   string   `xml:"type,attr"`
	Host   string   `xml:"hostname"`
	Port   string   `xml:"port"`
	Socket string   `xml:"socketType"`
	User   string   `xml:"username"`
	Mechs  []string `xml:"authentication"`
}

// placeholder is what stands for something in a file of autoconfig.
var placeholder = regexp.MustCompile(`%[A-Z]+%`)

// understand reads a file of autoconfig. encoding/xml knows no entities but the five of XML, and fetches none.
func (s *search) understand(text []byte, source string) (found []Candidate) {
	var file clientConfig
	if err := xml.Unmarshal(text, &file); err != nil {
		return nil
	}
	filled := strings.NewReplacer("%EMAILADDRESS%", s.of.whole, "%EMAILLOCALPART%", s.of.Local, "%EMAILDOMAIN%", s.of.Domain)
	fill := func(text string) string { return filled.Replace(strings.TrimSpace(text)) }
	for _, server := range file.Servers {
		scheme, ok := map[string]string{"ssl": s.tls, "starttls": s.startTLS}[strings.ToLower(fill(server.Socket))]
		if !ok || !strings.EqualFold(server.Type, s.startTLS) { // the type is called as the scheme is
			continue
		}
		port, err := strconv.ParseUint(fill(server.Port), 10, 16)
		if err != nil {
			continue
		}
		user := fill(server.User)
		if user == "" || placeholder.MatchString(user) { // it is for the user to say
			user = s.of.whole
		}
		if c, ok := s.candidate(scheme, fill(server.Host), int(port), user, source); ok {
			c.Auth = onlyOAuth(server.Mechs)
			found = append(found, c)
		}
	}
	return found
}

// onlyOAuth gives the mechanism for a server that takes no password; "": it takes one.
func onlyOAuth(mechs []string) string {
	oauth := false
	for _, m := range mechs {
		switch strings.ToLower(strings.TrimSpace(m)) {
		case "oauth2":
			oauth = true
		case "password-cleartext", "password-encrypted", "plain", "secure": // the last two are old names of the first
			return ""
		}
	}
	if oauth {
		return "xoauth2"
	}
	return ""
}
