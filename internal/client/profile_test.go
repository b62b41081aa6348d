package client_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/sync"
)

// mozilla is how Thunderbird writes flags in front of a header.
func mozilla(flags []string) string {
	low, high := 0, 0
	var keys []string
	for _, name := range flags {
		switch name {
		case `\Seen`:
			low |= 0x1
		case `\Answered`:
			low |= 0x2
		case `\Flagged`:
			low |= 0x4
		case "$Forwarded":
			low |= 0x1000
		case "$MDNSent":
			high |= 0x00800000
		case "$Junk":
			keys = append(keys, "Junk")
		case "$NotJunk":
			keys = append(keys, "NonJunk")
		default:
			keys = append(keys, name)
		}
	}
	return fmt.Sprintf("X-Mozilla-Status: %04x\nX-Mozilla-Status2: %08x\nX-Mozilla-Keys: %-80s\n", low, high,
		strings.Join(keys, " "))
}

// A profile as years of Thunderbird leave it: mail in several folders, some of it moved and not yet cleaned up, some folders
// compacted (the lines are in another order then), some mail deleted for good.
func TestThunderbirdProfile(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var mail, uidls []string
	var want [][]string
	var gone []sync.Subject
	folders := map[string]*strings.Builder{"Inbox": {}, "Trash": {}, "Archives.sbd/2006": {}}
	compacted := &strings.Builder{}
	folders["Sent"] = compacted
	state := &strings.Builder{}
	state.WriteString("# POP3 State File\n# This is a generated file!  Do not edit.\n\n*pop.example.org alice\n")
	for n := range many {
		uidl := fmt.Sprintf("%08x%08x", n+1, 1136239445)
		fmt.Fprintf(state, "k %s %d\n", uidl, 1136239445+n)
		if n%50 == 49 {
			gone = append(gone, subject(uidl, letter(n)))
			continue
		}
		flags := choose(random, append([]string{`\Seen`, `\Answered`, `\Flagged`}, keywords...))
		mail, uidls, want = append(mail, letter(n)), append(uidls, uidl), append(want, flags)
		const from, key = "From - Mon Jan  2 15:04:05 2006\n", "X-Account-Key: account1\nX-UIDL: "
		written := from + key + uidl + "\n" + mozilla(flags) + letter(n) + "\n"
		switch n % 4 {
		case 0:
			folders["Inbox"].WriteString(written)
		case 1:
			folders["Archives.sbd/2006"].WriteString(written)
			folders["Inbox"].WriteString(from + key + uidl + "\n" + "X-Mozilla-Status: 0009\nX-Mozilla-Status2: 00000000\n" +
				letter(n) + "\n")
		case 2:
			folders["Trash"].WriteString(written)
		case 3:
			compacted.WriteString("From \n" + mozilla(flags) + key + uidl + "\n" + letter(n) + "\n")
		}
	}
	files := map[string]string{"prefs.js": "", "Mail/pop.example.org/popstate.dat": state.String(),
		"Mail/Local Folders/Unsent Messages": "", "ImapMail/imap.example.org/INBOX": "From - \nX-Mozilla-Status: 0001\n" + letter(0)}
	for name, text := range folders {
		files["Mail/pop.example.org/"+name] = text.String()
		files["Mail/pop.example.org/"+name+".msf"] = "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n"
	}
	c := open(t, write(t, files))
	checkRecovered(t, "by UIDL", c, mail, uidls, want, 100)
	checkRecovered(t, "after a UIDL reset", c, mail, nil, want, 100)
	for _, s := range gone {
		if got := said(t, c, s); got != `\Seen and perhaps others` {
			t.Errorf("deleted for good: got %q", got)
		}
	}
}
