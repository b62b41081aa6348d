package lab

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

func TestIMAPKeepsTheOctetsOfAnAppend(t *testing.T) {
	for _, c := range []struct{ name, raw string }{
		{"as it should be", "A: 1\r\n\r\nbody\r\n"},
		{"bare LF", "A: 1\n\nbody\n"},
		{"bare CR", "A: 1\r\n\r\na\rb\r\r\n"},
		{"NUL", "A: 1\r\n\r\n\x00\x00\r\n\x00"},
		{"8-bit", "Subject: Gr\xfc\xdfe\r\n\r\n\xff\xfe\x80\r\n"},
		{"no blank line", "A: 1"},
		{"no header", "\r\nbody"},
		{"a broken header", "From alice\r\nno colon\r\n A: 1\r\n\r\nbody"},
		{"what looks like a command", "{5}\r\na LOGOUT\r\n"},
		{"what looks like a literal at the end", "A: 1\r\n\r\n{5+}\r\n"},
		{"more than the buffers hold", "A: 1\r\n\r\n" + strings.Repeat("0123456789abcde\n", 20_000)},
		{"nothing", ""},
	} {
		for _, sync := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, asked for %t", c.name, sync), func(t *testing.T) {
				s := startIMAP(t, IMAPOptions{})
				w := rawIMAP(t, s)
				if sync {
					w.do(fmt.Sprintf("b APPEND INBOX {%d}", len(c.raw)), "+")
					w.send(c.raw + "\r\n")
				} else {
					w.send(fmt.Sprintf("b APPEND INBOX {%d+}\r\n%s\r\n", len(c.raw), c.raw))
				}
				w.wants("b OK [APPENDUID 1 1]")
				holds(t, s, "INBOX", c.raw)
				equal(t, "Size", stored(t, s, "INBOX")[0].Size, int64(len(c.raw)))
				equal(t, "BODY[]", fetched(t, loggedIn(t, s), "INBOX", &imap.FetchItemBodySection{Peek: true})[0], c.raw)
			})
		}
	}
}

func TestIMAPTellsTheUIDOfAnAppend(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	c := loggedIn(t, s)
	if err := c.Create("Other", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		folder string
		imap.AppendData
	}{{"INBOX", imap.AppendData{UIDValidity: 1, UID: 1}}, {"INBOX", imap.AppendData{UIDValidity: 1, UID: 2}},
		{"Other", imap.AppendData{UIDValidity: 2, UID: 1}}} {
		equal(t, want.folder, *mustPut(t, c, want.folder, "A: 1\r\n\r\n", nil), want.AppendData)
	}
}

func TestIMAPWithoutUIDPLUSTellsNoUID(t *testing.T) {
	s := startIMAP(t, IMAPOptions{Without: []imap.Cap{imap.CapUIDPlus}})
	w := rawIMAP(t, s)
	w.send("b APPEND INBOX {3+}\r\none\r\n")
	equal(t, "answer", w.wants("b "), "b OK APPEND completed")
	w.do("c CREATE Other", "c OK")
	w.do("d SELECT INBOX", "* 1 EXISTS")
	for !strings.HasPrefix(w.line(), "d OK") {
	}
	equal(t, "answer", w.do("e COPY 1 Other", "e "), "e OK COPY completed")
	holds(t, s, "Other", "one")
}

func TestIMAPKeepsFlagsAndDateOfAnAppend(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	c := loggedIn(t, s)
	old := time.Date(1998, 3, 2, 9, 20, 56, 0, time.FixedZone("", -330*60))
	before := time.Now().Truncate(time.Second)
	mustPut(t, c, "INBOX", "A: 1\r\n\r\n", &imap.AppendOptions{Time: old,
		Flags: []imap.Flag{imap.FlagSeen, imap.FlagForwarded, "\\ANSWERED", "custom", "Custom"}})
	mustPut(t, c, "INBOX", "A: 2\r\n\r\n", nil)
	list := stored(t, s, "INBOX")
	same(t, "flags", list[0].Flags, []string{"$Forwarded", "Custom", `\Answered`, `\Seen`})
	equal(t, "date", list[0].Date.Format(time.RFC3339), old.Format(time.RFC3339))
	same(t, "flags of the second", list[1].Flags, nil)
	if d := list[1].Date; d.Before(before) || d.After(time.Now()) {
		t.Errorf("without a date it is %v", d)
	}
	open(t, c, "INBOX", true)
	got, err := c.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{InternalDate: true, Flags: true, RFC822Size: true}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "INTERNALDATE", got[0].InternalDate.Format(time.RFC3339), old.Format(time.RFC3339))
	same(t, "FLAGS", got[0].Flags, []imap.Flag{imap.FlagForwarded, "Custom", imap.FlagAnswered, imap.FlagSeen})
	equal(t, "RFC822.SIZE", got[0].RFC822Size, 8)
}

func TestIMAPAppendToNoFolder(t *testing.T) {
	c := loggedIn(t, startIMAP(t, IMAPOptions{}))
	_, err := put(c, "Nowhere", "A: 1\r\n\r\n", nil)
	refused(t, err, imap.ResponseCodeTryCreate)
	mustPut(t, c, "INBOX", "A: 1\r\n\r\n", nil)
}

func TestIMAPAppendLimit(t *testing.T) {
	s := startIMAP(t, IMAPOptions{AppendLimit: 10})
	if limit := loggedIn(t, s).Caps(); !limit.Has("APPENDLIMIT=10") {
		t.Errorf("capabilities: %v", limit)
	}
	w := rawIMAP(t, s)
	w.do("b APPEND INBOX {11}", "b NO [TOOBIG]")
	w.do("c APPEND INBOX {10}", "+")
	w.do("0123456789", "c OK")
	w.send("d APPEND INBOX {21+}\r\nx CREATE x\r\ny LOGOUT\r\n") // not to be taken for commands
	w.wants("d NO [TOOBIG]")
	w.do("e NOOP", "e OK")
	holds(t, s, "INBOX", "0123456789")
	same(t, "Commands", s.Commands()[2:], []string{"APPEND INBOX {11}", "APPEND INBOX {10}", "APPEND INBOX {21+}", "NOOP"})
	if caps := loggedIn(t, startIMAP(t, IMAPOptions{})).Caps(); caps.Has("APPENDLIMIT=0") {
		t.Errorf("no limit is announced as one: %v", caps)
	}
}

func TestIMAPRefusesAnAppend(t *testing.T) {
	full := &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeOverQuota, Text: "full"}
	s := startIMAP(t, IMAPOptions{RefuseAppend: func(size int64, raw []byte) error {
		switch {
		case size != int64(len(raw)):
			return errors.New("size is not that of the message")
		case strings.Contains(string(raw), "virus"):
			return full
		}
		return nil
	}})
	c := loggedIn(t, s)
	mustPut(t, c, "INBOX", "A: 1\r\n\r\n", nil)
	_, err := put(c, "INBOX", "A: virus\r\n\r\n", nil)
	refused(t, err, imap.ResponseCodeOverQuota)
	equal(t, "UID after the refusal", mustPut(t, c, "INBOX", "A: 3\r\n\r\n", nil).UID, 2)
	holds(t, s, "INBOX", "A: 1\r\n\r\n", "A: 3\r\n\r\n")
}

func TestIMAPRefusesACreate(t *testing.T) {
	never := &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeNoPerm, Text: "never"}
	s := startIMAP(t, IMAPOptions{RefuseCreate: never})
	refused(t, loggedIn(t, s).Create("Other", nil).Wait(), imap.ResponseCodeNoPerm)
	same(t, "Folders", s.Folders(), []string{"INBOX"})
}
