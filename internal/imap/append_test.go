package imap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// holds compares what is in INBOX with messages.
func holds(t *testing.T, s *lab.IMAP, want ...string) {
	t.Helper()
	list, err := s.Messages("INBOX")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range list {
		got = append(got, string(m.Raw))
	}
	if a, b := fmt.Sprintf("%q", got), fmt.Sprintf("%q", want); a != b {
		t.Errorf("INBOX:\ngot  %.500s\nwant %.500s", a, b)
	}
}

var bodies = []struct{ name, raw string }{
	{"as it should be", "A: 1\r\n\r\nbody\r\n"},
	{"bare LF", "A: 1\n\nbody\n"},
	{"bare CR", "A: 1\r\n\r\na\rb\r\r\n"},
	{"NUL", "A: 1\r\n\r\n\x00\x00\r\n\x00"},
	{"8-bit", "Subject: Gr\xfc\xdfe\r\n\r\n\xff\xfe\x80\r\n"},
	{"no final line end", "A: 1\r\n\r\nbody"},
	{"what looks like commands", "a LOGOUT\r\np2 NOOP\r\n{5}\r\n* BYE\r\n"},
	{"what looks like a literal", "A: 1\r\n\r\n{5+}\r\n"},
	{"4096 octets", strings.Repeat("x", 4096)},
	{"4097 octets", strings.Repeat("x", 4097)},
	{"5 MB", "A: 1\r\n\r\n" + strings.Repeat("0123456789abcde\n", 5<<16)},
	{"nothing", ""},
}

func TestOctetsAreKept(t *testing.T) {
	for _, c := range bodies {
		for name, without := range map[string][]imap.Cap{"LITERAL+": nil, "no LITERAL+": {imap.CapLiteralPlus},
			"no UIDPLUS": {imap.CapUIDPlus}} {
			t.Run(c.name+", "+name, func(t *testing.T) {
				server := startIMAP(t, lab.IMAPOptions{Without: without})
				s := enter(t, server)
				f, err := s.Open(t.Context(), "INBOX", false)
				if err != nil {
					t.Fatal(err)
				}
				for n := range uint32(2) {
					placed, err := appendOne(t.Context(), s, f, letter(c.raw))
					if err != nil {
						t.Fatal(err)
					}
					want := sync.Placed{UIDValidity: f.UIDValidity, UID: n + 1}
					if name == "no UIDPLUS" {
						want = sync.Placed{}
					}
					check.Equal(t, "place", placed, want)
				}
				holds(t, server, c.raw, c.raw)
			})
		}
	}
}

func TestFlagsAndDate(t *testing.T) {
	for _, c := range []struct {
		flags []string
		date  string // RFC 3339; "" for none
	}{
		{nil, ""},
		{[]string{`\Seen`}, "2019-12-31T23:59:59-03:30"},
		{[]string{"$Forwarded", `\Answered`, `\Flagged`, `\Seen`}, "1998-03-02T09:20:56+05:45"},
		{[]string{"custom"}, "1970-01-01T00:00:00Z"},
	} {
		server := startIMAP(t, lab.IMAPOptions{})
		m := letter("A: 1\r\n\r\n")
		m.Flags = c.flags
		if c.date != "" {
			m.Date, _ = time.Parse(time.RFC3339, c.date)
		}
		before := time.Now().Truncate(time.Second)
		if _, err := appendOne(t.Context(), enter(t, server), inbox, m); err != nil {
			t.Fatal(err)
		}
		list, _ := server.Messages("INBOX")
		check.Equal(t, "flags", strings.Join(list[0].Flags, " "), strings.Join(c.flags, " "))
		if c.date != "" {
			check.Equal(t, "date", list[0].Date.Format(time.RFC3339), c.date)
		} else if list[0].Date.Before(before) {
			t.Errorf("date: %v", list[0].Date)
		}
	}
}

