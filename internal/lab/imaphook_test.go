package lab

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-imap/v2"
)

// fateOf is a hook that has a fate for commands with this beginning.
func fateOf(prefix string, f Fate) func(int, string) Fate {
	return func(_ int, command string) Fate {
		if strings.HasPrefix(command, prefix) {
			return f
		}
		return Execute
	}
}

func TestIMAPHookDecidesAboutAnAppend(t *testing.T) {
	for _, c := range []struct {
		name   string
		fate   Fate
		stored bool
	}{{"cut", Cut, false}, {"cut before the reply", CutReply, true}} {
		for _, raw := range []string{"A: 1\r\n\r\none\r\n", "", strings.Repeat("x", 300_000)} {
			for _, sync := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, %d octets, asked for %t", c.name, len(raw), sync), func(t *testing.T) {
					s := startIMAP(t, IMAPOptions{Hook: fateOf("APPEND", c.fate)})
					w := rawIMAP(t, s)
					if sync {
						w.do(fmt.Sprintf("b APPEND INBOX {%d}", len(raw)), "+")
						w.send(raw + "\r\n")
					} else {
						w.send(fmt.Sprintf("b APPEND INBOX {%d+}\r\n%s\r\n", len(raw), raw))
					}
					w.ends()
					s.Close()
					if c.stored {
						holds(t, s, "INBOX", raw)
					} else {
						holds(t, s, "INBOX")
					}
				})
			}
		}
	}
}

// An APPEND is complete with its last CRLF: what was cut before is not stored, and no command either.
func TestIMAPStoresNothingOfAnAppendThatIsCutByTheClient(t *testing.T) {
	const head, raw = "b APPEND INBOX {5+}\r\n", "A: 1\n"
	for n := range len(head + raw + "\r\n") {
		t.Run(fmt.Sprintf("after %d octets", n), func(t *testing.T) {
			s := startIMAP(t, IMAPOptions{})
			w := rawIMAP(t, s)
			w.send((head + raw + "\r\n")[:n])
			w.c.(interface{ CloseWrite() error }).CloseWrite()
			w.ends()
			holds(t, s, "INBOX")
			same(t, "Commands", s.Commands(), []string{"LOGIN ***"})
		})
	}
}

func TestIMAPStoresNothingOfALiteralThatIsCutInsideTLS(t *testing.T) {
	a := authority(t)
	s := startIMAP(t, IMAPOptions{TLS: a.Good.Config})
	w := talkOn(t, dial(t, s))
	w.wants("* OK")
	w.do("a STARTTLS", "a OK")
	if err := w.secure(a); err != nil {
		t.Fatal(err)
	}
	w.do(`b LOGIN "`+user+`" "`+password+`"`, "b OK")
	w.do("c APPEND INBOX {5}", "+")
	w.send("A: 1")
	w.c.(interface{ CloseWrite() error }).CloseWrite()
	w.ends()
	holds(t, s, "INBOX")
}

func TestIMAPHookCutsOtherCommands(t *testing.T) {
	for _, c := range []struct {
		name, line, prefix string
		fate               Fate
		folders            []string
	}{
		{"CREATE cut", "b CREATE Other", "CREATE", Cut, []string{"INBOX"}},
		{"CREATE cut before the reply", "b CREATE Other", "CREATE", CutReply, []string{"INBOX", "Other"}},
		{"SELECT cut before the reply", "b SELECT INBOX", "SELECT", CutReply, []string{"INBOX"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startIMAP(t, IMAPOptions{Hook: fateOf(c.prefix, c.fate)})
			w := rawIMAP(t, s)
			w.send(c.line + "\r\n")
			w.ends()
			s.Close()
			same(t, "Folders", s.Folders(), c.folders)
		})
	}
}

func TestIMAPHookSeesWhatCommandsSays(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	sessions := make(map[int]int)
	s := startIMAP(t, IMAPOptions{Hook: func(session int, command string) Fate {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, command)
		sessions[session]++
		return Execute
	}})
	for range 2 {
		c := loggedIn(t, s)
		mustPut(t, c, "INBOX", "A: 1\r\n\r\n", &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}})
		open(t, c, "INBOX", true)
		fetched(t, c, "", &imap.FetchItemBodySection{Peek: true})
		if err := c.Logout().Wait(); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	once := []string{"LOGIN ***", `APPEND INBOX (\Seen) {8+}`, "EXAMINE INBOX", "FETCH 1:* (UID BODY.PEEK[])", "LOGOUT"}
	same(t, "what the hook saw", seen, slices.Concat(once, once))
	same(t, "Commands", s.Commands(), seen)
	equal(t, "first session's", sessions[1], len(once))
	equal(t, "second session's", sessions[2], len(once))
}

func TestIMAPCommandsHideSecrets(t *testing.T) {
	s := startIMAP(t, IMAPOptions{Mechs: []string{"PLAIN", "LOGIN"}})
	w := talkOn(t, dial(t, s))
	w.wants("* OK")
	w.do("a login alice secret", "a NO")
	w.do("b LOGIN {5}", "+")
	w.do("alice {6}", "+")
	w.do("secret", "b NO")
	w.send("c LOGIN {5+}\r\nalice {6+}\r\nsecret\r\n")
	w.wants("c NO")
	w.do("d AUTHENTICATE PLAIN c2VjcmV0", "d NO")
	w.do("e authenticate login", "+")
	w.do("YWxpY2U=", "+")
	w.do("c2VjcmV0", "e NO")
	w.do("f NOOP", "f OK")
	want := []string{"login ***", "LOGIN ***", "LOGIN ***", "AUTHENTICATE PLAIN ***", "authenticate login", "***", "***",
		"NOOP"}
	same(t, "Commands", s.Commands(), want)
}
