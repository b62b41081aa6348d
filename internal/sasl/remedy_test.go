package sasl

import (
	"errors"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/sync"
)

func TestRemedy(t *testing.T) {
	for _, c := range []struct{ host, mechanism, said, want string }{
		{"pop.example.org", "USER", "-ERR no", "check user name and password; some providers want an app password; tried with ?auth=user; --from can name another way"},
		{"pop.example.org", "XOAUTH2", "-ERR no", "not for mail; tried with ?auth=xoauth2; --from can name another way"},
		{"outlook.office365.com", "PLAIN", "NO AUTHENTICATE failed.", "Microsoft 365 takes OAuth only: pop2imap help microsoft365"},
		{"Outlook.Office365.com.", "PLAIN", "", "Microsoft 365"},
		{"notoutlook.com", "PLAIN", "", "check user name"},
		{"mail.old.example", "LOGIN", "NO LOGIN failed. (Basic authentication is disabled)", "Microsoft 365"},
		{"outlook.office365.com", "XOAUTH2", "NO", "the token may be too old, another user's, or not for mail: pop2imap help microsoft365"},
		{"pop.gmail.com", "USER", "-ERR [AUTH] Username and password not accepted.", "Gmail takes an app password or OAuth, and not the account's own password: pop2imap help gmail"},
		{"imap.googlemail.com", "OAUTHBEARER", "", "pop2imap help gmail"},
	} {
		e, ok := errors.AsType[*sync.Error](Refused(&sync.Error{Class: sync.Login, Err: errors.New("login refused"), Server: c.said}, c.host, "alice", c.mechanism, "from"))
		if !ok || !strings.Contains(e.Remedy, c.want) {
			t.Errorf("%s, %s, %q: got %v, want the remedy %q", c.host, c.mechanism, c.said, e, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		e            sync.Error
		text, remedy string
	}{
		{sync.Error{Class: sync.Login, Server: "NO"}, "cannot log in to h as alice", "check user name and password; some providers want an app password; tried with ?auth=plain; --to can name another way"},
		{sync.Error{Class: sync.Login}, "cannot log in to h as alice: why", "check user name and password; some providers want an app password; tried with ?auth=plain; --to can name another way"},
		{sync.Error{Class: sync.Temporary, Server: "NO"}, "cannot log in to h as alice: why", ""},
		{sync.Error{Class: sync.Unavailable}, "cannot log in to h as alice: why", "tried with ?auth=plain; --to can name another way"},
		{sync.Error{Class: sync.Login, Remedy: "mend it"}, "cannot log in to h as alice: why", "mend it"},
	} {
		c.e.Err = errors.New("why")
		e, ok := errors.AsType[*sync.Error](Refused(&c.e, "h", "alice", "PLAIN", "to"))
		if !ok || e.Err.Error() != c.text || e.Remedy != c.remedy || e.Class != c.e.Class || e.Server != c.e.Server {
			t.Errorf("class %d: got %+v, want %q and %q", c.e.Class, e, c.text, c.remedy)
		}
	}
}
