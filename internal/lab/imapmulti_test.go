package lab

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

// multi is an APPEND of several messages to INBOX, with its tag b, none of whose literals has to be asked for.
func multi(raw ...string) string {
	var b strings.Builder
	b.WriteString("b APPEND INBOX")
	for _, r := range raw {
		fmt.Fprintf(&b, " {%d+}\r\n%s", len(r), r)
	}
	return b.String() + "\r\n"
}

func TestIMAPStoresSeveralMessagesAtOnce(t *testing.T) {
	long := "A: 1\r\n\r\n" + strings.Repeat("0123456789abcde\n", 20_000)
	for _, raw := range [][]string{
		{"one", "two", "three"},
		{"", "", ""},
		{"A: 1\r\n\r\n\x00\xff\r", long, " {3+}\r\n", long, "x"},
	} {
		for _, sync := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d messages, asked for %t", len(raw), sync), func(t *testing.T) {
				s := startIMAP(t, IMAPOptions{})
				w := rawIMAP(t, s)
				want := "APPEND INBOX"
				if sync {
					w.send("b APPEND INBOX")
					for _, r := range raw {
						want += fmt.Sprintf(" {%d}", len(r))
						w.do(fmt.Sprintf(" {%d}", len(r)), "+")
						w.send(r)
					}
					w.send("\r\n")
				} else {
					w.send(multi(raw...))
					for _, r := range raw {
						want += fmt.Sprintf(" {%d+}", len(r))
					}
				}
				w.wants(fmt.Sprintf("b OK [APPENDUID 1 1:%d] ", len(raw)))
				w.do("c NOOP", "c OK")
				holds(t, s, "INBOX", raw...)
				same(t, "Commands", s.Commands()[1:], []string{want, "NOOP"})
			})
		}
	}
}

func TestIMAPKeepsFlagsAndDateOfEachOfSeveral(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	w := rawIMAP(t, s)
	w.send("b APPEND \"INBOX\" (\\Seen) {3+}\r\none (\\answered custom) \" 2-Mar-1998 09:20:56 -0530\" {3+}\r\ntwo" +
		" \"12-Mar-2020 09:20:56 +0000\" {5+}\r\nthree () {4+}\r\nfour\r\n")
	w.wants("b OK [APPENDUID 1 1:4] ")
	list := stored(t, s, "INBOX")
	same(t, "flags of the first", list[0].Flags, []string{`\Seen`})
	same(t, "of the second", list[1].Flags, []string{`\Answered`, "custom"})
	same(t, "of the third", list[2].Flags, nil)
	same(t, "of the fourth", list[3].Flags, nil)
	equal(t, "date of the second", list[1].Date.Format(time.RFC3339), "1998-03-02T09:20:56-05:30")
	equal(t, "of the third", list[2].Date.Format(time.RFC3339), "2020-03-12T09:20:56Z")
	if d := time.Since(list[3].Date); d < 0 || d > patience {
		t.Errorf("without a date it is %v old", d)
	}
}