// What would be a command of its own is a mistake of ours, and is not sent.
func TestFlagsThatAreNone(t *testing.T) {
	for _, flag := range []string{"", `\`, "a b", "a)", "a\r\nx LOGOUT", "grün", `a\b`, "{5}", `"a"`} {
		server := startIMAP(t, lab.IMAPOptions{})
		s := enter(t, server)
		m := letter("A: 1\r\n\r\n")
		m.Flags = []string{flag}
		_, err := appendOne(t.Context(), s, inbox, m)
		e := check.Class(t, err, sync.Bug)
		check.Equal(t, "unsent", e.Unsent, true)
		if _, err := appendOne(t.Context(), s, inbox, letter("next")); err != nil {
			t.Errorf("the next one: %v", err)
		}
		holds(t, server, "next")
	}
}

// What comes unasked does not disturb.
func TestUnaskedResponses(t *testing.T) {
	noise := "* 5 EXISTS\r\n* 3 EXPUNGE\r\n* VANISHED 1:9\r\n* 2 FETCH (FLAGS (\\Seen))\r\n* OK still here\r\n* NO careful\r\n" +
		"* X-GM-THING {3}\r\na\r\n b\r\n* BAD \xff\r\n* LIST () \"/\" x\r\n* STATUS x (MESSAGES 1)\r\n* SEARCH 1 2\r\n* ID NIL\r\n" +
		"* CAPABILITY IMAP4rev2 LITERAL+\r\n* FLAGS (\r\n* OK [ALERT] \x1b\r\n"
	s := enter(t, check.Script(t, loginless(func(p *lab.Peer) {
		r := caps("")
		r.answerUntil(p, "LIST")
		p.Send("+ out of place\r\n" + noise)
		line, _ := p.Expect("T")
		p.Send(noise + "+ out of place\r\n" + r.to(line) + noise)
		for n := range 3 {
			takes(p, noise+"+\r\n", noise+fmt.Sprintf("%% OK [APPENDUID 7 %d]\r\n", n+1)+noise)
		}
		r.answer(p)
	})))
	if _, err := s.Open(t.Context(), "INBOX", false); err != nil {
		t.Fatal(err)
	}
	for n := range uint32(3) {
		got, err := appendOne(t.Context(), s, inbox, letter("one line"))
		if err != nil {
			t.Fatal(err)
		}
		check.Equal(t, "place", got, sync.Placed{UIDValidity: 7, UID: n + 1})
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Where the line is cut says whether a message can have been stored.
func TestCutLine(t *testing.T) {
	for _, c := range []struct {
		name   string
		caps   string
		play   func(*lab.Peer)
		unsent bool
		says   string
	}{
		{"before +", "", func(p *lab.Peer) { p.ReadLine() }, true, "closed the connection"},
		{"before +, with BYE", "", func(p *lab.Peer) {
			p.ReadLine()
			p.Send("* BYE [UNAVAILABLE] \x1b[2J going down\r\n")
		}, true, "?[2J going down"},
		{"before the last octet", "LITERAL+", func(p *lab.Peer) {
			p.ReadLine()
			io.CopyN(io.Discard, p.Conn, 1<<20)
		}, true, ""},
		{"after the last octet", "LITERAL+", func(p *lab.Peer) {
			p.ReadLine()
			p.ReadLine()
		}, false, "no reply: 127.0.0.1"},
		{"after the last octet, with BYE", "", func(p *lab.Peer) {
			takes(p, "+ go\r\n", "* BYE [UNAVAILABLE] going down\r\n")
		}, false, "going down"},
		{"in the reply", "", func(p *lab.Peer) { takes(p, "+ go\r\n", "% OK [APPEND") }, false, "closed the connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := enter(t, check.Script(t, loginless(func(p *lab.Peer) {
				caps(c.caps).answerUntil(p, "LIST")
				c.play(p)
			})))
			m := letter("one line")
			if c.name == "before the last octet" {
				m = letter(strings.Repeat("x", 64<<20))
			}
			check.Soon(t, "the append", func() {
				_, err := appendOne(t.Context(), s, inbox, m)
				e := check.Class(t, err, sync.Temporary)
				check.Equal(t, "unsent", e.Unsent, c.unsent)
				check.Says(t, err, c.says)
				_, err = appendOne(t.Context(), s, inbox, letter("one line"))
				check.Equal(t, "the next one: unsent", check.Class(t, err, sync.Temporary).Unsent, true)
			})
		})
	}
}

// As a whole, with a server that stores: what is said to be certainly not stored is not.
func TestCutLineAtARealServer(t *testing.T) {
	for fate, stored := range map[lab.Fate]bool{lab.Cut: false, lab.CutReply: true} {
		for _, without := range [][]imap.Cap{nil, {imap.CapLiteralPlus}} {
			server := startIMAP(t, lab.IMAPOptions{Without: without, Hook: func(_ int, command string) lab.Fate {
				if strings.HasPrefix(command, "APPEND") {
					return fate
				}
				return lab.Execute
			}})
			_, err := appendOne(t.Context(), enter(t, server), inbox, letter("A: 1\r\n\r\n"))
			e := check.Class(t, err, sync.Temporary)
			check.Equal(t, "unsent", e.Unsent, false)
			server.Close()
			if stored {
				holds(t, server, "A: 1\r\n\r\n")
			} else {
				holds(t, server)
			}
		}
	}
}

func TestBodyThatFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, c := range []struct {
		name  string
		body  io.Reader
		class sync.Class
	}{
		{"too short", strings.NewReader("short"), sync.Bug},
		{"unreadable", io.MultiReader(strings.NewReader("half"), failing{broken}), sync.Bug},
		{"unreadable, with a class", failing{&sync.Error{Class: sync.Storage, Err: broken}}, sync.Storage},
	} {
		for _, without := range [][]imap.Cap{nil, {imap.CapLiteralPlus}} {
			server := startIMAP(t, lab.IMAPOptions{Without: without})
			m := sync.Outgoing{Size: 100, Body: func() io.Reader { return c.body }}
			s := enter(t, server)
			_, err := appendOne(t.Context(), s, inbox, m)
			e := check.Class(t, err, c.class)
			check.Equal(t, c.name+": unsent", e.Unsent, true)
			_, err = appendOne(t.Context(), s, inbox, letter("next"))
			if !sync.NotStored(err) {
				t.Errorf("half a literal was sent, and then %v", err)
			}
			server.Close()
			holds(t, server)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestLimitIsAnnounced(t *testing.T) {
	server := startIMAP(t, lab.IMAPOptions{AppendLimit: 10})
	s := enter(t, server)
	f, err := s.Open(t.Context(), "INBOX", false)
	if err != nil {
		t.Fatal(err)
	}
	check.Equal(t, "limit", f.AppendLimit, 10)
	_, err = appendOne(t.Context(), s, f, letter("eleven octets"))
	check.Equal(t, "code", check.Class(t, err, sync.Refused).Code, "TOOBIG")
	if _, err := appendOne(t.Context(), s, f, letter("ten octets")); err != nil {
		t.Error(err)
	}
	holds(t, server, "ten octets")
}

// A long upload is no silence of the server.
func TestSlowUpload(t *testing.T) {
	for _, without := range [][]imap.Cap{nil, {imap.CapLiteralPlus}} {
		server := startIMAP(t, lab.IMAPOptions{Without: without})
		end := at(server)
		end.Timeout = 300 * time.Millisecond
		s := enterAt(t, end)
		body := io.MultiReader(strings.NewReader("first, "), &late{time.After(time.Second)}, strings.NewReader("then"))
		_, err := appendOne(t.Context(), s, inbox, sync.Outgoing{Size: 11, Body: func() io.Reader { return body }})
		if err != nil {
			t.Fatal(err)
		}
		holds(t, server, "first, then")
	}
}

// late ends when its time has come.
type late struct{ when <-chan time.Time }

func (l *late) Read([]byte) (int, error) {
	<-l.when
	return 0, io.EOF
}

func TestAppendAfterCancellation(t *testing.T) {
	for range 100 {
		server := startIMAP(t, lab.IMAPOptions{})
		s := enter(t, server)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := appendOne(ctx, s, inbox, letter("A: 1\r\n\r\n"))
		check.Equal(t, "unsent", check.Class(t, err, sync.Stopped).Unsent, true)
		s.drop()
		server.Close()
		holds(t, server)
	}
}
