package lab

import (
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
)

func TestIMAPMessagesAreACopy(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	c := loggedIn(t, s)
	mustPut(t, c, "INBOX", "A: 1\r\n\r\n", &imap.AppendOptions{Flags: []imap.Flag{imap.FlagFlagged}})
	list := stored(t, s, "INBOX")
	list[0].Flags[0] = "changed"
	list[0].UID = 99
	again := stored(t, s, "INBOX")[0]
	same(t, "flags", again.Flags, []string{`\Flagged`})
	equal(t, "UID", again.UID, 1)
	if _, err := s.Messages("Nowhere"); err == nil {
		t.Error("there are messages in a folder that does not exist")
	}
	same(t, "Commands", s.Commands()[2:], nil)
	equal(t, "connections", s.Connections(), 1)
}

func TestIMAPFoldersComeAndGo(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	c := loggedIn(t, s)
	same(t, "at first", s.Folders(), []string{"INBOX"})
	for _, name := range []string{"Lists", "Lists/Go", "Entwürfe & mehr", "Trash/"} {
		if err := c.Create(name, nil).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, c.Create("Lists", nil).Wait(), imap.ResponseCodeAlreadyExists)
	mustPut(t, c, "Lists", "A: 1\r\n\r\n", nil)
	if err := c.Rename("Lists", "Old lists", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete("Trash").Wait(); err != nil {
		t.Fatal(err)
	}
	same(t, "Folders", s.Folders(), []string{"Entwürfe & mehr", "INBOX", "Lists/Go", "Old lists"})
	holds(t, s, "Old lists", "A: 1\r\n\r\n")
	listed, err := c.List("", "*", nil).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range listed {
		names = append(names, l.Mailbox)
	}
	same(t, "LIST", names, s.Folders())
}

func TestIMAPFolderMadeAgainIsAnotherOne(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	c := loggedIn(t, s)
	var validity []uint32
	for range 2 {
		if err := c.Create("Other", nil).Wait(); err != nil {
			t.Fatal(err)
		}
		validity = append(validity, mustPut(t, c, "Other", "A: 1\r\n\r\n", nil).UIDValidity)
		holds(t, s, "Other", "A: 1\r\n\r\n")
		if err := c.Delete("Other").Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if validity[0] == validity[1] {
		t.Errorf("both have UIDVALIDITY %d", validity[0])
	}
}

func TestIMAPStoresFlags(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	c := loggedIn(t, s)
	for range 2 {
		mustPut(t, c, "INBOX", "A: 1\r\n\r\n", &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}})
	}
	open(t, c, "INBOX", false)
	store := func(op imap.StoreFlagsOp, flags ...imap.Flag) {
		t.Helper()
		got, err := c.Store(imap.UIDSetNum(2), &imap.StoreFlags{Op: op, Flags: flags}, nil).Collect()
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, f := range got[0].Flags {
			told = append(told, string(f))
		}
		same(t, "told and kept", told, stored(t, s, "INBOX")[1].Flags)
	}
	store(imap.StoreFlagsAdd, `\answered`, "$Forwarded")
	same(t, "added", stored(t, s, "INBOX")[1].Flags, []string{"$Forwarded", `\Answered`, `\Seen`})
	store(imap.StoreFlagsDel, `\SEEN`)
	same(t, "removed", stored(t, s, "INBOX")[1].Flags, []string{"$Forwarded", `\Answered`})
	store(imap.StoreFlagsSet, imap.FlagDraft)
	same(t, "set", stored(t, s, "INBOX")[1].Flags, []string{`\Draft`})
	same(t, "the other message", stored(t, s, "INBOX")[0].Flags, []string{`\Seen`})
}

func TestIMAPCopiesAndExpunges(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	c := loggedIn(t, s)
	if err := c.Create("Other", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{"one", "two", "three"} {
		mustPut(t, c, "INBOX", raw, &imap.AppendOptions{Flags: []imap.Flag{imap.FlagFlagged}})
	}
	open(t, c, "INBOX", false)
	data, err := c.Copy(imap.SeqSetNum(1, 3), "Other").Wait()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "COPYUID", data.SourceUIDs.String()+" "+data.DestUIDs.String(), "1,3 1:2")
	deleted := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}, Silent: true}
	if err := c.Store(imap.SeqSetNum(1), deleted, nil).Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Expunge().Close(); err != nil {
		t.Fatal(err)
	}
	holds(t, s, "INBOX", "two", "three")
	holds(t, s, "Other", "one", "three")
	same(t, "flags of the copy", stored(t, s, "Other")[0].Flags, []string{`\Flagged`})
	equal(t, "what is now the second", fetched(t, c, "", &imap.FetchItemBodySection{})[1], "three")
}

