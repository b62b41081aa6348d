package imap

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

func TestMissingFolder(t *testing.T) {
	for _, name := range []string{"Old", "Old/2019", "Entwürfe & mehr", "台北/日本語", "100% *", `a"b`, "😀"} {
		t.Run(name, func(t *testing.T) {
			server := startIMAP(t, lab.IMAPOptions{})
			s := enter(t, server)
			_, err := s.Open(t.Context(), name, false)
			check.Class(t, err, sync.Missing)
			check.Equal(t, "folders", strings.Join(server.Folders(), "|"), "INBOX")

			f, err := s.Open(t.Context(), name, true)
			if err != nil || !f.Created || f.Name != name || f.UIDValidity == 0 || f.UIDNext != 1 {
				t.Fatalf("created: got %+v, %v", f, err)
			}
			if !slices.Contains(server.Folders(), name) || !slices.Contains(server.Commands(), "SUBSCRIBE \""+encodeName(quotedName(name))+`"`) {
				t.Errorf("folders: %q\ncommands: %q", server.Folders(), server.Commands())
			}
			if _, err := appendOne(t.Context(), s, f, letter("A: 1\r\n\r\n")); err != nil { // names it as Open does
				t.Fatal(err)
			}
			f, err = s.Open(t.Context(), name, true)
			if err != nil || f.Created || f.UIDNext != 2 {
				t.Errorf("opened again: got %+v, %v", f, err)
			}
		})
	}
}

func quotedName(name string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name)
}

func TestINBOXInAnyCase(t *testing.T) {
	s := enter(t, startIMAP(t, lab.IMAPOptions{}))
	for _, name := range []string{"INBOX", "inbox", "/Inbox/"} {
		if f, err := s.Open(t.Context(), name, false); err != nil || f.Created || f.Name != name {
			t.Errorf("%s: got %+v, %v", name, f, err)
		}
	}
}

func TestFolderThatCannotBeMade(t *testing.T) {
	for _, c := range []struct {
		code  imap.ResponseCode
		class sync.Class
	}{{"", sync.Config}, {"NOPERM", sync.Config}, {"CANNOT", sync.Config}, {"OVERQUOTA", sync.Full},
		{"UNAVAILABLE", sync.Temporary}} {
		never := &imap.Error{Type: imap.StatusResponseTypeNo, Code: c.code, Text: "\x1b never"}
		s := enter(t, startIMAP(t, lab.IMAPOptions{RefuseCreate: never}))
		_, err := s.Open(t.Context(), "Old", true)
		e := check.Class(t, err, c.class)
		check.Says(t, e, `cannot create the folder "Old"`)
	}
}

// A server only should make the folders above a new one itself.
func TestFolderInFoldersThatAreMissing(t *testing.T) {
	server := startIMAP(t, lab.IMAPOptions{NoSuperiors: true})
	s := enter(t, server)
	f, err := s.Open(t.Context(), "Old/Lists/Go", true)
	if err != nil || !f.Created {
		t.Errorf("got %+v, %v", f, err)
	}
	check.Equal(t, "folders", strings.Join(server.Folders(), "|"), "INBOX|Old|Old/Lists|Old/Lists/Go")
	f, err = s.Open(t.Context(), "Old/Lists/C", true)
	if err != nil || !f.Created {
		t.Errorf("beside it: got %+v, %v", f, err)
	}
}

// One that says OK and makes nothing is not asked for ever.
func TestFoldersAboveThatHelpNothing(t *testing.T) {
	s := enter(t, script(t, caps("").with("EXAMINE", "% NO none\r\n", "CREATE", "% OK\r\n", `CREATE "Old/2019"`, "% NO never\r\n", "SUBSCRIBE",
		"% NO none\r\n", "LIST", "% OK\r\n", `LIST "" ""`, "* LIST () \"/\" \"\"\r\n% OK\r\n")))
	_, err := s.Open(t.Context(), "Old/2019", true)
	check.Says(t, check.Class(t, err, sync.Config), `cannot create the folder "Old/2019"`)
}

