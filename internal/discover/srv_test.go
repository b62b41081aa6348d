package discover

import (
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab/dns"
)

func TestServices(t *testing.T) {
	const by = " (SRV records of example.org)"
	for _, c := range []struct {
		name    string
		kind    Kind
		records dns.Records
		want    string
		failure string
	}{
		{"TLS from the first byte before STLS, whatever their priority", POP3, dns.Records{
			"_pop3._tcp.example.org.":  {dns.SRV(0, 1, 110, "pop.example.org.")},
			"_pop3s._tcp.example.org.": {dns.SRV(10, 1, 1995, "pop.example.org.")},
		}, "pop3s://WHOLE@pop.example.org:1995" + by + "\npop3://WHOLE@pop.example.org" + by + "\n", ""},
		{"by priority", IMAP, dns.Records{
			"_imaps._tcp.example.org.": {dns.SRV(20, 1, 993, "b.example.org."), dns.SRV(10, 1, 993, "a.example.org.")},
		}, "imaps://WHOLE@a.example.org/INBOX" + by + "\nimaps://WHOLE@b.example.org/INBOX" + by + "\n", ""},
		{"a host outside the domain is not proved, and goes last", IMAP, dns.Records{
			"_imaps._tcp.example.org.": {dns.SRV(0, 1, 993, "imap.hoster.example.")},
			"_imap._tcp.example.org.":  {dns.SRV(0, 1, 143, "imap.example.org.")},
		}, "imap://WHOLE@imap.example.org/INBOX" + by + "\nimaps://WHOLE@imap.hoster.example/INBOX" + by + " unproved\n", ""},
		{"a host that only ends in the same letters is outside", POP3, dns.Records{
			"_pop3s._tcp.example.org.": {dns.SRV(0, 1, 995, "pop.notexample.org.")},
		}, "pop3s://WHOLE@pop.notexample.org" + by + " unproved\n", ""},
		{"STLS is not offered", POP3, dns.Records{
			"_pop3._tcp.example.org.":  {dns.SRV(0, 0, 0, ".")},
			"_pop3s._tcp.example.org.": {dns.SRV(0, 1, 995, "pop.example.org.")},
		}, "pop3s://WHOLE@pop.example.org" + by + "\n", ""},
		{"nothing is offered", POP3, dns.Records{
			"_pop3._tcp.example.org.":  {dns.SRV(0, 0, 0, ".")},
			"_pop3s._tcp.example.org.": {dns.SRV(0, 0, 0, ".")},
		}, "", "example.org says in DNS that it offers no POP3"},
		{"STLS is not offered, and of TLS nothing is said", POP3, dns.Records{
			"_pop3._tcp.example.org.": {dns.SRV(0, 0, 0, ".")},
		}, "", "no POP3 server was found for example.org"},
		{"the other protocol's are of no use", IMAP, dns.Records{
			"_pop3s._tcp.example.org.": {dns.SRV(0, 1, 995, "pop.example.org.")},
		}, "", "no IMAP server was found for example.org"},
		{"a port of 0", POP3, dns.Records{
			"_pop3s._tcp.example.org.": {dns.SRV(0, 1, 0, "pop.example.org.")},
		}, "", "no POP3 server was found for example.org"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.records)
			found, err := w.find(c.kind)
			if got := printed(found); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
			if got := text(err); got != c.failure {
				t.Errorf("error %q, want %q", got, c.failure)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A user whose DNS does not work is to hear of that.
func TestServicesFail(t *testing.T) {
	w := newWorld(t, dns.Records{"_pop3s._tcp.example.org.": {}})
	found, err := w.find(POP3)
	if len(found) > 0 || err == nil || !strings.Contains(err.Error(), "no POP3 server was found for example.org: lookup ") {
		t.Errorf("%v, %v; want an error that tells of DNS", found, err)
	}
}

// Many records are not too many.
func TestServicesMany(t *testing.T) {
	many := dns.Records{}
	for i := range uint16(15) {
		many["_pop3s._tcp.example.org."] = append(many["_pop3s._tcp.example.org."], dns.SRV(i, 1, 1000+i, "pop.example.org."))
	}
	found, err := newWorld(t, many).find(POP3)
	if len(found) != most || err != nil || found[0].Port != 1000 {
		t.Errorf("%d candidates, %v; want %d, the first at port 1000", len(found), err, most)
	}
}

// Who answers is the end of it: the domain is told to nobody else.
func TestServicesEnough(t *testing.T) {
	w := newWorld(t, dns.Records{"_pop3s._tcp.example.org.": {dns.SRV(0, 1, 995, "pop.example.org.")}})
	if _, err := w.find(POP3); err != nil {
		t.Fatal(err)
	}
	slices.Sort(w.dialed)
	if got, want := strings.Join(w.dialed, " "), "autoconfig.example.org:443 example.org:443"; got != want {
		t.Errorf("dialled %s, want %s", got, want)
	}
	if got := w.names.Asked(); slices.Contains(got, "example.org.") {
		t.Errorf("asked for MX: %v", got)
	}
}

func TestParseAddress(t *testing.T) {
	for _, c := range []struct{ name, in, local, domain string }{
		{"plain", "alice@example.org", "alice", "example.org"},
		{"blanks around it", " alice@example.org\t", "alice", "example.org"},
		{"upper case", "Alice@Example.ORG", "Alice", "example.org"},
		{"an @ in quotes", `"a@b"@example.org`, `"a@b"`, "example.org"},
		{"letters beyond ASCII", "jörg@bücher.example", "jörg", "xn--bcher-kva.example"},
		{"a dot at the end", "alice@example.org.", "alice", "example.org"},
		{"no @", "example.org", "", ""},
		{"no name", "@example.org", "", ""},
		{"no domain", "alice@", "", ""},
		{"a machine", "alice@localhost", "", ""},
		{"a number of a machine", "alice@192.0.2.1", "", ""},
		{"a path behind the domain", "alice@example.org/x", "", ""},
		{"a port behind the domain", "alice@example.org:80", "", ""},
		{"a line end", "alice\n@example.org", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := ParseAddress(c.in)
			if a.Local != c.local || a.Domain != c.domain || (err == nil) != (c.domain != "") {
				t.Errorf("%q at %q, %v; want %q at %q", a.Local, a.Domain, err, c.local, c.domain)
			}
			if err != nil && !slices.Contains([]string{errAddress.Error(), errDomain.Error()}, err.Error()) {
				t.Errorf("the error may quote the address: %v", err)
			}
		})
	}
}
