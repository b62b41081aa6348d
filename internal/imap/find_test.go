package imap

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// found goes through a folder to its end.
func found(t *testing.T, s *Session, f sync.Folder, from uint32) (list []string, err error) {
	t.Helper()
	for c, e := range s.Find(t.Context(), f, from) {
		if e != nil {
			return list, e
		}
		list = append(list, fmt.Sprintf("%d %d %q", c.UID, c.Size, c.Header))
	}
	return list, nil
}

func TestFind(t *testing.T) {
	s := enter(t, startIMAP(t, lab.IMAPOptions{}))
	opened := func() sync.Folder {
		f, err := s.Open(t.Context(), "INBOX", false)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	empty := opened()
	if got, err := found(t, s, empty, 0); len(got) != 0 || err != nil {
		t.Errorf("empty folder: got %q, %v", got, err)
	}
	all := []string{`1 24 "Message-ID: <a@x>\r\n\r\n"`, `2 35 "message-id:\r\n\t<b@x>\r\n (c)\r\n\r\n"`, `3 8 "\r\n"`, `4 0 "\r\n"`}
	for _, raw := range []string{"Message-ID: <a@x>\r\n\r\nB\r\n", "A: 1\r\nmessage-id:\r\n\t<b@x>\r\n (c)\r\n\r\n", "A: 1\r\n\r\n", ""} {
		if _, err := appendOne(t.Context(), s, empty, letter(raw)); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []sync.Folder{empty, opened()} { // what the folder was like then does not matter
		for from := range uint32(7) {
			want := all[min(max(from, 1)-1, 4):]
			if got, err := found(t, s, f, from); err != nil || strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("from %d: got %q, %v, want %q", from, got, err, want)
			}
		}
	}
	for range s.Find(t.Context(), empty, 1) { // whoever has seen enough may go on with something else
		break
	}
	if _, err := appendOne(t.Context(), s, empty, letter("")); err != nil {
		t.Error(err)
	}
}

func TestLongMessageIDIsCutOff(t *testing.T) {
	s := enter(t, startIMAP(t, lab.IMAPOptions{}))
	long := "Message-ID: <" + strings.Repeat("x", 300_000) + "@x>\r\n\r\n"
	for _, raw := range []string{long, "Message-ID: <a@x>\r\n\r\n"} {
		if _, err := appendOne(t.Context(), s, inbox, letter(raw)); err != nil {
			t.Fatal(err)
		}
	}
	f, _ := s.Open(t.Context(), "INBOX", false)
	var got []string
	for c, err := range s.Find(t.Context(), f, 1) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(c.Header))
	}
	if len(got) != 2 || got[0] != long[:fieldMax] || got[1] != "Message-ID: <a@x>\r\n\r\n" {
		t.Errorf("got %d, %.100q", len(got), got)
	}
}