func TestFolderThatSomeoneElseMakes(t *testing.T) {
	s := enter(t, script(t, caps("").with("EXAMINE", "% NO [NONEXISTENT] none\r\n", "CREATE", "% NO [ALREADYEXISTS] is there\r\n")))
	_, err := s.Open(t.Context(), "Old", true)
	check.Class(t, err, sync.Missing) // asked once more: says what EXAMINE says then
}

func TestFolderThatCannotBeOpened(t *testing.T) {
	for _, c := range []struct {
		name, examine, list string
		class               sync.Class
	}{
		{"there is none", "% NO\r\n", "% OK\r\n", sync.Missing},
		{"there is none, says the code", "% NO [NONEXISTENT]\r\n", "% BAD\r\n", sync.Missing},
		{"there is none, with another code", "% NO [CLIENTBUG]\r\n", "% OK\r\n", sync.Missing},
		{"it is there", "% NO\r\n", "* LIST () \"/\" Old\r\n% OK\r\n", sync.Unavailable},
		{"it is there, and not ours", "% NO [NOPERM]\r\n", "% OK\r\n", sync.Unavailable},
		{"only folders in it", "% NO\r\n", "* LIST (\\NoSelect) \"/\" Old\r\n% OK\r\n", sync.Missing},
		{"it was there", "% NO\r\n", "* LIST (\\NonExistent) \"/\" Old\r\n% OK\r\n", sync.Missing},
		{"another one is", "% NO\r\n", "* LIST () \"/\" Older\r\n% OK\r\n", sync.Missing},
		{"not now", "% NO [UNAVAILABLE]\r\n", "% OK\r\n", sync.Temporary},
		{"nor can be listed", "% NO\r\n", "% NO \x1b[2J\r\n", sync.Unavailable},
		{"hangs up", "", "", sync.Temporary},
		{"hangs up then", "% NO\r\n", "", sync.Temporary},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, script(t, caps("").with("EXAMINE", c.examine, `LIST "" "Old"`, c.list)))
			_, err := s.Open(t.Context(), "Old", false)
			check.Class(t, err, c.class)
		})
	}
}

