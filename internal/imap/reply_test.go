package imap

import (
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// takes is a script that reads one APPEND, asks for its literal with plus, reads it, and answers with reply.
func takes(p *lab.Peer, plus, reply string) (tag string, ok bool) {
	line, err := p.Expect("p")
	if err != nil {
		return "", false
	}
	tag, _, _ = strings.Cut(line, " ")
	p.Send(strings.ReplaceAll(plus, "%", tag))
	if _, err := p.ReadLine(); err != nil { // of one line
		return tag, false
	}
	return tag, p.Send(strings.ReplaceAll(reply, "%", tag)) == nil
}

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		reply string
		want  sync.Placed
	}{
		{"% OK [APPENDUID 38505 3955] done", sync.Placed{UIDValidity: 38505, UID: 3955}},
		{"% ok [appenduid 1 4294967295]", sync.Placed{UIDValidity: 1, UID: 4294967295}},
		{"* 1 EXISTS\r\n* 1 RECENT\r\n% OK [APPENDUID 1 2]", sync.Placed{UIDValidity: 1, UID: 2}},
		{"% OK done", sync.Placed{}},
		{"% OK", sync.Placed{}},
		{"% OK [APPENDUID 1]", sync.Placed{}},
		{"% OK [APPENDUID]", sync.Placed{}},
		{"% OK [APPENDUID 0 5]", sync.Placed{}},
		{"% OK [APPENDUID 5 0]", sync.Placed{}},
		{"% OK [APPENDUID 1 4294967296]", sync.Placed{}},
		{"% OK [APPENDUID 1 2:3]", sync.Placed{}},
		{"% OK [APPENDUID 1 2 3]", sync.Placed{}},
		{"% OK [APPENDUID -1 -2]", sync.Placed{}},
		{"% OK [APPENDUID 1 2", sync.Placed{}},
		{"% OK [ALERT] full soon [APPENDUID 1 2]", sync.Placed{}},
	} {
		s := enter(t, check.Script(t, loginless(func(p *lab.Peer) {
			caps("").answerUntil(p, "LIST")
			takes(p, "+ go\r\n", c.reply+"\r\n")
		})))
		got, err := appendOne(t.Context(), s, inbox, letter("one line"))
		if err != nil {
			t.Errorf("%s: %v", c.reply, err)
		}
		check.Equal(t, c.reply, got, c.want)
	}
}

func TestRefusedMessage(t *testing.T) {
	for _, c := range []struct {
		reply, code string
		class       sync.Class
	}{
		{"NO", "", sync.Refused},
		{"NO \x1b[2J virus", "", sync.Refused},
		{"NO [TOOBIG] too big", "TOOBIG", sync.Refused},
		{"NO [ALERT] no", "ALERT", sync.Refused},
		{"NO [X-NEW what is that] no", "X-NEW", sync.Refused},
		{"NO [OVERQUOTA] full", "OVERQUOTA", sync.Full},
		{"NO [TRYCREATE] none", "TRYCREATE", sync.Missing},
		{"NO [NONEXISTENT] none", "NONEXISTENT", sync.Missing},
		{"NO [UNAVAILABLE] later", "UNAVAILABLE", sync.Temporary},
		{"NO [INUSE] later", "INUSE", sync.Temporary},
		{"NO [LIMIT] later", "LIMIT", sync.Temporary},
		{"NO [LIMIT] Mail size is larger than the maximum size allowed by server configuration (0.001 + 0.000 secs).", "LIMIT", sync.Refused},
		{"NO [SERVERBUG] oops", "SERVERBUG", sync.Temporary},
		{"NO [NOPERM] never", "NOPERM", sync.Unavailable},
		{"BAD [CLIENTBUG] what", "CLIENTBUG", sync.Refused},
		{"BAD", "", sync.Refused},
	} {
		for _, when := range []string{"before +", "after the literal", "LITERAL+"} {
			t.Run(c.reply+" "+when, func(t *testing.T) {
				s := enter(t, check.Script(t, loginless(func(p *lab.Peer) {
					caps(strings.TrimPrefix(when, "before +")).answerUntil(p, "LIST")
					if when == "before +" {
						line, _ := p.ReadLine()
						tag, _, _ := strings.Cut(line, " ")
						p.Send(tag + " " + c.reply + "\r\n")
					} else if _, ok := takes(p, map[bool]string{true: "+ go\r\n"}[when != "LITERAL+"], "% "+c.reply+"\r\n"); !ok {
						return
					}
					takes(p, map[bool]string{true: "+ go\r\n"}[when != "LITERAL+"], "% OK [APPENDUID 1 2]\r\n")
				})))
				_, err := appendOne(t.Context(), s, inbox, letter("one line"))
				e := check.Class(t, err, c.class)
				check.Equal(t, "code", e.Code, c.code)
				check.Equal(t, "unsent", e.Unsent, true)
				check.Says(t, e, `append to "INBOX": server said: `+sync.Clean(c.reply))

				_, err = appendOne(t.Context(), s, inbox, letter("the next"))
				if strings.HasPrefix(c.reply, "BAD") && when != "before +" { // more mail could be read as commands
					check.Equal(t, "unsent", check.Class(t, err, sync.Temporary).Unsent, true)
				} else if err != nil {
					t.Errorf("the next one: %v", err)
				}
			})
		}
	}
}

// What the server says while the message is on its way, and then hangs up, is its answer.
func TestRefusedHalfway(t *testing.T) {
	s := enter(t, check.Script(t, loginless(func(p *lab.Peer) {
		caps("LITERAL+").answerUntil(p, "LIST")
		p.ReadLine()
		p.Send("p1 NO [TOOBIG] too big\r\n")
	})))
	var err error
	check.Soon(t, "the append", func() { _, err = appendOne(t.Context(), s, inbox, letter(strings.Repeat("x", 64<<20))) })
	e := check.Class(t, err, sync.Refused)
	check.Equal(t, "unsent", e.Unsent, true)
}

func TestAnswersThatAreNone(t *testing.T) {
	for _, c := range []struct {
		name, plus, reply string
		unsent            bool
	}{
		{"OK before the message", "% OK [APPENDUID 1 2]\r\n", "", true},
		{"another tag before the message", "p9 OK\r\n", "", true},
		{"nonsense before the message", "% WHAT\r\n", "", true},
		{"a line that is none", "what\r\n", "", true},
		{"+ once more", "+ go\r\n", "+ go on\r\n", false},
		{"another tag", "+ go\r\n", "p9 OK\r\n", false},
		{"imapclient's next tag", "+ go\r\n", "T9 OK\r\n", false},
		{"nonsense", "+ go\r\n", "% WHAT\r\n", false},
		{"nothing behind the tag", "+ go\r\n", "%\r\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, check.Script(t, loginless(func(p *lab.Peer) {
				caps("").answerUntil(p, "LIST")
				takes(p, c.plus, c.reply)
				p.ReadLine()
			})))
			_, err := appendOne(t.Context(), s, inbox, letter("one line"))
			e := check.Class(t, err, sync.Protocol)
			check.Equal(t, "unsent", e.Unsent, c.unsent)
			_, err = appendOne(t.Context(), s, inbox, letter("one line"))
			if !sync.NotStored(err) {
				t.Errorf("the next one: %v", err)
			}
		})
	}
}