func TestIMAPExamineChangesNothing(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	c := loggedIn(t, s)
	mustPut(t, c, "INBOX", "one", &imap.AppendOptions{Flags: []imap.Flag{imap.FlagDeleted}})
	data := open(t, c, "INBOX", true)
	same(t, "permanent flags", data.PermanentFlags, nil)
	if err := c.Store(imap.SeqSetNum(1), &imap.StoreFlags{Op: imap.StoreFlagsSet}, nil).Close(); err == nil {
		t.Error("STORE was executed")
	}
	if err := c.UnselectAndExpunge().Wait(); err != nil {
		t.Fatal(err)
	}
	holds(t, s, "INBOX", "one")
	same(t, "flags", stored(t, s, "INBOX")[0].Flags, []string{`\Deleted`})
}

func TestIMAPSelectTellsOfTheFolder(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	c := loggedIn(t, s)
	for range 3 {
		mustPut(t, c, "INBOX", "one", &imap.AppendOptions{Flags: []imap.Flag{"Custom", imap.FlagSeen}})
	}
	data := open(t, c, "INBOX", false)
	equal(t, "EXISTS", data.NumMessages, 3)
	equal(t, "UIDNEXT", data.UIDNext, 4)
	equal(t, "UIDVALIDITY", data.UIDValidity, 1)
	flags := []imap.Flag{imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted, imap.FlagSeen, imap.FlagDraft, "custom"}
	same(t, "FLAGS", data.Flags, flags)
	same(t, "PERMANENTFLAGS", data.PermanentFlags, append(flags, imap.FlagWildcard))
}

func TestIMAPSessionsSeeEachOthersMessages(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	one, two := loggedIn(t, s), loggedIn(t, s)
	open(t, two, "INBOX", true)
	mustPut(t, one, "INBOX", "A: 1\r\n\r\n", nil)
	same(t, "before it is told of it", fetched(t, two, "", &imap.FetchItemBodySection{Peek: true}), nil)
	if err := two.Noop().Wait(); err != nil {
		t.Fatal(err)
	}
	same(t, "afterwards", fetched(t, two, "", &imap.FetchItemBodySection{Peek: true}), []string{"A: 1\r\n\r\n"})
}

// Under -race: nobody's flags are read while another session changes them.
func TestIMAPFetchesFlagsWhileTheyChange(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	one, two := loggedIn(t, s), loggedIn(t, s)
	for range 20 {
		mustPut(t, one, "INBOX", "A: 1\r\n\r\n", &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen, imap.FlagDraft}})
	}
	open(t, one, "INBOX", false)
	open(t, two, "INBOX", true)
	done := make(chan error)
	go func() {
		for range 50 {
			for _, op := range []imap.StoreFlagsOp{imap.StoreFlagsAdd, imap.StoreFlagsDel} {
				f := &imap.StoreFlags{Op: op, Flags: []imap.Flag{imap.FlagAnswered}, Silent: true}
				if err := one.Store(imap.SeqSetNum(1, 7, 20), f, nil).Close(); err != nil {
					done <- err
					return
				}
			}
		}
		done <- nil
	}()
	for range 50 {
		got, err := two.Fetch(imap.SeqSet{imap.SeqRange{Start: 1}}, &imap.FetchOptions{Flags: true}).Collect()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range got {
			if n := len(m.Flags); n != 2 && n != 3 {
				t.Errorf("flags: %v", m.Flags)
			}
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestIMAPKnowsNoMove(t *testing.T) {
	w := rawIMAP(t, startIMAP(t, IMAPOptions{}))
	w.send("b APPEND INBOX {3+}\r\none\r\n")
	w.wants("b OK")
	w.do("c SELECT INBOX", "* 1 EXISTS")
	for !strings.HasPrefix(w.line(), "c OK") {
	}
	w.do("d MOVE 1 INBOX", "d BAD")
}

func TestIMAPWithoutACapability(t *testing.T) {
	for _, missing := range IMAPCaps {
		t.Run(string(missing), func(t *testing.T) {
			caps := loggedIn(t, startIMAP(t, IMAPOptions{Without: []imap.Cap{missing}})).Caps()
			for _, c := range IMAPCaps {
				if _, announced := caps[c]; announced == (c == missing) {
					t.Errorf("%s is announced: %t", c, announced)
				}
			}
		})
	}
}
