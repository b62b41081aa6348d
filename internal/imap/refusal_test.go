package imap

import (
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// What servers say that want less at a time.
var throttles = []struct {
	text  string
	pause time.Duration
}{
	{"BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds", 299961 * time.Millisecond},
	{"NO [LIMIT] suggested backoff time: 7 milliseconds", 7 * time.Millisecond},
	{"NO Suggested Backoff Time: 99999999999999999999 milliseconds", 0},
	{"NO [ALERT] Account exceeded command or bandwidth limits. (Failure)", 0},
	{"NO [OVERQUOTA] Account exceeded command or bandwidth limits.", 0},
	{"NO [ALERT] Too many simultaneous connections. (Failure)", 0},
	{"NO Too many connections", 0},
	{"NO Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)", 0},
}

func TestThrottled(t *testing.T) {
	for _, c := range throttles {
		status, text, _ := strings.Cut(c.text, " ")
		for _, otherwise := range []sync.Class{sync.Refused, sync.Unavailable, sync.Temporary} {
			e := refusal(otherwise, status, text)
			check.Equal(t, c.text, e.Class, sync.Temporary)
			check.Equal(t, c.text, e.Pause, c.pause)
		}
	}
	for text, class := range map[string]sync.Class{
		"[OVERQUOTA] full":                                  sync.Full,
		"[TOOBIG] exceeds the bandwidth limit":              sync.Temporary, // it is throttled all the same
		"[AUTHENTICATIONFAILED] throttled":                  sync.Login,     // another try could lock the account
		"[TRYCREATE] none":                                  sync.Missing,
		"unthrottledness":                                   sync.Refused,
		"Message rejected: too many connections of thought": sync.Temporary,
		"": sync.Refused,
	} {
		e := refusal(sync.Refused, "NO", text)
		check.Equal(t, text, e.Class, class)
		check.Equal(t, text, e.Pause, 0)
	}
}

// It is neither the password nor the message that is to blame.
func TestThrottledEverywhere(t *testing.T) {
	for _, c := range throttles {
		status, text, _ := strings.Cut(c.text, " ")
		t.Run("login: "+c.text, func(t *testing.T) {
			s := check.Script(t, denies("AUTH=PLAIN LOGIN", "% "+c.text+"\r\n"))
			e := check.Class(t, refused(t, at(s), Login{User: user, Password: password, Auth: "plain"}), sync.Temporary)
			check.Equal(t, "pause", e.Pause, c.pause)
		})
		t.Run("EXAMINE: "+c.text, func(t *testing.T) {
			_, err := enter(t, script(t, caps("").with("EXAMINE", "% "+c.text+"\r\n"))).Open(t.Context(), "INBOX", false)
			check.Equal(t, "pause", check.Class(t, err, sync.Temporary).Pause, c.pause)
		})
		t.Run("BYE: "+text, func(t *testing.T) {
			s := enter(t, check.Script(t, loginless(func(p *lab.Peer) {
				caps(multi).answerUntil(p, "LIST")
				p.ReadLine()
				p.Send("* BYE " + text + "\r\n")
			})))
			_, err := appendOne(t.Context(), s, inbox, letter("one line"))
			check.Equal(t, "pause", check.Class(t, err, sync.Temporary).Pause, c.pause)
		})
		t.Run("APPEND: "+c.text, func(t *testing.T) {
			s := hearing(t, multi, func(e ear) {
				h, _ := e.append()
				e.append()
				e.say(h, "% "+c.text)
				e.append()
			})
			p, q := s.Append(t.Context(), inbox, letters("a", "b")), s.Append(t.Context(), inbox, letters("c"))
			e := check.Class(t, p.Wait(t.Context())[1].Err, sync.Temporary)
			check.Equal(t, "pause", e.Pause, c.pause)
			check.Equal(t, "unsent", e.Unsent, true)
			if status == "BAD" { // it costs the connection, and for as long
				e := check.Class(t, q.Wait(t.Context())[0].Err, sync.Temporary)
				check.Equal(t, "pause", e.Pause, c.pause)
				check.Equal(t, "unsent", e.Unsent, false)
			}
		})
	}
}
