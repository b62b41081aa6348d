package discover

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab/dns"
)

// server is a file of autoconfig with one server.
func server(kind, host, port, socket, user, auth string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><clientConfig version="1.1"><emailProvider id="example.org">
<domain>example.org</domain><incomingServer type="` + kind + `"> <hostname>` + host + `</hostname><port> ` + port + `
</port><socketType>` + socket + `</socketType><username>` + user + `</username>` + auth + `</incomingServer>
<outgoingServer type="smtp"><hostname>smtp.example.org</hostname></outgoingServer></emailProvider></clientConfig>`
}

const (
	byPassword = `<authentication>password-cleartext</authentication>`
	byOAuth    = `<authentication>OAuth2</authentication>`
)

func TestAutoconfig(t *testing.T) {
	const by = " (autoconfig of example.org)\n"
	nested := strings.Repeat("<a>", 200_000)
	for _, c := range []struct {
		name, file string
		kind       Kind
		want       string
	}{
		{"TLS, the whole address", server("pop3", "pop.hoster.example", "995", "SSL", "%EMAILADDRESS%", byPassword), POP3,
			"pop3s://WHOLE@pop.hoster.example" + by},
		{"STARTTLS, the local part", server("imap", "imap.example.org", "143", "STARTTLS", "%EMAILLOCALPART%", byPassword), IMAP,
			"imap://alice@imap.example.org/INBOX" + by},
		{"a domain in host and user", server("pop3", "pop.%EMAILDOMAIN%", "995", "SSL", "%EMAILDOMAIN%_%EMAILLOCALPART%", byPassword), POP3,
			"pop3s://example.org_alice@pop.example.org" + by},
		{"a user name that only the user knows", server("pop3", "pop.example.org", "995", "SSL", "%CUSTOMER%", byPassword), POP3,
			"pop3s://WHOLE@pop.example.org" + by},
		{"no user name", server("pop3", "pop.example.org", "995", "SSL", "", byPassword), POP3, "pop3s://WHOLE@pop.example.org" + by},
		{"a user name with signs of a URL", server("pop3", "pop.example.org", "995", "SSL", "a:b/c?d#e%", byPassword), POP3,
			"pop3s://a%3Ab%2Fc%3Fd%23e%25@pop.example.org" + by},
		{"OAuth 2 only", server("pop3", "pop.example.org", "995", "SSL", "", byOAuth), POP3,
			"pop3s://WHOLE@pop.example.org?auth=xoauth2" + by},
		{"OAuth 2 or a password", server("pop3", "pop.example.org", "995", "SSL", "", byOAuth+byPassword), POP3,
			"pop3s://WHOLE@pop.example.org" + by},
		{"cleartext", server("pop3", "pop.example.org", "110", "plain", "", byPassword), POP3, ""},
		{"no word on TLS", server("pop3", "pop.example.org", "110", "", "", byPassword), POP3, ""},
		{"the other protocol", server("imap", "imap.example.org", "993", "SSL", "", byPassword), POP3, ""},
		{"a port that is none", server("pop3", "pop.example.org", "70000", "SSL", "", byPassword), POP3, ""},
		{"a host that is none", server("pop3", "pop.example.org/x@y", "995", "SSL", "", byPassword), POP3, ""},
		{"a user in the host", server("pop3", "%EMAILADDRESS%", "995", "SSL", "", byPassword), POP3, ""},
		{"a folder behind the host", server("imap", "imap.example.org/Trash", "993", "SSL", "", byPassword), IMAP, ""},
		{"an option behind the host", server("pop3", "pop.example.org?auth=plain", "995", "SSL", "", byPassword), POP3, ""},
		{"a host in upper case, with a dot", server("pop3", "POP.Example.org.", "995", "SSL", "", byPassword), POP3,
			"pop3s://WHOLE@pop.example.org" + by},
		{"a host with a command for the terminal", server("pop3", "pop.example.org&#x202e;", "995", "SSL", "", byPassword), POP3, ""},
		{"an entity of its own", `<!DOCTYPE x [<!ENTITY h "pop.example.org">]>` + server("pop3", "&h;", "995", "SSL", "", byPassword), POP3, ""},
		{"an entity in a file", `<!DOCTYPE x [<!ENTITY h SYSTEM "file:///etc/hostname">]>` + server("pop3", "&h;", "995", "SSL", "", byPassword),
			POP3, ""},
		{"more than a file has", server("pop3", "pop.example.org", "995", "SSL", "", byPassword) + strings.Repeat(" ", configMax), POP3, ""},
		{"tags without end", nested, POP3, ""},
		{"a web page", "<!doctype html><title>Welcome</title><p>", POP3, ""},
		{"nothing", "", POP3, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil, "autoconfig.example.org")
			w.file(c.file, "autoconfig.example.org")
			found, err := w.find(c.kind)
			if got := printed(found); got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got\n%s(%v)\nwant\n%s", got, err, c.want)
			}
		})
	}
}

// All that can answer do: the first that knows one is believed, and nobody behind it is asked.
func TestWhoIsAsked(t *testing.T) {
	const host, thunderbird = "pop.example.org", "autoconfig.thunderbird.net"
	known := server("pop3", host, "995", "SSL", "", byPassword)
	mx := dns.Records{"example.org.": {dns.MX(20, "backup.elsewhere.example."), dns.MX(10, "mx1.mail.hoster.example.")}}
	for _, c := range []struct {
		name  string
		names dns.Records
		at    string            // the HTTPS server
		paths map[string]string // that it knows
		want  string
	}{
		{"autoconfig of the domain", nil, "autoconfig.example.org",
			map[string]string{"/mail/config-v1.1.xml": known}, "autoconfig of example.org"},
		{"well-known", nil, "example.org",
			map[string]string{"/.well-known/autoconfig/mail/config-v1.1.xml": known}, "autoconfig of example.org"},
		{"Thunderbird's database", nil, thunderbird,
			map[string]string{"/v1.1/example.org": known}, "Thunderbird's database, of example.org"},
		{"autoconfig of the mail exchanger", mx, "autoconfig.mail.hoster.example",
			map[string]string{"/mail/config-v1.1.xml": known}, "autoconfig of mail.hoster.example, the mail exchanger"},
		{"Thunderbird's database, of the mail exchanger's owner", mx, thunderbird,
			map[string]string{"/v1.1/hoster.example": known}, "Thunderbird's database, of hoster.example"},
		{"a mail exchanger right below a public suffix", dns.Records{"example.org.": {dns.MX(10, "hoster.co.uk.")}}, thunderbird,
			map[string]string{"/v1.1/co.uk": "", "/v1.1/hoster.co.uk": known}, "Thunderbird's database, of hoster.co.uk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.names, c.at)
			w.web(func(rw http.ResponseWriter, r *http.Request) {
				text, ok := c.paths[r.URL.Path]
				if ok && text == "" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				if !ok {
					http.NotFound(rw, r)
				}
				io.WriteString(rw, text)
			}, c.at)
			found, err := w.find(POP3)
			if err != nil || len(found) != 1 || found[0].Source != c.want {
				t.Fatalf("%s(%v), want one from %s", printed(found), err, c.want)
			}
			for _, r := range w.seen {
				own := r.Host == "autoconfig.example.org"
				if told := strings.Contains(r.URL.String(), "alice"); told != own {
					t.Errorf("the address was told to %s: %v, want %v", r.Host, told, own)
				}
				if r.Header.Get("Cookie")+r.Header.Get("Authorization")+r.Header.Get("Referer") != "" {
					t.Errorf("%s was told too much: %v", r.Host, r.Header)
				}
			}
		})
	}
}

// A null MX (RFC 7505), an MX of the domain's own, and one that is a public suffix lead nowhere.
func TestExchangersOfNoUse(t *testing.T) {
	for name, host := range map[string]string{"null MX": ".", "the domain's own": "mx.example.org.", "a public suffix": "co.uk."} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dns.Records{"example.org.": {dns.MX(10, host)}})
			s := &search{Lookup: w.lookup(), of: Address{Domain: "example.org"}}
			if got := s.exchangers(t.Context()); len(got) > 0 {
				t.Errorf("asks %v", got)
			}
		})
	}
}

// What a mail exchanger leads to rests on DNS alone.
func TestExchangerIsUnproved(t *testing.T) {
	w := newWorld(t, dns.Records{"example.org.": {dns.MX(10, "mx.evil.example.")}}, "autoconfig.evil.example")
	w.file(server("pop3", "pop.evil.example", "995", "SSL", "", byPassword), "autoconfig.evil.example")
	found, err := w.find(POP3)
	if err != nil || len(found) != 1 || !found[0].Unproved {
		t.Errorf("%s(%v), want one that is unproved", printed(found), err)
	}
}

func TestRedirects(t *testing.T) {
	for _, c := range []struct {
		name, to string
		follows  bool
	}{
		{"to another host with HTTPS", "https://config.hoster.example/x.xml", true},
		{"to HTTP", "http://config.hoster.example/x.xml", false},
		{"with a login", "https://me:word@config.hoster.example/x.xml", false},
		{"to itself", "https://autoconfig.example.org/again", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil, "autoconfig.example.org", "config.hoster.example")
			w.web(func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, c.to, http.StatusFound) }, "autoconfig.example.org")
			second := func(rw http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Referer") != "" {
					t.Errorf("the second server is told %s", r.Header.Get("Referer"))
				}
				io.WriteString(rw, server("pop3", "pop.hoster.example", "995", "SSL", "", byPassword))
			}
			w.web(second, "config.hoster.example")
			plain := httptest.NewServer(http.HandlerFunc(second))
			defer plain.Close()
			w.places["config.hoster.example:80"] = plain.Listener.Addr().String()
			found, err := w.find(POP3)
			if (len(found) == 1) != c.follows {
				t.Errorf("%s(%v), want it followed: %v", printed(found), err, c.follows)
			}
			if len(w.seen) > 5 {
				t.Errorf("%d requests", len(w.seen))
			}
		})
	}
}

// A certificate that is not trusted ends the matter, and an error never holds the address.
func TestUntrusted(t *testing.T) {
	w := newWorld(t, nil) // no certificate for the host
	w.file(server("pop3", "pop.example.org", "995", "SSL", "", byPassword), "autoconfig.example.org")
	found, err := w.find(POP3)
	if len(found) > 0 || err == nil || strings.Contains(err.Error(), "alice") {
		t.Errorf("%s(%v), want an error without the address", printed(found), err)
	}
}

// A user who has waited enough is freed.
func TestCancelled(t *testing.T) {
	w := newWorld(t, nil, "autoconfig.example.org")
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	w.web(func(_ http.ResponseWriter, r *http.Request) {
		cancel(enough)
		<-r.Context().Done()
	}, "autoconfig.example.org")
	a, _ := ParseAddress("alice@example.org")
	if found, err := w.lookup().Find(ctx, a, POP3); !errors.Is(err, enough) {
		t.Errorf("%s(%v), want %v", printed(found), err, enough)
	}
}

func FuzzUnderstand(f *testing.F) {
	f.Add([]byte(server("pop3", "pop.example.org", "995", "SSL", "%EMAILADDRESS%", byPassword)))
	f.Add([]byte(server("pop3", "pop.example.org", "110", "STARTTLS", "x", byOAuth)))
	f.Add([]byte(server("pop3", "pop.example.org", "110", "plain", "x", "")))
	s := &search{Lookup: new(Lookup), protocol: protocols[POP3], of: Address{"alice", "example.org", "alice@example.org"}}
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, c := range s.understand(file, "") {
			if e, err := s.parse(c.String()); err != nil || e != c.Endpoint {
				t.Errorf("%q is not read back: %+v, %v", c.String(), e, err)
			}
			if c.Scheme != "pop3s" && c.Scheme != "pop3" {
				t.Errorf("proposes %s", c.Scheme)
			}
		}
	})
}
