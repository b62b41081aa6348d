package config

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

func TestEndpoints(t *testing.T) {
	for _, c := range []struct {
		url  string
		want Endpoint
	}{
		{"pop3s://alice@pop.example.org", Endpoint{"pop3s", wire.ImplicitTLS, "alice", "pop.example.org", 995, "", ""}},
		{"POP3://alice@POP.example.org:1110/", Endpoint{"pop3", wire.StartTLS, "alice", "pop.example.org", 1110, "", ""}},
		{"pop3+insecure://alice@[::1]:110", Endpoint{"pop3+insecure", wire.Cleartext, "alice", "::1", 110, "", ""}},
		{"pop3s://me@old.example@pop.old.example", Endpoint{"pop3s", wire.ImplicitTLS, "me@old.example", "pop.old.example", 995, "", ""}},
		{"pop3s://me%40old.example@pop.old.example?auth=APOP", Endpoint{"pop3s", wire.ImplicitTLS, "me@old.example", "pop.old.example", 995, "", "apop"}},
		{"imaps://a@h", Endpoint{"imaps", wire.ImplicitTLS, "a", "h", 993, "INBOX", ""}},
		{"imaps://a@h/inbox/Old", Endpoint{"imaps", wire.ImplicitTLS, "a", "h", 993, "INBOX/Old", ""}},
		{"imap://a@h:1143/M%C3%BCll%20%25/2020/?auth=xoauth2", Endpoint{"imap", wire.StartTLS, "a", "h", 1143, "Müll %/2020", "xoauth2"}},
		{"imap+insecure://a@127.0.0.1/Äpfel", Endpoint{"imap+insecure", wire.Cleartext, "a", "127.0.0.1", 143, "Äpfel", ""}},
	} {
		parse := ParseTo
		if strings.HasPrefix(strings.ToLower(c.url), "pop") {
			parse = ParseFrom
		}
		got, err := parse(c.url)
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v", c.url, got, err)
		}
		if again, err := parse(got.String()); err != nil || again != got {
			t.Errorf("%s: %s gives %+v, %v", c.url, got, again, err)
		}
	}
}

func TestBadEndpoints(t *testing.T) {
	for url, want := range map[string]string{
		"":                           "must begin with one of",
		"imaps://a@h":                "must begin with one of",
		"pop3s:/a@h":                 "must begin with one of",
		"pop3s://h":                  "the user is missing",
		"pop3s://@h":                 "the user is missing",
		"pop3s://a@":                 "the host is missing",
		"pop3s://a@h:0":              "not a port",
		"pop3s://a@h:70000":          "not a port",
		"pop3s://a@müll.example":     "xn--",
		"pop3s://a@h h":              "not a host name",
		"pop3s://a:hunter2@h":        "a password must not stand in the URL",
		"pop3s://a%zz@h":             "two hex digits",
		"pop3s://a%0d%0aDELE%201@h":  "control character",
		"pop3s://a@h/Folder":         "a maildrop has no folders",
		"pop3s://a@h?auth=rot13":     "can be one of plain",
		"pop3s://a@h?user=b":         "there is only ?auth=",
		"pop3s://a@h?auth=plain&x=y": "can be one of plain",
	} {
		if _, err := ParseFrom(url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", url, err, want)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the password is in %v", url, err)
		}
	}
	for url, want := range map[string]string{
		"imaps://a@h/%ff":       "not UTF-8",
		"imaps://a@h/a%0ab":     "control character",
		"imaps://a@h/a//b":      "level without a name",
		"imaps://a@h/%":         "two hex digits",
		"imaps://a@h?auth=apop": "can be one of",
	} {
		if _, err := ParseTo(url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", url, err, want)
		}
	}
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		flag       pflag.Value
		text, want string
	}{
		{new(Size), "500", "500"}, {new(Size), "25M", "26214400"}, {new(Size), "1.5 GiB", "1610612736"}, {new(Size), "2kb", "2048"},
		{new(Size), "0", "error"}, {new(Size), "-1", "error"}, {new(Size), "much", "error"}, {new(Size), "9e99", "error"}, {new(Size), "nan", "error"}, {new(Size), "", "error"},
		{new(Age), "12h", "12h"}, {new(Age), "30d", "30d"}, {new(Age), "2w", "14d"}, {new(Age), "1y", "1y"},
		{new(Age), "30", "error"}, {new(Age), "d", "error"}, {new(Age), "0d", "error"}, {new(Age), "4000000000y", "error"}, {new(Age), "", "error"},
		{new(Span), "90m", "1h30m0s"}, {new(Span), "6h", "6h"}, {new(Span), "120m", "2h"}, {new(Span), "1h30m", "1h30m0s"}, {new(Span), "2d", "2d"}, {new(Span), "1w", "7d"},
		{new(Span), "0", "0s"}, {new(Span), "-1h", "error"}, {new(Span), "6", "error"}, {new(Span), "", "error"}, {new(Span), "soon", "error"},
		{new(Date), "2020-01-31T12:00:00+01:00", "2020-01-31T12:00:00+01:00"}, {new(Date), "31.1.2020", "error"}, {new(Date), "2020-02-30", "error"},
		{new(Mode), "seen", "seen"}, {new(Mode), "Seen", "error"},
		{new(LogFormat), "json", "json"}, {new(LogFormat), "text", "text"}, {new(LogFormat), "", "error"}, {new(LogFormat), "JSON", "error"},
		{new(Ping), "https://h/p?q=1", "https://h/p?q=1"}, {new(Ping), "http://u:p@[::1]:80", "http://u:p@[::1]:80"}, {new(Ping), "", ""},
		{new(Ping), "h/p", "error"}, {new(Ping), "https:///p", "error"}, {new(Ping), "https://:80/p", "error"}, {new(Ping), "file://h/p", "error"},
		{new(Rate), "500K/s", "512000"}, {new(Rate), "2M", "2097152"}, {new(Rate), "0/s", "error"}, {new(Rate), "/s", "error"},
		{new(Level), "off", "off"}, {new(Level), "size", "size"}, {new(Level), "digest", "digest"}, {new(Level), "", "error"}, {new(Level), "all", "error"},
		{new(Deletion), "never", "never"}, {new(Deletion), "verified", "verified"}, {new(Deletion), "14d", "14d"},
		{new(Deletion), "0d", "error"}, {new(Deletion), "always", "error"}, {new(Deletion), "", "error"},
		{new(Limit), "500", "500"}, {new(Limit), "10%", "10%"}, {new(Limit), "100%", "100%"}, {new(Limit), "101%", "error"},
		{new(Limit), "0", "error"}, {new(Limit), "0%", "error"}, {new(Limit), "-1", "error"}, {new(Limit), "%", "error"}, {new(Limit), "9999999999", "error"}, {new(Limit), "", "error"},
		{new(Fingerprint), "SHA256:" + strings.Repeat("AB:", 31) + "AB", "sha256:" + strings.Repeat("ab", 32)},
		{new(Fingerprint), strings.Repeat("ab", 32), "error"}, {new(Fingerprint), "sha256:ab", "error"},
	} {
		got := "error"
		if err := c.flag.Set(c.text); err == nil {
			got = c.flag.String()
		}
		if got != c.want {
			t.Errorf("%T of %q: got %s, want %s", c.flag, c.text, got, c.want)
		}
		if got == "error" {
			continue
		}
		if err := c.flag.Set(got); err != nil || c.flag.String() != got {
			t.Errorf("%T: %q again gives %q, %v", c.flag, got, c.flag.String(), err)
		}
	}
}

