package imap

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/sync"
)

func TestPermanent(t *testing.T) {
	examine := "* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 1]\r\n* OK [PERMANENTFLAGS ()]\r\n% OK [READ-ONLY]\r\n"
	for _, c := range []struct{ name, say, want string }{
		{"all", "* OK [PERMANENTFLAGS (\\Seen work \\*)] Limited\r\n% OK\r\n", `\Seen work \*`},
		{"in lower case, with more blanks", "* ok [permanentflags ( \\seen  work)]\r\n% OK\r\n", `\seen work`},
		{"none", "* OK [PERMANENTFLAGS ()]\r\n% OK [READ-ONLY]\r\n", ""},
		{"nothing said", "% OK\r\n", ""},
		{"not ended", "* OK [PERMANENTFLAGS (\\Seen\r\n% OK\r\n", ""},
		{"refused", "* OK [PERMANENTFLAGS (\\Seen)]\r\n% NO [NOPERM] not that\r\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, script(t, caps("").with("EXAMINE", examine, "SELECT", c.say)))
			f, err := s.Open(t.Context(), "INBOX", false)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Permanent(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			check.Equal(t, "flags", strings.Join(got, " "), c.want)
		})
	}
	s := enter(t, script(t, caps("").with("EXAMINE", examine, "SELECT", "")))
	_, err := s.Permanent(t.Context(), sync.Folder{Name: "INBOX", UIDValidity: 7})
	check.Class(t, err, sync.Temporary)
}

// What is asked changes nothing: a message that is marked as deleted is still there.
func TestPermanentFlagsAndDatesAtRealServers(t *testing.T) {
	for _, kind := range real.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			server := real.Start(t, kind, nil)
			s, f := realSession(t, server, "INBOX")
			m := letter("A: 1\r\n\r\n1\r\n")
			m.Flags, m.Date = []string{`\Deleted`, "work"}, time.Date(1999, 1, 2, 3, 4, 5, 0, time.FixedZone("", -330*60))
			placed, err := appendOne(t.Context(), s, f, m)
			if err != nil {
				t.Fatal(err)
			}
			flags, err := s.Permanent(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{`\Seen`, `\Answered`, `\Flagged`, `\Draft`, `\*`, "work"} {
				if !slices.Contains(flags, want) {
					t.Errorf("got %q, want %s too", flags, want)
				}
			}
			dates, err := s.Dates(t.Context(), f, []uint32{placed.UID, placed.UID + 5})
			if err != nil || len(dates) != 1 || !dates[placed.UID].Equal(m.Date) {
				t.Errorf("got %v, %v, want %v", dates, err, m.Date)
			}
			if _, err := appendOne(t.Context(), s, f, m); err != nil {
				t.Error(err)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
			stored := server.Stored(t, "INBOX")
			if len(stored) != 2 || string(stored[0].Raw) != "A: 1\r\n\r\n1\r\n" || !slices.Contains(stored[0].Flags, "work") {
				t.Errorf("got %+v", stored)
			}
		})
	}
}
