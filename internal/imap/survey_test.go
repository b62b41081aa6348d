package imap

import (
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
)

func TestAbilities(t *testing.T) {
	s := enter(t, startIMAP(t, lab.IMAPOptions{}))
	before, after := s.Abilities()
	if slices.Contains(before, "UIDPLUS") || !slices.Contains(after, "UIDPLUS") || !slices.Contains(before, "IMAP4REV1") ||
		!slices.IsSorted(after) {
		t.Errorf("before the login %q, after it %q", before, after)
	}
	if delimiter, prefix := s.Names(); delimiter != "/" || prefix != "" {
		t.Errorf("got %q and %q", delimiter, prefix)
	}
}

func TestKeeps(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"all, and new keywords", `* OK [PERMANENTFLAGS (\Seen $Junk \*)] Limited`, `\Seen $Junk \*`},
		{"none, for it is only read", `* OK [PERMANENTFLAGS ()] Read-only`, ``},
		{"not told", `* OK hello`, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, script(t, replies{}.with("EXAMINE", c.line+"\r\n* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 5]\r\n% OK\r\n")))
			if _, err := s.Open(t.Context(), "INBOX", false); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(s.Keeps(), " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPermanentIsOfTheFolderOpenedLast(t *testing.T) {
	s := enter(t, script(t, replies{}.with(`EXAMINE "Kept"`, `* OK [PERMANENTFLAGS (\Seen)]`+"\r\n* OK [UIDVALIDITY 7]\r\n"+
		"* OK [UIDNEXT 5]\r\n% OK\r\n")))
	for _, c := range []struct {
		folder string
		want   int
	}{{"Kept", 1}, {"INBOX", 0}} {
		if _, err := s.Open(t.Context(), c.folder, false); err != nil {
			t.Fatal(err)
		}
		if got := s.Keeps(); len(got) != c.want {
			t.Errorf("%s: got %q, want %d", c.folder, got, c.want)
		}
	}
}

func TestUses(t *testing.T) {
	s := enter(t, startIMAP(t, lab.IMAPOptions{SpecialUse: map[string]imap.MailboxAttr{"Gone/Out": imap.MailboxAttrSent,
		"Spam": imap.MailboxAttrJunk}}))
	got, err := s.Uses(t.Context())
	if want := []Use{{`\Sent`, "Gone/Out"}, {`\Junk`, "Spam"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v (%v), want %v", got, err, want)
	}
	if got, err := enter(t, startIMAP(t, lab.IMAPOptions{})).Uses(t.Context()); err != nil || got != nil {
		t.Errorf("without SPECIAL-USE: %v (%v)", got, err)
	}
}

func TestQuotas(t *testing.T) {
	for _, c := range []struct {
		name, caps, answer string
		want               []Quota
	}{
		{"storage, in units of 1,024", "QUOTA", "* QUOTAROOT INBOX \"\"\r\n* QUOTA \"\" (STORAGE 10 512)\r\n% OK\r\n",
			[]Quota{{"STORAGE", 10240, 524288}}},
		{"messages", "QUOTA", "* QUOTAROOT INBOX r\r\n* QUOTA r (MESSAGE 3 5)\r\n% OK\r\n", []Quota{{"MESSAGE", 3, 5}}},
		{"both, in alphabetical order", "QUOTA", "* QUOTAROOT INBOX r\r\n* QUOTA r (STORAGE 1 2 MESSAGE 3 5)\r\n% OK\r\n",
			[]Quota{{"MESSAGE", 3, 5}, {"STORAGE", 1024, 2048}}},
		{"as good as none", "QUOTA", "* QUOTAROOT INBOX r\r\n* QUOTA r (STORAGE 1 9223372036854775807)\r\n% OK\r\n", nil},
		{"no root", "QUOTA", "* QUOTAROOT INBOX\r\n% OK\r\n", nil},
		{"a root without a limit", "QUOTA", "* QUOTAROOT INBOX r\r\n* QUOTA r ()\r\n% OK\r\n", nil},
		{"refused", "QUOTA", "% NO not for you\r\n", nil},
		{"not asked for where it is not known", "", "* BYE\r\n", nil},
		{"nonsense", "QUOTA", "* QUOTAROOT INBOX r\r\n* QUOTA r (STORAGE a lot)\r\n% OK\r\n", nil},
		{"a root without a list, as Courier has it", "QUOTA", "* QUOTAROOT INBOX ROOT\r\n* QUOTA \"ROOT\"\r\n% OK\r\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, script(t, caps(c.caps).with("GETQUOTAROOT", c.answer)))
			got, err := s.Quotas(t.Context(), "INBOX")
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %v and %v, want %v", got, err, c.want)
			}
		})
	}
}

// What nobody has asked for must not cost a session in which mail is appended.
func TestQuotaUnasked(t *testing.T) {
	s := enter(t, script(t, caps("QUOTA").with("EXAMINE", "* QUOTA r (STORAGE a lot)\r\n* OK [UIDVALIDITY 7]\r\n"+
		"* OK [UIDNEXT 5]\r\n% OK\r\n")))
	if f, err := s.Open(t.Context(), "INBOX", false); err != nil || f.UIDNext != 5 {
		t.Errorf("got %+v, %v", f, err)
	}
}