func TestUntilHasTheWholeDay(t *testing.T) {
	var d Date
	if err := d.Set("2020-01-31"); err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2020, 2, 1, 0, 0, 0, 0, time.Local); !d.End().Equal(want) {
		t.Errorf("got %v, want %v", d.End(), want)
	}
}

// job parses a command line, with these variables in the environment.
func job(args []string, env map[string]string) (*Job, error) {
	var j Job
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	j.Register(f)
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if _, err := Hear(f, nil, func(name string) string { return env[name] }); err != nil {
		return nil, err
	}
	return &j, j.Check()
}

func TestFlagsGoOverTheEnvironment(t *testing.T) {
	j, err := job([]string{"--from", "pop3s://a@h", "--to", "imaps://b@i/X", "--settle", "1s"}, map[string]string{
		"POP2IMAP_SETTLE": "2s", "POP2IMAP_FOLDER": "inbox", "POP2IMAP_NO_DEDUP": "true", "POP2IMAP_SEEN_BEFORE": "1d"})
	if err != nil {
		t.Fatal(err)
	}
	if j.Settle != time.Second || j.Folder != "INBOX" || !j.NoDedup || time.Duration(j.SeenBefore) != 24*time.Hour {
		t.Errorf("got %+v", j)
	}
}

func TestStateIsInTheHome(t *testing.T) {
	r := Run{Jobs: 1}
	err := r.Check(func(name string) string { return map[string]string{"HOME": "/home/a"}[name] })
	if want := "/home/a/.local/state/pop2imap/state.db"; err != nil || r.State != want {
		t.Errorf("state %s, %v, want %s", r.State, err, want)
	}
}

func TestDeletion(t *testing.T) {
	two := []string{"--from", "pop3s://a@h", "--to", "imaps://b@i"}
	env := map[string]string{"POP2IMAP_DELETE": "14d"}
	j, err := job(append(two, "--max-delete", "10%"), env)
	if err != nil {
		t.Fatal(err)
	}
	if want := (sync.Deletion{On: true, Age: 14 * 24 * time.Hour, Percent: 10}); j.Deletion() != want {
		t.Errorf("got %+v, want %+v", j.Deletion(), want)
	}
	if sync.Level(j.Verify) != sync.BySize || j.Patience != sync.DefaultPatience {
		t.Errorf("level %s, patience %s", &j.Verify, j.Patience)
	}
	if _, err := job(append(two, "--verify", "off"), env); err == nil || !strings.Contains(err.Error(), "needs proof") {
		t.Errorf("deletion without proof: %v", err)
	}
	if _, err := job(append(two, "--verify", "off", "--delete", "never"), env); err != nil {
		t.Errorf("no proof and no deletion: %v", err)
	}
	if _, err := job(append(two, "--patience", "-1s"), env); err == nil {
		t.Error("patience of less than nothing was taken")
	}
}

func TestKeyStaysWhenOnlyTheWayChanges(t *testing.T) {
	a, err1 := job([]string{"--from", "pop3s://a@H", "--to", "imaps://b@i?auth=plain"}, nil)
	b, err2 := job([]string{"--from", "pop3://a@h:110?auth=apop", "--to", "imap://b@i/Inbox"}, nil)
	c, err3 := job([]string{"--from", "pop3s://a@h:1995", "--to", "imaps://b@i/Other"}, nil)
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	if a.Key() != b.Key() || a.Key().From == c.Key().From || a.Key().To == c.Key().To {
		t.Errorf("keys %v, %v, %v", a.Key(), b.Key(), c.Key())
	}
}
