package lab

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

func TestIMAPStoresAfterTheLineHasDied(t *testing.T) {
	for _, raw := range [][]string{{"one"}, {"one", "two", "three"}} {
		t.Run(fmt.Sprint(len(raw)), func(t *testing.T) {
			s := startIMAP(t, IMAPOptions{Hook: fateOf("APPEND", CutLate)})
			w := rawIMAP(t, s)
			w.send(multi(raw...))
			w.ends()
			holds(t, s, "INBOX")
			w = rawIMAP(t, s)
			w.do("c STATUS INBOX (UIDNEXT)", "* STATUS INBOX (UIDNEXT 1)")
			w.wants("c OK")
			for range 2 { // the second time nothing is left to be stored
				if err := s.Commit(); err != nil {
					t.Fatal(err)
				}
				holds(t, s, "INBOX", raw...)
			}
			w.do("d STATUS INBOX (UIDNEXT)", fmt.Sprintf("* STATUS INBOX (UIDNEXT %d)", len(raw)+1))
		})
	}
}

// A hook that waits is a server that commits after its client has gone.
func TestIMAPStoresWhenItsHookAllowsItThoughTheClientIsGone(t *testing.T) {
	arrived, allowed := make(chan bool), make(chan bool)
	s := startIMAP(t, IMAPOptions{Hook: func(_ int, command string) Fate {
		if command == "APPEND INBOX {3+} {3+}" {
			arrived <- true
			<-allowed
		}
		return Execute
	}})
	w := rawIMAP(t, s)
	w.send(multi("one", "two"))
	<-arrived
	w.c.Close()
	holds(t, s, "INBOX")
	close(allowed)
	s.Close()
	holds(t, s, "INBOX", "one", "two")
}

func TestIMAPRefusesWhatItIsToStoreLaterAtOnce(t *testing.T) {
	s := startIMAP(t, IMAPOptions{Hook: fateOf("APPEND", CutLate), RefuseAppend: func(int64, []byte) error {
		return bad("no")
	}})
	w := rawIMAP(t, s)
	w.send(multi("one"))
	w.ends()
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	holds(t, s, "INBOX")
}

func TestIMAPCannotStoreLaterInAFolderThatIsGone(t *testing.T) {
	s := startIMAP(t, IMAPOptions{Hook: fateOf("APPEND", CutLate), SpecialUse: archive})
	w := rawIMAP(t, s)
	w.send("b APPEND Archive {3+}\r\none\r\n")
	w.ends()
	w = rawIMAP(t, s)
	w.do("c DELETE Archive", "c OK")
	if err := s.Commit(); err == nil {
		t.Error("committed")
	}
}

func TestIMAPLiesAboutAnAppend(t *testing.T) {
	lie := true
	s := startIMAP(t, IMAPOptions{Hook: func(_ int, command string) Fate {
		if lie {
			return Lie
		}
		return Execute
	}})
	w := rawIMAP(t, s)
	w.send(multi("one"))
	w.wants("b OK [APPENDUID 1 1]")
	w.send(multi("two", "three"))
	w.wants("b OK [APPENDUID 1 2:3]")
	holds(t, s, "INBOX")
	lie = false
	w.send(multi("four"))
	w.wants("b OK [APPENDUID 1 4]")
	holds(t, s, "INBOX", "four")
}

func TestIMAPAltersWhatItStores(t *testing.T) {
	s := startIMAP(t, IMAPOptions{
		Alter:        func(raw []byte) []byte { return append([]byte("X-Seen: yes\r\n"), raw...) },
		RefuseAppend: func(size int64, _ []byte) error { return map[bool]error{true: bad("size")}[size != 3] },
	})
	w := rawIMAP(t, s)
	w.send(multi("one", "two"))
	w.wants("b OK")
	holds(t, s, "INBOX", "X-Seen: yes\r\none", "X-Seen: yes\r\ntwo")
	equal(t, "Size", stored(t, s, "INBOX")[1].Size, 16)
	same(t, "BODY[]", fetched(t, loggedIn(t, s), "INBOX", &imap.FetchItemBodySection{Peek: true}),
		[]string{"X-Seen: yes\r\none", "X-Seen: yes\r\ntwo"})
}

var archive = map[string]imap.MailboxAttr{"Archive": imap.MailboxAttrArchive, "Spam/Old": imap.MailboxAttrJunk}