// What is refused of several is refused of all, and the connection goes on.
func TestIMAPRefusesSeveralMessagesTogether(t *testing.T) {
	refuse := func(_ int64, raw []byte) error {
		if string(raw) == "virus" {
			return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeOverQuota, Text: "no"}
		}
		return nil
	}
	without := []imap.Cap{imap.CapMultiAppend}
	for _, c := range []struct {
		name    string
		o       IMAPOptions
		command string
		want    string
	}{
		{"one of them", IMAPOptions{RefuseAppend: refuse}, multi("one", "two", "virus"), "b NO [OVERQUOTA]"},
		{"no folder", IMAPOptions{}, strings.Replace(multi("one", "two"), "INBOX", "x", 1), "b NO [TRYCREATE]"},
		{"the first too large", IMAPOptions{AppendLimit: 4}, multi("x y z", "c CREATE x\r\n", "3"), "b NO [TOOBIG]"},
		{"another too large", IMAPOptions{AppendLimit: 4}, multi("1", "c CREATE x\r\n", "3"), "b NO [TOOBIG]"},
		{"no date", IMAPOptions{}, strings.Replace(multi("1", "2"), "1 {", "1 \"today\" {", 1), "b BAD"},
		{"no list of flags", IMAPOptions{}, strings.Replace(multi("1", "2"), "1 {", "1 \\Seen {", 1), "b BAD"},
		{"more than an APPEND", IMAPOptions{}, "b APPEND INBOX {1+}\r\n1 {1+}\r\n2 xyz\r\n", "b BAD"},
		{"a literal that should have waited", IMAPOptions{Without: []imap.Cap{imap.CapLiteralPlus}},
			multi("1", strings.Repeat("c CREATE x\r\n", 400)), "b BAD"},
		{"not known", IMAPOptions{Without: without}, multi("one", "c CREATE x\r\n"), "b BAD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startIMAP(t, c.o)
			w := rawIMAP(t, s)
			w.send(c.command)
			w.wants(c.want)
			w.do("d NOOP", "d OK")
			holds(t, s, "INBOX")
			same(t, "Folders", s.Folders(), []string{"INBOX"})
			w.send("e APPEND INBOX {1+}\r\n1\r\n")
			w.wants("e OK [APPENDUID 1 1]")
		})
	}
}

func TestIMAPRefusesOneOfSeveralInsteadOfAskingForIt(t *testing.T) {
	s := startIMAP(t, IMAPOptions{AppendLimit: 4})
	w := rawIMAP(t, s)
	w.do("b APPEND INBOX {3}", "+")
	w.do("one {5}", "b NO [TOOBIG]")
	w.do("c APPEND INBOX {3}", "+")
	w.do("one {3}", "+")
	w.do("two", "c OK [APPENDUID 1 1:2]")
	holds(t, s, "INBOX", "one", "two")
	same(t, "Commands", s.Commands()[1:], []string{"APPEND INBOX {3} {5}", "APPEND INBOX {3} {3}"})
}

// All or nothing, wherever the client's line ends.
func TestIMAPStoresNothingOfSeveralThatAreCutByTheClient(t *testing.T) {
	whole := multi("A: 1\n", "", "B: 2\n")
	for n := range len(whole) + 1 {
		s := startIMAP(t, IMAPOptions{})
		w := rawIMAP(t, s)
		w.send(whole[:n])
		w.c.(interface{ CloseWrite() error }).CloseWrite()
		if n == len(whole) {
			w.wants("b OK")
			w.ends()
			holds(t, s, "INBOX", "A: 1\n", "", "B: 2\n")
			continue
		}
		w.ends()
		s.Close()
		if list := stored(t, s, "INBOX"); len(list) > 0 {
			t.Errorf("cut after %d octets: %d messages are there", n, len(list))
		}
	}
}

func TestIMAPHookDecidesAboutSeveralMessages(t *testing.T) {
	for fate, want := range map[Fate][]string{Cut: nil, CutReply: {"one", "two"}} {
		s := startIMAP(t, IMAPOptions{Hook: fateOf("APPEND INBOX {3+} {3+}", fate)})
		w := rawIMAP(t, s)
		w.send(multi("one", "two"))
		w.ends()
		s.Close()
		holds(t, s, "INBOX", want...)
	}
}

func TestIMAPWithoutUIDPLUSTellsNoUIDOfSeveral(t *testing.T) {
	s := startIMAP(t, IMAPOptions{Without: []imap.Cap{imap.CapUIDPlus}})
	w := rawIMAP(t, s)
	w.send(multi("one", "two"))
	equal(t, "answer", w.wants("b "), "b OK APPEND completed")
	holds(t, s, "INBOX", "one", "two")
}

