package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
)

// The same messages are in an mbox whether its lines end with LF or CRLF, no more than there are "From " lines, each flag
// comes once, and no mark makes a message vanish.
func FuzzMbox(f *testing.F) {
	const mozilla = "From - Mon Jan  2 15:04:05 2006\nX-UIDL: 1\nX-Mozilla-Status: 1009\nX-Mozilla-Keys: Junk a b \\Seen\n"
	const server = "From x Mon Jan  2 15:04:05 2006\nX-IMAPbase: 1 2 a b\nX-UID: 2\nStatus: RO\nX-Status: AD\nX-Keywords: a b\n"
	const text = "Date: 1 Jan 2006\nMessage-ID: <a@b>\n\ntext\n>From x\n\n"
	f.Add(mozilla + text + mozilla + text)
	f.Add(server + text + "From \nX-Evolution: 00000001-0412; flags=a,b\n\n\nFrom x\n")
	f.Add("From - \n\nFrom - \n\r\n\nFrom x 1:00 2006\nX:\n y\n")
	f.Add("From x 1:00 2006\nX-Evolution: 00000001-0412; flags=a,\\Deleted; tags=x\n\n")
	f.Fuzz(func(t *testing.T, mbox string) {
		mbox = strings.ReplaceAll(mbox, "\r", "")
		c := readString(t, mbox)
		lines := strings.Count("\n"+mbox, "\nFrom ")
		if len(c.letters) > lines {
			t.Errorf("%d messages below %d lines", len(c.letters), lines)
		}
		other := readString(t, strings.ReplaceAll(mbox, "\n", "\r\n"))
		if got, want := summary(other), summary(c); got != want {
			t.Errorf("with CRLF %q, with LF %q", got, want)
		}
		for _, l := range c.letters {
			if l.says != nil {
				checkFlags(t, l.says.flags)
			}
		}
	})
}

func readString(t *testing.T, mbox string) *Client {
	t.Helper()
	c := &Client{by: map[key][]int32{}, said: map[string]*verdict{}, latest: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
	if err := c.readMbox(strings.NewReader(mbox), false); err != nil {
		t.Fatal(err)
	}
	return c
}

func summary(c *Client) string {
	var all strings.Builder
	for _, l := range c.letters {
		fmt.Fprintf(&all, "%x %x %d %d %v %s", l.finger, l.id, l.body, l.slack, l.date, l.why)
		if l.says != nil {
			fmt.Fprintf(&all, " %q %t %q", l.says.flags, l.says.whole, l.says.deleted)
		}
		all.WriteString("\n")
	}
	return all.String()
}

func checkFlags(t *testing.T, flags []message.Flag) {
	t.Helper()
	var names []string
	for _, flag := range flags {
		system := slices.Contains([]string{`\Seen`, `\Answered`, `\Flagged`, `\Draft`}, flag.Name)
		if slices.Contains(names, flag.Name) || flag.Why == "" || !system && strings.ContainsAny(flag.Name, "\\ (){%*\"]") {
			t.Errorf("got %q among %q", flag, flags)
		}
		names = append(names, flag.Name)
	}
}