func TestAnswersToFETCH(t *testing.T) {
	id := "BODY[HEADER.FIELDS (MESSAGE-ID)] {21}\r\nMessage-ID: <a@x>\r\n\r\n"
	for _, c := range []struct{ name, fetch, want string }{
		{"as it should be", "* 1 FETCH (UID 3 RFC822.SIZE 9 " + id + ")\r\n", `3 9 "Message-ID: <a@x>\r\n\r\n"`},
		{"quoted", "* 1 FETCH (UID 3 RFC822.SIZE 9 BODY[HEADER.FIELDS (\"Message-ID\")] \"x\")\r\n", `3 9 "x"`},
		{"no header", "* 1 FETCH (UID 3 RFC822.SIZE 9 BODY[HEADER.FIELDS (MESSAGE-ID)] NIL)\r\n", `3 9 ""`},
		{"size behind", "* 1 FETCH (UID 3 " + id + " RFC822.SIZE 9)\r\n", `3 9 "Message-ID: <a@x>\r\n\r\n"`},
		{"flags too", "* 1 FETCH (FLAGS (\\Seen) UID 3 " + id + " RFC822.SIZE 9)\r\n", `3 9 "Message-ID: <a@x>\r\n\r\n"`},
		{"below the range", "* 1 FETCH (UID 1 RFC822.SIZE 9 " + id + ")\r\n", ""},
		{"twice", strings.Repeat("* 1 FETCH (UID 3 RFC822.SIZE 9 "+id+")\r\n", 2), `3 9 "Message-ID: <a@x>\r\n\r\n"`},
		{"flags of another", "* 1 FETCH (FLAGS (\\Seen))\r\n* 2 EXPUNGE\r\n* 1 FETCH (UID 4 FLAGS ())\r\n", ""},
		{"its new flags before", "* 1 FETCH (UID 3 FLAGS (\\Seen $x))\r\n* 1 FETCH (FLAGS () UID 3 MODSEQ (9))\r\n* 1 FETCH (UID 3 RFC822.SIZE 9 " + id + ")\r\n",
			`3 9 "Message-ID: <a@x>\r\n\r\n"`},
		{"in two pieces", "* 1 FETCH (UID 3 RFC822.SIZE 9)\r\n* 1 FETCH (UID 3 " + id + ")\r\n", "order"},
		{"without its size", "* 1 FETCH (UID 3 " + id + ")\r\n", "order"},
		{"UID behind the header", "* 1 FETCH (RFC822.SIZE 9 " + id + " UID 3)\r\n", "order"},
		{"what nobody knows", "* 1 FETCH (UID 3 X-THING {2}\r\nab)\r\n", "cannot understand"},
		{"broken", "* 1 FETCH (UID 3 RFC822.SIZE \x1b[2J)\r\n", "cannot understand"},
		{"no end", "* 1 FETCH (UID 3 " + strings.Repeat("(", 2<<20), "octets"},
		{"an endless literal", "* 1 FETCH (UID 3 BODY[] {99999999999}\r\n", "octets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, script(t, caps("").with("UID FETCH 2:4 ", c.fetch+"% OK\r\n")))
			got, err := found(t, s, sync.Folder{Name: "INBOX", UIDValidity: 7}, 2)
			if err != nil {
				check.Says(t, check.Class(t, err, sync.Protocol), c.want)
				return
			}
			check.Equal(t, "found", strings.Join(got, "|"), c.want)
		})
	}
}

func TestRangeOfFETCH(t *testing.T) {
	for _, c := range []struct{ name, examine, command string }{
		{"up to what EXAMINE says", "* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 9]\r\n% OK\r\n", "UID FETCH 5:8 ("},
		{"one", "* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 6]\r\n% OK\r\n", "UID FETCH 5 ("},
		{"not said", "* OK [UIDVALIDITY 7]\r\n% OK\r\n", "UID FETCH 5:4294967295 ("},
		{"none", "* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 5]\r\n% OK\r\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := caps("").with("EXAMINE", c.examine, "UID FETCH", "% BAD not that range\r\n")
			if c.command != "" {
				r = r.with(c.command, "% OK\r\n")
			}
			s := enter(t, script(t, r))
			if _, err := found(t, s, sync.Folder{Name: "INBOX", UIDValidity: 7}, 5); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFindFails(t *testing.T) {
	for _, c := range []struct {
		name, examine, fetch string
		class                sync.Class
	}{
		{"replaced folder", "* OK [UIDVALIDITY 8]\r\n% OK\r\n", "% OK\r\n", sync.Temporary},
		{"missing folder", "% NO [NONEXISTENT] none\r\n", "% OK\r\n", sync.Missing},
		{"refused", "* OK [UIDVALIDITY 7]\r\n% OK\r\n", "% NO [SERVERBUG] \x1b\r\n", sync.Temporary},
		{"refused for good", "* OK [UIDVALIDITY 7]\r\n% OK\r\n", "% BAD\r\n", sync.Unavailable},
		{"cut", "* OK [UIDVALIDITY 7]\r\n% OK\r\n", "", sync.Temporary},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, script(t, caps("").with("EXAMINE", c.examine, "UID FETCH", c.fetch)))
			_, err := found(t, s, sync.Folder{Name: "INBOX", UIDValidity: 7}, 1)
			check.Class(t, err, c.class)
		})
	}
	_, err := found(t, enter(t, startIMAP(t, lab.IMAPOptions{})), sync.Folder{Name: "a//b"}, 1)
	check.Class(t, err, sync.Config)
}
