package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/state"
)

func TestApart(t *testing.T) {
	for _, c := range []struct{ situation, accounts, want string }{
		{"one", "alice a@h a@i/INBOX", "alice"},
		{"two users", "alice a@h a@i/INBOX, bob b@h a@i/INBOX", "alice bob"},
		{"two hosts", "alice alice@h a@i/INBOX, alice alice@k a@i/INBOX", "alice@h alice@k"},
		{"two folders", "alice alice@h a@i/INBOX, alice alice@h a@i/x/y", "alice/INBOX alice/x/y"},
		{"both", "alice alice@h a@i/x, alice alice@h a@i/y, alice alice@k a@i/x",
			"alice@h/x alice@h/y alice@k/x"},
		{"two ports", "alice alice@h a@i/x, alice alice@h:110 a@i/x",
			"alice@h alice@h:110"},
		{"two mailboxes", "alice alice@h a@i/x, alice alice@h b@i/x", "alice@h->a@i/x alice@h->b@i/x"},
		{"an @ in the user", "al@d al@d@h a@d@i/p@q/r, al@d al@d@h a@d@i/x", "al@d/p@q/r al@d/x"},
		{"one of the config file", "!alice alice@h a@i/x, alice alice@h a@i/y", "alice alice@h"},
		{"a name of the config file that looks so", "!alice@h bob@h b@i/x, alice alice@h a@i/y, alice alice@k a@i/z",
			"alice@h alice/y alice/z"},
	} {
		t.Run(c.situation, func(t *testing.T) {
			var all []remembered
			for _, account := range strings.Split(c.accounts, ", ") {
				f := strings.Fields(account)
				name, ofFile := strings.CutPrefix(f[0], "!")
				a := remembered{&state.Account{Name: name, Key: state.Key{From: f[1], To: f[2]}}, true, name}
				if ofFile {
					a.called = ""
				}
				all = append(all, a)
			}
			var got []string
			for _, a := range apart(all) {
				got = append(got, a.Name)
			}
			if !slices.Equal(got, strings.Fields(c.want)) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
