package sasl

import (
	"strings"
	"testing"
)

func TestRemedy(t *testing.T) {
	for _, c := range []struct{ host, mechanism, said, want string }{
		{"pop.example.org", "USER", "-ERR no", "check user name and password; some providers want an app password; tried user, ?auth=… in --from"},
		{"pop.example.org", "XOAUTH2", "-ERR no", "not for mail; tried xoauth2, ?auth=… in --from"},
		{"outlook.office365.com", "PLAIN", "NO AUTHENTICATE failed.", "Microsoft 365 takes OAuth only: pop2imap help microsoft365"},
		{"Outlook.Office365.com.", "PLAIN", "", "Microsoft 365"},
		{"notoutlook.com", "PLAIN", "", "check user name"},
		{"mail.old.example", "LOGIN", "NO LOGIN failed. (Basic authentication is disabled)", "Microsoft 365"},
		{"outlook.office365.com", "XOAUTH2", "NO", "the token may be too old, another user's, or not for mail: pop2imap help microsoft365"},
		{"pop.gmail.com", "USER", "-ERR [AUTH] Username and password not accepted.", "Gmail takes an app password or OAuth, and not the account's own password: pop2imap help gmail"},
		{"imap.googlemail.com", "OAUTHBEARER", "", "pop2imap help gmail"},
	} {
		if got := Remedy(c.host, c.mechanism, "from", c.said); !strings.Contains(got, c.want) {
			t.Errorf("%s, %s, %q: got %q, want %q", c.host, c.mechanism, c.said, got, c.want)
		}
	}
}
