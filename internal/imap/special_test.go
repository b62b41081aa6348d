package imap

import (
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/sync"
)

func TestSpecial(t *testing.T) {
	const none = ""
	list := func(names ...string) string {
		var b strings.Builder
		for _, n := range names {
			b.WriteString(`* LIST () "/" "` + encodeName(n) + "\"\r\n")
		}
		return b.String() + "% OK\r\n"
	}
	for _, c := range []struct{ name, caps, marked, all, use, want string }{
		{"marked", "SPECIAL-USE", `* LIST (\HasNoChildren \SENT) "/" Out` + "\r\n% OK\r\n", list("INBOX", "Sent"), `\Sent`, "Out"},
		{"another is marked", "SPECIAL-USE", `* LIST (\Junk) "/" Out` + "\r\n% OK\r\n", list("INBOX", "Sent"), `\Sent`, "Sent"},
		{"marked, and holds no mail", "SPECIAL-USE", `* LIST (\Sent \NoSelect) "/" Out` + "\r\n% OK\r\n", list("Sent"), `\Sent`, "Sent"},
		{"marks refused", "SPECIAL-USE", "% NO\r\n", list("Sent"), `\Sent`, "Sent"},
		{"no marks", "", "% BAD\r\n", list("INBOX", "Sent Items", "sent"), `\Sent`, "sent"},
		{"in German", "", "% BAD\r\n", list("INBOX", "Entwürfe", "Gesendete Objekte"), `\Sent`, "Gesendete Objekte"},
		{"in French, in another case", "", "% BAD\r\n", list("éléments envoyés"), `\Sent`, "éléments envoyés"},
		{"in Japanese", "", "% BAD\r\n", list("送信済み", "送信済みではない"), `\Sent`, "送信済み"},
		{"below INBOX", "", "% BAD\r\n", list("INBOX", "INBOX/Sent"), `\Sent`, "INBOX/Sent"},
		{"at Gmail", "", "% BAD\r\n", list("[Gmail]/All Mail", "[Gmail]/Sent Mail"), `\Sent`, "[Gmail]/Sent Mail"},
		{"only part of a name", "", "% BAD\r\n", list("Sent/2019", "My Sent", "Sentinel"), `\Sent`, none},
		{"junk", "", "% BAD\r\n", list("Sent", "Spam"), `\Junk`, "Spam"},
		{"neither", "", "% BAD\r\n", list("INBOX"), `\Junk`, none},
		{"a use without usual names", "", "% BAD\r\n", list("Archive"), `\Archive`, none},
		{"LIST refused", "", "% BAD\r\n", "% NO\r\n", `\Sent`, none},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, script(t, caps(c.caps).with(`LIST (SPECIAL-USE) "" `, c.marked, `LIST "" "*"`, c.all)))
			got, err := s.Special(t.Context(), c.use)
			if err != nil {
				t.Fatal(err)
			}
			check.Equal(t, "folder", got, c.want)
		})
	}
	s := enter(t, script(t, caps("").with(`LIST "" "*"`, "")))
	_, err := s.Special(t.Context(), `\Sent`)
	check.Class(t, err, sync.Temporary)
}

// Names are those that a user writes: without the prefix of the namespace, and with "/" between levels.
func TestSpecialBehindAPrefix(t *testing.T) {
	s := enter(t, script(t, caps("NAMESPACE").with("NAMESPACE", `* NAMESPACE (("INBOX." ".")) NIL NIL`+"\r\n% OK\r\n",
		`LIST "" "*"`, `* LIST () "." INBOX.Sent`+"\r\n% OK\r\n", "EXAMINE INBOX.Sent", "% OK\r\n", `EXAMINE "INBOX.Sent"`, "% OK\r\n")))
	got, err := s.Special(t.Context(), `\Sent`)
	if err != nil {
		t.Fatal(err)
	}
	check.Equal(t, "folder", got, "Sent")
	if _, err := s.Open(t.Context(), got, false); err != nil {
		t.Error(err)
	}
}