func TestIMAPSelectedFolderGrowsBySeveral(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	w := rawIMAP(t, s)
	examine := func(tag, next string) {
		t.Helper()
		w.send(tag + " EXAMINE INBOX\r\n")
		var lines []string
		for len(lines) == 0 || !strings.HasPrefix(lines[len(lines)-1], tag) {
			lines = append(lines, w.line())
		}
		if all := strings.Join(lines, ""); !strings.Contains(all, "[UIDNEXT "+next+"]") {
			t.Errorf("UIDNEXT is not %s in %s", next, all)
		}
	}
	examine("a", "1")
	w.send(multi("one", "two"))
	w.wants("b OK [APPENDUID 1 1:2]")
	w.do("c NOOP", "* 1 EXISTS")
	w.wants("* 2 EXISTS")
	w.wants("c OK")
	examine("d", "3")
}

// Two that store at the same time do not get between each other's messages.
func TestIMAPSeveralMessagesStandTogether(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	var both [2]*talk
	for i := range both {
		both[i] = rawIMAP(t, s)
	}
	for range 20 {
		both[0].send(multi("a1", "a2", "a3"))
		both[1].send(multi("b1", "b2", "b3"))
		both[0].wants("b OK")
		both[1].wants("b OK")
	}
	var all strings.Builder
	for _, m := range stored(t, s, "INBOX") {
		all.Write(m.Raw)
	}
	rest := strings.ReplaceAll(strings.ReplaceAll(all.String(), "a1a2a3", ""), "b1b2b3", "")
	equal(t, "octets", all.Len(), 20*12)
	equal(t, "out of order", rest, "")
}

func TestIMAPStoresSeveralInsideSTARTTLS(t *testing.T) {
	a := authority(t)
	s := startIMAP(t, IMAPOptions{TLS: a.Good.Config, Hook: fateOf("NOOP", Cut)})
	w := talkOn(t, dial(t, s))
	w.wants("* OK")
	w.do("a STARTTLS", "a OK")
	if err := w.secure(a); err != nil {
		t.Fatal(err)
	}
	w.do("b CAPABILITY", "* CAPABILITY IMAP4rev1 SASL-IR")
	w.wants("b OK")
	w.do("c STARTTLS", "c NO")
	w.do(`d LOGIN "`+user+`" "`+password+`"`, "d OK [CAPABILITY IMAP4rev1 MULTIAPPEND ")
	w.send(multi("one", "two"))
	w.wants("b OK [APPENDUID 1 1:2]")
	w.send("e NOOP\r\n")
	w.ends()
	holds(t, s, "INBOX", "one", "two")
	same(t, "Commands", s.Commands(), []string{"STARTTLS", "CAPABILITY", "STARTTLS", "LOGIN ***",
		"APPEND INBOX {3+} {3+}", "NOOP"})
}

func TestIMAPDoesNotTakeCommandsAheadOfTheHandshake(t *testing.T) {
	a := authority(t)
	w := talkOn(t, dial(t, startIMAP(t, IMAPOptions{TLS: a.Good.Config})))
	w.wants("* OK")
	w.send("a STARTTLS\r\nb CREATE x\r\n")
	w.wants("a OK")
	w.ends()
	w = rawIMAP(t, startIMAP(t, IMAPOptions{TLS: a.Good.Config}))
	w.do("b STARTTLS", "b NO") // after login
}

// A client that knows nothing of MULTIAPPEND goes on as before.
func TestIMAPClientSeesItsMessagesAfterSeveral(t *testing.T) {
	s := startIMAP(t, IMAPOptions{})
	c := loggedIn(t, s)
	open(t, c, "INBOX", true)
	w := rawIMAP(t, s)
	w.send(multi("one", "two"))
	w.wants("b OK")
	equal(t, "UID", mustPut(t, c, "INBOX", "three", nil).UID, 3)
	same(t, "messages", fetched(t, c, "", &imap.FetchItemBodySection{Peek: true}), []string{"one", "two", "three"})
}