func TestSpellings(t *testing.T) {
	for _, c := range []struct {
		delimiter, prefix, folder string
		want                      []string
	}{
		{".", "INBOX.", "Old/2019", []string{"Old/2019", "INBOX/Old/2019"}},
		{".", "INBOX.", "INBOX/Old/2019", []string{"Old/2019", "INBOX/Old/2019"}},
		{".", "INBOX.", "INBOX", []string{"INBOX"}},
		{"/", "mail/", "Old", []string{"Old", "mail/Old"}},
		{"/", "", "INBOX/Old", []string{"INBOX/Old"}},
		{"", "#", "Old", []string{"Old", "#Old"}},
		{".", "INBOX.", "v1.0", []string{"v1.0"}},
		{".", "INBOX.", "INBOX/INBOX/x", []string{"INBOX/INBOX/x"}}, // no shorter one is the same
	} {
		if got := (naming{c.delimiter, c.prefix}).spellings(c.folder); !slices.Equal(got, c.want) {
			t.Errorf("%q, %q: got %q, want %q", c.prefix, c.folder, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	const bad = "?"
	for _, c := range []struct {
		name, delimiter, prefix, folder, want string
	}{
		{"as it is", "/", "", "Old/2019", "Old/2019"},
		{"at the ends", "/", "", "/Old/", "Old"},
		{"another delimiter", ".", "", "Old/2019", "Old.2019"},
		{"prefix", ".", "INBOX.", "Old/2019", "INBOX.Old.2019"},
		{"prefix, and said by the user", ".", "INBOX.", "INBOX/Old", "INBOX.Old"},
		{"prefix, and said in lower case", ".", "INBOX.", "inbox/Old", "INBOX.Old"},
		{"prefix, INBOX", ".", "INBOX.", "inbox", "INBOX"},
		{"prefix of a directory", "/", "mail/", "Old", "mail/Old"},
		{"flat", "", "", "Old", "Old"},
		{"flat, with levels", "", "", "Old/2019", bad},
		{"backslash for a delimiter", `\`, "", "a/b", `a\b`},
		{"the delimiter in a name", ".", "", "v1.0", bad},
		{"no name", "/", "", "", bad},
		{"no name but slashes", "/", "", "//", bad},
		{"a level without a name", "/", "", "a//b", bad},
		{"line end", "/", "", "a\r\nx LOGOUT", bad},
		{"NUL", "/", "", "a\x00", bad},
		{"DEL", "/", "", "a\x7f", bad},
		{"not UTF-8", "/", "", "a\xff", bad},
		{"not ASCII", "/", "", "Grüße", "Grüße"},
		{"longer than a line may be", "/", "", strings.Repeat("x", 5000), bad},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := naming{c.delimiter, c.prefix}.raw(c.folder)
			if c.want == bad {
				e := check.Class(t, err, sync.Config)
				check.Advises(t, e, "--folder")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			check.Equal(t, "name", got, c.want)
		})
	}
}

func TestNamespace(t *testing.T) {
	list := `* LIST (\Noselect) "." ""` + "\r\n% OK\r\n"
	for _, c := range []struct{ name, caps, namespace, list, delimiter, prefix string }{
		{"Courier", "NAMESPACE", `* NAMESPACE (("INBOX." ".")) NIL (("#shared." "."))` + "\r\n% OK\r\n", list, ".", "INBOX."},
		{"Dovecot", "NAMESPACE", `* NAMESPACE (("" "/")) NIL NIL` + "\r\n% OK\r\n", list, "/", ""},
		{"flat", "NAMESPACE", `* NAMESPACE (("" NIL)) NIL NIL` + "\r\n% OK\r\n", list, "", ""},
		{"no personal one", "NAMESPACE", "* NAMESPACE NIL NIL NIL\r\n% OK\r\n", list, ".", ""},
		{"refused", "NAMESPACE", "% NO\r\n", list, ".", ""},
		{"not known", "", "% BAD\r\n", list, ".", ""},
		{"neither", "", "% BAD\r\n", "% OK\r\n", "", ""},
		{"flat by LIST", "", "% BAD\r\n", "* LIST () NIL \"\"\r\n% OK\r\n", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, script(t, caps(c.caps).with("NAMESPACE", c.namespace, "LIST", c.list)))
			check.Equal(t, "naming", s.names, naming{c.delimiter, c.prefix})
		})
	}
	t.Run("LIST refused", func(t *testing.T) {
		err := refused(t, at(script(t, caps("").with("LIST", "% NO \x1b no\r\n"))), alice)
		check.Class(t, err, sync.Unavailable)
	})
}

func TestFolderAsItWasOpened(t *testing.T) {
	for _, c := range []struct {
		name, caps, examine, status string
		want                        sync.Folder
	}{
		{"all said", "", "* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4294967295]\r\n% OK [READ-ONLY]\r\n", "",
			sync.Folder{UIDValidity: 7, UIDNext: math.MaxUint32}},
		{"nothing said", "", "% OK\r\n", "% NO\r\n", sync.Folder{}},
		{"zeros", "", "* OK [UIDVALIDITY 0] x\r\n* OK [UIDNEXT 0] x\r\n% OK\r\n", "% NO\r\n", sync.Folder{}},
		{"odd flags, and what nobody knows", "", "* FLAGS (\\* \"x\" (\r\n* OK [PERMANENTFLAGS]\r\n* VANISHED 1:5\r\n" +
			"* OK [UIDNEXT what]\r\n* X-THING {3}\r\nabc {2}\r\nde\r\n* OK [UIDVALIDITY 7]\r\n* 5 WHAT\r\n% OK\r\n", "% NO\r\n",
			sync.Folder{UIDValidity: 7}},
		{"IMAP4rev2 unasked", "", "* CAPABILITY IMAP4rev1 IMAP4rev2\r\n* OK [CAPABILITY IMAP4rev2] x\r\n% OK\r\n", "% NO\r\n", sync.Folder{}},
		{"limit for all", "APPENDLIMIT=35651584", "% OK\r\n", "% NO\r\n", sync.Folder{AppendLimit: 35651584}},
		{"limit that is no number", "APPENDLIMIT=x", "% OK\r\n", "% NO\r\n", sync.Folder{}},
		{"limit for this one", "APPENDLIMIT", "% OK\r\n", "* STATUS INBOX (APPENDLIMIT 1000)\r\n% OK\r\n",
			sync.Folder{AppendLimit: 1000}},
		{"no limit for this one", "APPENDLIMIT", "% OK\r\n", "* STATUS INBOX (APPENDLIMIT NIL)\r\n% OK\r\n", sync.Folder{}},
		{"nothing said but by STATUS", "", "% OK\r\n", "* STATUS INBOX (UIDNEXT 5 UIDVALIDITY 7)\r\n% OK\r\n",
			sync.Folder{UIDValidity: 7, UIDNext: 5}},
		{"UIDNEXT not said but by STATUS", "", "* OK [UIDVALIDITY 7]\r\n% OK\r\n", "* STATUS INBOX (UIDVALIDITY 7 UIDNEXT 5)\r\n% OK\r\n",
			sync.Folder{UIDValidity: 7, UIDNext: 5}},
		{"STATUS of another time", "", "* OK [UIDVALIDITY 7]\r\n% OK\r\n", "* STATUS INBOX (UIDVALIDITY 8 UIDNEXT 5)\r\n% OK\r\n",
			sync.Folder{UIDValidity: 7}},
		{"UIDNEXT not said by STATUS either", "", "* OK [UIDVALIDITY 7]\r\n% OK\r\n", "* STATUS INBOX ()\r\n% OK\r\n",
			sync.Folder{UIDValidity: 7}},
		{"limit not said", "APPENDLIMIT", "% OK\r\n", "% OK\r\n", sync.Folder{}},
		{"limit refused", "APPENDLIMIT", "% OK\r\n", "% NO\r\n", sync.Folder{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, script(t, caps(c.caps).with("EXAMINE INBOX", c.examine, "STATUS INBOX", c.status,
				`EXAMINE "Gr&APwA3w-e"`, "% OK\r\n", `STATUS "Gr&APwA3w-e"`, "% OK\r\n")))
			c.want.Name = "INBOX"
			got, err := s.Open(t.Context(), "INBOX", false)
			if err != nil {
				t.Fatal(err)
			}
			check.Equal(t, "folder", got, c.want)
			if _, err := s.Open(t.Context(), "Grüße", false); err != nil {
				t.Errorf("the next one: %v", err)
			}
		})
	}
}

func TestServerWithoutEnd(t *testing.T) {
	many := strings.Repeat(`* LIST () "/" x`+"\r\n", 1000)
	for name, flood := range map[string]string{"a list": many, "notices": strings.Repeat("* OK still here\r\n", 1000)} {
		s := answering(t, "", "EXAMINE", func(p *lab.Peer) {
			for p.Send(flood) == nil {
			}
		})
		check.Soon(t, name, func() {
			_, err := s.Open(t.Context(), "INBOX", false)
			check.Says(t, check.Class(t, err, sync.Protocol), "does not come to an end")
		})
	}
}

func TestLimits(t *testing.T) {
	for name, answer := range map[string]string{
		"a line without end":   "* OK " + strings.Repeat("x", 2<<20),
		"a literal":            "* LIST () \"/\" {99999999}\r\n",
		"a literal in nothing": "* X {99999999999}\r\n",
		"a FETCH":              "* 1 FETCH (BODY[] {99999999999999999999999}\r\n",
	} {
		s := answering(t, "", "EXAMINE", func(p *lab.Peer) {
			p.Send(answer)
			p.ReadLine()
		})
		check.Soon(t, name, func() {
			_, err := s.Open(t.Context(), "INBOX", false)
			check.Says(t, check.Class(t, err, sync.Protocol), "octets")
		})
	}
}
