package lab

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// fetched gives a section of each message in a folder; with folder "" of the one that is selected.
func fetched(t *testing.T, c *imapclient.Client, folder string, section *imap.FetchItemBodySection) []string {
	t.Helper()
	if folder != "" {
		open(t, c, folder, true)
	}
	all := imap.SeqSet{imap.SeqRange{Start: 1}}
	got, err := c.Fetch(all, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, m := range got {
		list = append(list, string(m.FindBodySection(section)))
	}
	return list
}

func TestIMAPFetchesSectionsAsTheyAreStored(t *testing.T) {
	const (
		folded = "Subject: one\r\n two\r\n\tthree\r\n"
		id     = "MESSAGE-ID : <1@example.org>\r\n"
		broken = "no colon\r\n"
		latin  = "X: \xfc\r\n"
		header = folded + id + broken + latin + "\r\n"
		body   = "body\n.\x00\r\n"
	)
	s := startIMAP(t, IMAPOptions{})
	c := loggedIn(t, s)
	mustPut(t, c, "INBOX", header+body, nil)
	open(t, c, "INBOX", true)
	for _, f := range []struct {
		name    string
		section imap.FetchItemBodySection
		want    string
	}{
		{"BODY[]", imap.FetchItemBodySection{}, header + body},
		{"BODY[HEADER]", imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader}, header},
		{"BODY[TEXT]", imap.FetchItemBodySection{Specifier: imap.PartSpecifierText}, body},
		{"a folded field", imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader,
			HeaderFields: []string{"SUBJECT"}}, folded + "\r\n"},
		{"fields in any case", imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader,
			HeaderFields: []string{"x", "message-id"}}, id + latin + "\r\n"},
		{"a field that is not there", imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader,
			HeaderFields: []string{"Date"}}, "\r\n"},
		{"all fields but some", imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader,
			HeaderFieldsNot: []string{"Subject"}}, id + latin + "\r\n"},
		{"a piece", imap.FetchItemBodySection{Partial: &imap.SectionPartial{Offset: 4, Size: 10}}, (header + body)[4:14]},
		{"a piece beyond the end", imap.FetchItemBodySection{Partial: &imap.SectionPartial{Offset: 9999, Size: 10}}, ""},
		{"more than there is", imap.FetchItemBodySection{Specifier: imap.PartSpecifierText,
			Partial: &imap.SectionPartial{Size: 9999}}, body},
	} {
		t.Run(f.name, func(t *testing.T) {
			f.section.Peek = true
			equal(t, f.name, fetched(t, c, "", &f.section)[0], f.want)
		})
	}
}

func TestIMAPFetchesPartsAndStructure(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	c := loggedIn(t, s)
	for _, m := range Sample() {
		mustPut(t, c, "INBOX", string(m.Raw), nil)
	}
	mustPut(t, c, "INBOX", "", nil)
	open(t, c, "INBOX", true)
	got, err := c.Fetch(imap.SeqSet{imap.SeqRange{Start: 1}}, &imap.FetchOptions{Envelope: true, UID: true,
		BodyStructure: &imap.FetchItemBodyStructure{Extended: true}}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(got, func(m *imapclient.FetchMessageBuffer) bool { return m.Envelope.Subject == "Accounts" })
	if at < 0 {
		t.Fatal("no message about accounts")
	}
	equal(t, "type", got[at].BodyStructure.MediaType(), "multipart/mixed")
	csv := fetched(t, c, "", &imap.FetchItemBodySection{Part: []int{2}, Peek: true})[at]
	equal(t, "its second part", strings.TrimSpace(csv), "eWVhcjtodWxsO3BhaW50DQoxOTk4OzE7Ymx1ZQ0KMTk5OTswOw0K")
}

func TestIMAPFetchMarksAsSeenUnlessItPeeks(t *testing.T) {
	for _, c := range []struct {
		peek, readOnly bool
		want           []string
	}{{false, false, []string{`\Seen`}}, {true, false, nil}, {false, true, nil}, {true, true, nil}} {
		t.Run(fmt.Sprintf("peek %t, EXAMINE %t", c.peek, c.readOnly), func(t *testing.T) {
			s := startIMAP(t, IMAPOptions{})
			client := loggedIn(t, s)
			mustPut(t, client, "INBOX", "A: 1\r\n\r\n", nil)
			open(t, client, "INBOX", c.readOnly)
			fetched(t, client, "", &imap.FetchItemBodySection{Peek: c.peek})
			same(t, "flags", stored(t, s, "INBOX")[0].Flags, c.want)
		})
	}
}

func TestIMAPSearchFindsWhatFetchGives(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	c := loggedIn(t, s)
	for i := range 20 {
		mustPut(t, c, "INBOX", fmt.Sprintf("Message-ID: <%d@example.org>\r\n\r\n", i), nil)
	}
	open(t, c, "INBOX", true)
	found, err := c.UIDSearch(&imap.SearchCriteria{
		Header: []imap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: "<7@example.org>"}}}, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	same(t, "UIDs", found.AllUIDs(), []imap.UID{8})
	got, err := c.Fetch(imap.UIDSetNum(8, 30), &imap.FetchOptions{UID: true, RFC822Size: true}).Collect()
	if err != nil || len(got) != 1 || got[0].UID != 8 || got[0].SeqNum != 8 {
		t.Errorf("FETCH: %v, %v", got, err)
	}
}
