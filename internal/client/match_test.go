package client_test

import (
	"bufio"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/client"
	"github.com/pop2imap/pop2imap/sync"
)

// kept is a message as Thunderbird keeps it.
func kept(uidl, status, raw string) string {
	return "From - Mon Jan  2 15:04:05 2006\nX-Account-Key: account1\nX-UIDL: " + uidl + "\nX-Mozilla-Status: " + status +
		"\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: " + strings.Repeat(" ", 80) + "\n" + raw + "\n"
}

func TestKnow(t *testing.T) {
	const noID = "From: ann@example.org\nSubject: no identity\n\n"
	local := strings.Replace(letter(1), "Received:", "X-Spam: no\nReceived:", 1) // a program of the client's has added a field
	longer := letter(1) + "-- \nscanned by a program of the client's\n"
	for name, c := range map[string]struct {
		inbox string
		ask   sync.Subject
		want  string
	}{
		"by UIDL":                              {kept("a", "0001", letter(1)), subject("a", letter(1)), `\Seen`},
		"by UIDL, header changed at home":      {kept("a", "0001", local), subject("a", letter(1)), `\Seen`},
		"by UIDL before anything is retrieved": {kept("a", "0001", letter(1)), sync.Subject{UIDL: "a"}, `\Seen`},
		"the UIDL of another maildrop":         {kept("a", "0001", letter(2)), subject("a", letter(1)), "unknown"},
		"two maildrops with the same UIDL": {kept("a", "0001", letter(2)) + kept("a", "0000", letter(1)), subject("a", letter(1)),
			""},
		"by header":                       {kept("a", "0001", letter(1)), subject("b", letter(1)), `\Seen`},
		"by header, no UIDL":              {"From - \nX-Mozilla-Status: 0001\n" + letter(1), subject("", letter(1)), `\Seen`},
		"by header, body changed at home": {kept("a", "0001", longer), subject("b", letter(1)), `\Seen`},
		"same header, two bodies": {kept("a", "0001", noID+"one\n") + kept("b", "0000", noID+"another one\n"),
			subject("", noID+"another one\n"), ""},
		"same header, another body":    {kept("a", "0001", noID+"one\n"), subject("", noID+"another one\n"), "unknown"},
		"without a header":             {kept("a", "0001", "\nabc\n"), subject("", "\nabc\n"), "unknown"},
		"by Message-ID, date and size": {kept("a", "0001", local), subject("b", letter(1)), `\Seen`},
		"by Message-ID, quoted From":   {kept("a", "0001", local+">From x\n>>From y\n"), subject("b", letter(1)+"From x\n>From y\n"), `\Seen`},
		"same Message-ID, date and size, come another way": {kept("a", "0001", letter(1)),
			subject("b", strings.Replace(letter(1), "mx.example", "mx2.example", 1)), "unknown"},
		"same Message-ID, date and size, no way told": {kept("a", "0001", local),
			subject("b", strings.SplitAfterN(letter(1), "\n", 2)[1]), `\Seen`},
		"a program at home has added a hop": {kept("a", "0001", "Received: from localhost by home; Mon, 2 Jan 2006 16:00:00 -0700\n"+letter(1)),
			subject("b", letter(1)), `\Seen`},
		"same Message-ID, another date":     {kept("a", "0001", strings.Replace(local, ":01 -", ":02 -", 1)), subject("b", letter(1)), "unknown"},
		"same Message-ID, another size":     {kept("a", "0001", local+"and a footer\n"), subject("b", letter(1)), "unknown"},
		"another message":                   {kept("a", "0001", letter(1)), subject("b", letter(2)), "unknown"},
		"two copies that agree":             {kept("a", "0001", letter(1)) + kept("a", "0001", letter(1)), subject("a", letter(1)), `\Seen`},
		"two copies that do not":            {kept("a", "0001", letter(1)) + kept("a", "0004", letter(1)), subject("a", letter(1)), "unknown"},
		"two that UIDL tells apart":         {kept("a", "0001", letter(1)) + kept("b", "0004", letter(1)), subject("b", letter(1)), `\Flagged`},
		"deleted":                           {kept("a", "0009", letter(1)), subject("a", letter(1)), `\Seen deleted`},
		"what is left of one that moved":    {kept("a", "0008", letter(1)) + kept("a", "0001", letter(1)), subject("a", letter(1)), `\Seen`},
		"the same in another order":         {kept("a", "0001", letter(1)) + kept("a", "0008", letter(1)), subject("a", letter(1)), `\Seen`},
		"one that says nothing beside it":   {"From - \n" + letter(1) + "\n" + kept("a", "0001", letter(1)), subject("", letter(1)), `\Seen`},
		"a message that the client has not": {"", subject("a", letter(1)), "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			got := said(t, open(t, filepath.Join(write(t, map[string]string{"Inbox": c.inbox}), "Inbox")), c.ask)
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPopstate(t *testing.T) {
	const long = "000000015f3b1c2d" // as Dovecot's
	state := "# POP3 State File\n# This is a generated file!  Do not edit.\n\n*pop.example.org alice\n" +
		"k a 1136239445\nd b 1136239445\nb c 1136239445\nf d 1136239445\nk e\nk inbox 1136239445\nk " + long + " 1136239445\n"
	other := "*pop.example.net bob\nk z 1136239445\n"
	inbox := kept("inbox", "0000", letter(9))
	for name, c := range map[string]struct {
		uidl, state, inbox, want string
	}{
		"kept, gone from the mailboxes":    {"a", state, inbox, `\Seen and perhaps others`},
		"to be deleted at the server":      {"b", state, inbox, `\Seen and perhaps others`},
		"too big: only the beginning came": {"c", state, inbox, "unknown"},
		"to be fetched":                    {"d", state, inbox, "unknown"},
		"a line without the time":          {"e", state, inbox, `\Seen and perhaps others`},
		"never downloaded":                 {"x", state, inbox, "unknown"},
		"no UIDL":                          {"", state, inbox, "unknown"},
		"it is in a mailbox, unread":       {"a", state, inbox + kept("a", "0000", letter(1)), ""},
		"its header is in a mailbox":       {"a", state, inbox + kept("old", "0000", letter(1)), ""},
		"copies in mailboxes differ": {"a", state, inbox + kept("old", "0000", letter(1)) + kept("old", "0001", letter(1)),
			"unknown"},
		"the mail is stored elsewhere":           {"a", state, kept("y", "0000", letter(9)), "unknown"},
		"two maildrops, short UIDL":              {"a", state + other, inbox, "unknown"},
		"two maildrops, UIDL of one for certain": {long, state + other, inbox, `\Seen and perhaps others`},
		"line ends CRLF":                         {"a", strings.ReplaceAll(state, "\n", "\r\n"), inbox, `\Seen and perhaps others`},
		"line ends CRLF, no time":                {"e", strings.ReplaceAll(state, "\n", "\r\n"), inbox, `\Seen and perhaps others`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, map[string]string{"Inbox": c.inbox, "popstate.dat": c.state})
			if got := said(t, open(t, dir), subject(c.uidl, letter(1))); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPopstateWithALineWithoutEnd(t *testing.T) {
	dir := write(t, map[string]string{"popstate.dat": "*a b\nk " + strings.Repeat("x", 1<<20)})
	if _, err := client.Open(t.Context(), dir); !errors.Is(err, bufio.ErrTooLong) || !strings.Contains(err.Error(), "popstate.dat") {
		t.Errorf("got %v, want %v of popstate.dat", err, bufio.ErrTooLong)
	}
}