func TestIMAPTellsWhatFoldersAreFor(t *testing.T) {
	s := startIMAP(t, IMAPOptions{SpecialUse: archive})
	same(t, "Folders", s.Folders(), []string{"Archive", "INBOX", "Spam/Old"})
	w := rawIMAP(t, s)
	for command, want := range map[string][]string{
		`LIST "" *`: {`(\Archive) "/" "Archive"`, `() "/" INBOX`, `(\Junk) "/" "Spam/Old"`},
		`LIST "" %`: {`(\Archive) "/" "Archive"`, `() "/" INBOX`},
		`LIST (SPECIAL-USE) "" * RETURN (SPECIAL-USE)`: {`(\Archive) "/" "Archive"`, `(\Junk) "/" "Spam/Old"`},
		`LIST "" ""`: {`(\Noselect) "/" ""`},
	} {
		w.send("b " + command + "\r\n")
		for _, line := range want {
			equal(t, command, w.wants("* LIST "), "* LIST "+line)
		}
		w.wants("b OK")
	}
	w.do(`c LIST "" INBOX RETURN (STATUS (MESSAGES))`, "* LIST ")
	w.wants("* STATUS INBOX (MESSAGES 0)")
	w.wants("c OK")
	w.do("d SUBSCRIBE Archive", "d OK")
	w.do(`e LSUB "" *`, `* LSUB (\Subscribed) "/" "Archive"`)
	w.wants("e OK")
	caps := loggedIn(t, s).Caps()
	plain := loggedIn(t, startIMAP(t, IMAPOptions{})).Caps()
	if !caps.Has(imap.CapSpecialUse) || plain.Has(imap.CapSpecialUse) {
		t.Error("SPECIAL-USE is not announced, or is announced without need")
	}
}

func TestIMAPFoldersChangeBehindTheProtocolsBack(t *testing.T) {
	s := startIMAP(t, IMAPOptions{SpecialUse: archive})
	date := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for n, raw := range []string{"one", "two", "three"} {
		uid, err := s.Put("INBOX", []byte(raw), []string{`\Seen`, "custom"}, date)
		if err != nil || uid != uint32(n+1) {
			t.Fatal(uid, err)
		}
	}
	w := rawIMAP(t, s)
	w.do("b SELECT INBOX", "* 3 EXISTS")
	for w.line()[:1] != "b" {
	}
	uid, err := s.Move("INBOX", "Archive", 2)
	if err != nil || uid != 1 {
		t.Fatal(uid, err)
	}
	moved := stored(t, s, "Archive")[0]
	if !bytes.Equal(moved.Raw, []byte("two")) || !moved.Date.Equal(date) {
		t.Errorf("moved: %+v", moved)
	}
	same(t, "flags", moved.Flags, []string{`\Seen`, "custom"})
	holds(t, s, "INBOX", "one", "three")
	if err := s.Remove("INBOX", 3); err != nil {
		t.Fatal(err)
	}
	holds(t, s, "INBOX", "one")
	w.send("c NOOP\r\n")
	var told []string
	for line := w.line(); line[0] != 'c'; line = w.line() {
		if strings.Contains(line, "EXPUNGE") {
			told = append(told, line)
		}
	}
	same(t, "what a session is told of it", told, []string{"* 2 EXPUNGE\r\n", "* 2 EXPUNGE\r\n"})
	w.do("d UID FETCH 1:* (UID)", "* 1 FETCH (UID 1)")
	w.wants("d OK")
}

func TestIMAPRenumbersAFolder(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	w := rawIMAP(t, s)
	w.send(multi("one", "two", "three"))
	w.wants("b OK [APPENDUID 1 1:3]")
	for _, err := range []error{s.Remove("INBOX", 1), s.Renumber("INBOX")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	holds(t, s, "INBOX", "two", "three")
	equal(t, "UID", stored(t, s, "INBOX")[0].UID, 1)
	data := open(t, loggedIn(t, s), "INBOX", true)
	equal(t, "UIDVALIDITY", data.UIDValidity, 2)
	equal(t, "UIDNEXT", data.UIDNext, 3)
}

func TestIMAPSaysWhatCannotBeChangedBehindItsBack(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	if _, err := s.Put("Nowhere", nil, nil, time.Time{}); err == nil {
		t.Error("put into a folder that does not exist")
	}
	_, err := s.Move("INBOX", "INBOX", 1)
	for _, err := range []error{err, s.Remove("Nowhere", 1), s.Renumber("Nowhere")} {
		if err == nil {
			t.Error("no error")
		}
	}
}