func TestNewSpecialFolderIsMarked(t *testing.T) {
	const gone, ok = "% NO [NONEXISTENT] none\r\n", "% OK\r\n"
	for _, c := range []struct{ name, caps, folder, create, plainly string }{
		{"the server marks", "CREATE-SPECIAL-USE", "Sent", `CREATE "Sent" (USE (\Sent))`, "% BAD\r\n"},
		{"by a name in another language", "CREATE-SPECIAL-USE", "Spamverdacht", `CREATE "Spamverdacht" (USE (\Junk))`, "% BAD\r\n"},
		{"it has one already", "CREATE-SPECIAL-USE", "Sent", "", ok},
		{"it does not mark", "", "Sent", "", ok},
		{"a folder like others", "CREATE-SPECIAL-USE", "Lists", "", ok},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := caps(c.caps).with("EXAMINE", gone, "CREATE", c.plainly, `CREATE "Sent" (USE`, "% NO [USEATTR] not twice\r\n", "SUBSCRIBE", ok)
			if c.create != "" {
				r = r.with(c.create, ok)
			}
			_, err := enter(t, script(t, r)).Open(t.Context(), c.folder, true)
			check.Class(t, err, sync.Missing) // made, says the script, and EXAMINE says what it said before
		})
	}
}

// A folder that cannot be opened leaves none selected: CLOSE would be an error then.
func TestNothingIsSelectedAfterARefusedEXAMINE(t *testing.T) {
	s := enter(t, startIMAP(t, lab.IMAPOptions{}))
	f, err := s.Open(t.Context(), "INBOX", false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Open(t.Context(), "None", false)
	check.Class(t, err, sync.Missing)
	s.shy = true // as at Courier
	if _, err := appendOne(t.Context(), s, f, letter("A: 1\r\n\r\n")); err != nil {
		t.Error(err)
	}
}

// What a message in one folder says of the selected folder is not believed of another.
func TestAppendToAFolderThatIsNotSelected(t *testing.T) {
	server := startIMAP(t, lab.IMAPOptions{})
	s := enter(t, server)
	var folders []sync.Folder
	for _, name := range []string{"INBOX", "One", "Two"} {
		f, err := s.Open(t.Context(), name, true)
		if err != nil {
			t.Fatal(err)
		}
		folders = append(folders, f)
	}
	var pending []sync.Pending
	for range 3 { // all in flight
		for _, f := range folders {
			pending = append(pending, s.Append(t.Context(), f, letters("A: "+f.Name+"\r\n\r\n", "B: "+f.Name+"\r\n\r\n")))
		}
	}
	for i, p := range pending {
		for j, a := range p.Wait(t.Context()) {
			want := sync.Placed{UIDValidity: folders[i%3].UIDValidity, UID: uint32(i/3*2 + j + 1)}
			if a.Err != nil || a.Placed != want {
				t.Errorf("batch %d, message %d: got %+v, want %+v", i, j, a, want)
			}
		}
	}
	for _, f := range folders {
		list, err := server.Messages(f.Name)
		if err != nil || len(list) != 6 {
			t.Errorf("%s has %d messages (%v), want 6", f.Name, len(list), err)
		}
	}
}

// Real servers: a folder for sent mail is made, and then found again, by whatever the server tells of it.
func TestSpecialAtRealServers(t *testing.T) {
	for _, kind := range real.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			s, _ := realSession(t, real.Start(t, kind, nil), "INBOX")
			t.Logf("SPECIAL-USE: %v, CREATE-SPECIAL-USE: %v", s.caps.has("SPECIAL-USE"), s.caps.has("CREATE-SPECIAL-USE"))
			for use, name := range map[imap.MailboxAttr]string{imap.MailboxAttrSent: "Gesendete Elemente", imap.MailboxAttrJunk: "Spam"} {
				got, err := s.Special(t.Context(), string(use))
				if err != nil || got != "" {
					t.Fatalf("%s: got %q (%v), want none", use, got, err)
				}
				if f, err := s.Open(t.Context(), name, true); err != nil || !f.Created {
					t.Fatalf("%s: got %+v (%v)", name, f, err)
				}
				if got, err = s.Special(t.Context(), string(use)); err != nil || got != name {
					t.Errorf("%s: got %q (%v), want %q", use, got, err, name)
				}
				marked, err := s.used(use)
				if err != nil || (len(marked) == 1) != s.caps.has("CREATE-SPECIAL-USE") {
					t.Errorf("%s: marked are %q (%v)", use, marked, err)
				}
			}
		})
	}
}
