package imap

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// An ear reads APPENDs as a server does. It is made when the client waits.
type ear struct {
	p *lab.Peer
	r *bufio.Reader
}

// heard is one APPEND: its tag, all of it but that, and the messages in it.
type heard struct {
	tag, whole string
	messages   []string
}

// append reads one command. A literal that waits is asked for.
func (e ear) append() (h heard, err error) {
	for {
		line, err := e.r.ReadString('\n')
		if err != nil {
			return h, err
		}
		h.whole += line
		announced, more := strings.CutSuffix(line, "}\r\n")
		if !more {
			h.tag, h.whole, _ = strings.Cut(h.whole, " ")
			return h, nil
		}
		var n int
		fmt.Sscanf(announced[strings.LastIndex(announced, "{")+1:], "%d", &n)
		if !strings.HasSuffix(announced, "+") {
			e.p.Send("+ go\r\n")
		}
		raw := make([]byte, n)
		if _, err := io.ReadFull(e.r, raw); err != nil {
			return h, err
		}
		h.whole += string(raw)
		h.messages = append(h.messages, string(raw))
	}
}

// begin reads of a command its first line and 1 MiB.
func (e ear) begin() (h heard) {
	line, _ := e.r.ReadString('\n')
	h.tag, _, _ = strings.Cut(line, " ")
	io.CopyN(io.Discard, e.r, 1<<20)
	return h
}

// say answers a command; "%" stands for its tag.
func (e ear) say(h heard, reply string) { e.p.Send(strings.ReplaceAll(reply, "%", h.tag) + "\r\n") }

// hearing is a session with a server that hears what is appended.
func hearing(t *testing.T, capabilities string, play func(ear)) *Session {
	t.Helper()
	return enter(t, check.Script(t, loginless(func(p *lab.Peer) {
		caps(capabilities).answerUntil(p, "LIST")
		play(ear{p, bufio.NewReader(p.Conn)})
	})))
}

const multi = "MULTIAPPEND LITERAL+ UIDPLUS"

// letters are messages to be appended.
func letters(raw ...string) (batch []sync.Outgoing) {
	for _, r := range raw {
		batch = append(batch, letter(r))
	}
	return batch
}

// told writes an answer in a word or two.
func told(a sync.Answer) string {
	if a.Err == nil {
		return fmt.Sprintf("%d:%d", a.UIDValidity, a.UID)
	}
	text := fmt.Sprintf("class %d", sync.ClassOf(a.Err))
	if sync.NotStored(a.Err) {
		text += " unsent"
	}
	if e := a.Err.(*sync.Error); e.Together {
		text += " together"
	}
	return text
}

func answers(all []sync.Answer) string {
	var list []string
	for _, a := range all {
		list = append(list, told(a))
	}
	return strings.Join(list, "|")
}

// outcome names what told writes.
func outcome(c sync.Class, marks string) string { return fmt.Sprintf("class %d%s", c, marks) }

func TestBatchIsOneCommand(t *testing.T) {
	got := make(chan heard, 1)
	s := hearing(t, multi, func(e ear) {
		h, _ := e.append()
		got <- h
		e.say(h, "% OK [APPENDUID 7 5:6,9] done")
	})
	batch := letters("a\r\n", "b", "c\n")
	batch[0].Flags, batch[1].Flags = []string{`\Seen`}, []string{`\Seen`, "$x"}
	batch[2].Date = time.Date(2001, 2, 3, 4, 5, 6, 0, time.FixedZone("", -330*60))
	all := s.Append(t.Context(), sync.Folder{Name: "Grüße"}, batch).Wait(t.Context())
	check.Equal(t, "command", (<-got).whole, `APPEND "Gr&APwA3w-e" (\Seen) {3+}`+"\r\na\r\n"+` (\Seen $x) {1+}`+"\r\nb"+
		` () " 3-Feb-2001 04:05:06 -0530" {2+}`+"\r\nc\n\r\n")
	check.Equal(t, "answers", answers(all), "7:5|7:6|7:9")
}

func TestAnswersToABatch(t *testing.T) {
	refusedAll := func(c sync.Class) string {
		one := outcome(c, " unsent together")
		return one + "|" + one + "|" + one
	}
	for _, c := range []struct{ reply, want string }{
		{"% OK [APPENDUID 7 5:7] x", "7:5|7:6|7:7"},
		{"% OK [APPENDUID 7 1,4294967294:4294967295] x", "7:1|7:4294967294|7:4294967295"},
		{"% OK", "0:0|0:0|0:0"},
		{"% OK [APPENDUID 7 5] x", "0:0|0:0|0:0"},
		{"% OK [APPENDUID 7 5:8] x", "0:0|0:0|0:0"},
		{"% OK [APPENDUID 7 1:4294967295] x", "0:0|0:0|0:0"},
		{"% OK [APPENDUID 7 7:5] x", "0:0|0:0|0:0"},
		{"% OK [APPENDUID 7 5,5,6] x", "0:0|0:0|0:0"},
		{"% OK [APPENDUID 7 9,5,6] x", "0:0|0:0|0:0"},
		{"% OK [APPENDUID 0 5:7] x", "0:0|0:0|0:0"},
		{"% OK [APPENDUID 7 5:*] x", "0:0|0:0|0:0"},
		{"% NO one of them is bad", refusedAll(sync.Refused)},
		{"% NO [OVERQUOTA] full", refusedAll(sync.Full)},
		{"% NO [TRYCREATE] gone", refusedAll(sync.Missing)},
		{"% NO [LIMIT] later", refusedAll(sync.Temporary)},
		{"% BAD what", refusedAll(sync.Refused)},
		{"% BAD Request is throttled.", refusedAll(sync.Temporary)},
		{"p99 OK", strings.Join(slices.Repeat([]string{outcome(sync.Protocol, "")}, 3), "|")},
		{"% WHAT", strings.Join(slices.Repeat([]string{outcome(sync.Protocol, "")}, 3), "|")},
		{"+ more", strings.Join(slices.Repeat([]string{outcome(sync.Protocol, "")}, 3), "|")},
		{"* BYE", strings.Join(slices.Repeat([]string{outcome(sync.Temporary, "")}, 3), "|")},
	} {
		t.Run(c.reply, func(t *testing.T) {
			s := hearing(t, multi, func(e ear) {
				h, _ := e.append()
				e.say(h, c.reply)
				if c.reply == "* BYE" { // and hangs up
					return
				}
				if h, err := e.append(); err == nil {
					e.say(h, "% OK")
				}
			})
			p := s.Append(t.Context(), inbox, letters("a", "b", "c"))
			check.Soon(t, "the answer", func() { check.Equal(t, "answers", answers(p.Wait(t.Context())), c.want) })
			next := answers(s.Append(t.Context(), inbox, letters("d")).Wait(t.Context()))
			if strings.HasPrefix(c.reply, "% OK") || strings.HasPrefix(c.reply, "% NO") {
				check.Equal(t, "the next one", next, "0:0")
			} else if !strings.HasSuffix(next, "unsent") {
				t.Errorf("the next one: %s", next)
			}
		})
	}
}

func TestUIDsThatDoNotStick(t *testing.T) {
	s := enter(t, check.Script(t, loginless(func(p *lab.Peer) {
		caps(multi).with("EXAMINE", "* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 5]\r\n* NO [UIDNOTSTICKY] x\r\n% OK\r\n").answerUntil(p, "EXAMINE")
		e := ear{p, bufio.NewReader(p.Conn)}
		for range 2 { // the first goes alone
			h, _ := e.append()
			e.say(h, "% OK [APPENDUID 7 5]")
		}
	})))
	f, err := s.Open(t.Context(), "INBOX", false)
	if err != nil {
		t.Fatal(err)
	}
	check.Equal(t, "answers", answers(s.Append(t.Context(), f, letters("a", "b")).Wait(t.Context())), "0:0|0:0")
}

// Without MULTIAPPEND all are sent before the first is answered, and each reply goes to the one that has its tag.
func TestBatchInSingleCommands(t *testing.T) {
	s := hearing(t, "LITERAL+", func(e ear) {
		var all []heard
		for range 3 {
			h, _ := e.append()
			all = append(all, h)
		}
		e.say(all[2], "% OK [APPENDUID 7 5]")
		e.say(all[0], "% OK [APPENDUID 7 6]")
		e.say(all[1], "% NO virus")
	})
	p := s.Append(t.Context(), inbox, letters("a", "b", "c"))
	check.Equal(t, "answers", answers(p.Wait(t.Context())), "7:6|"+outcome(sync.Refused, " unsent")+"|7:5")
}

func TestSeveralBatchesInFlight(t *testing.T) {
	for _, c := range []string{multi, "LITERAL+"} {
		s := hearing(t, c, func(e ear) {
			var all []heard
			n := 0
			for n < 12 {
				h, err := e.append()
				if err != nil {
					return
				}
				n += len(h.messages)
				all = append(all, h)
			}
			uid := 0
			for _, h := range all {
				e.say(h, fmt.Sprintf("* %d EXISTS\r\n%% OK [APPENDUID 7 %d:%d]", uid, uid+1, uid+len(h.messages)))
				uid += len(h.messages)
			}
		})
		pendings := make(chan sync.Pending, 4)
		got := make(chan string)
		go func() {
			defer close(got)
			for p := range pendings {
				got <- answers(p.Wait(t.Context()))
			}
		}()
		for range 4 {
			pendings <- s.Append(t.Context(), inbox, letters("a", "b", "c"))
		}
		close(pendings)
		for i := range 4 {
			check.Equal(t, c, <-got, fmt.Sprintf("7:%d|7:%d|7:%d", 3*i+1, 3*i+2, 3*i+3))
		}
	}
}

// An empty message, and one that cannot be sent, cost the others nothing.
func TestOddMessagesInABatch(t *testing.T) {
	var all [][]string
	s := hearing(t, multi, func(e ear) {
		for uid := 1; ; uid++ {
			h, err := e.append()
			if err != nil {
				return
			}
			all = append(all, h.messages)
			if len(h.messages) == 1 && h.messages[0] == "" {
				e.say(h, "% NO zero byte message")
			} else {
				e.say(h, fmt.Sprintf("%% OK [APPENDUID %d 1:%d]", uid, len(h.messages)))
			}
		}
	})
	batch := letters("a", "b", "", "c", "d", "e")
	batch[4].Flags = []string{"a b"}
	got := s.Append(t.Context(), inbox, batch).Wait(t.Context())
	check.Equal(t, "answers", answers(got), "1:1|1:2|"+outcome(sync.Refused, " unsent")+"|3:1|"+outcome(sync.Bug, " unsent")+"|4:1")
	check.Equal(t, "commands", fmt.Sprintf("%q", all), `[["a" "b"] [""] ["c"] ["e"]]`)
	check.Equal(t, "nothing", answers(s.Append(t.Context(), inbox, nil).Wait(t.Context())), "")
	bad := s.Append(t.Context(), sync.Folder{Name: "a//b"}, letters("a", "b")).Wait(t.Context())
	check.Equal(t, "no folder", answers(bad), outcome(sync.Config, " unsent")+"|"+outcome(sync.Config, " unsent"))
}

// Where a literal has to wait, a NO instead of "+" costs one message.
func TestLiteralsThatWait(t *testing.T) {
	long := strings.Repeat("x", 4097)
	for _, c := range []struct{ caps, waited string }{
		{"", "a|" + long + "|c"},
		{"LITERAL- MULTIAPPEND", long},
	} {
		waited := make(chan string, 3)
		s := hearing(t, c.caps, func(e ear) {
			for uid := 1; ; uid++ {
				h, err := e.append()
				if err != nil {
					return
				}
				if !strings.Contains(h.whole, "+}") {
					waited <- h.messages[0]
				}
				e.say(h, fmt.Sprintf("%% OK [APPENDUID 7 %d]", uid))
			}
		})
		got := s.Append(t.Context(), inbox, letters("a", long, "c")).Wait(t.Context())
		check.Equal(t, "answers", answers(got), "7:1|7:2|7:3")
		for want := range strings.SplitSeq(c.waited, "|") {
			check.Equal(t, c.caps, <-waited, want)
		}
	}
	s := hearing(t, "", func(e ear) {
		h, _ := e.append()
		e.say(h, "% OK")
		line, _ := e.r.ReadString('\n')
		tag, _, _ := strings.Cut(line, " ")
		e.p.Send(tag + " NO [TOOBIG] no\r\n")
		h, _ = e.append()
		e.say(h, "% OK")
	})
	got := s.Append(t.Context(), inbox, letters("a", "b", "c")).Wait(t.Context())
	check.Equal(t, "a refusal", answers(got), "0:0|"+outcome(sync.Refused, " unsent")+"|0:0")
}

// Courier takes nothing for the folder that it has EXAMINEd. One message finds that out.
func TestRefusedWhileSelected(t *testing.T) {
	var got [][]string
	s := enter(t, check.Script(t, loginless(func(p *lab.Peer) {
		caps(multi).answerUntil(p, "EXAMINE")
		e := ear{p, bufio.NewReader(p.Conn)}
		selected := true
		for {
			h, err := e.append()
			switch {
			case err != nil:
				return
			case strings.HasPrefix(h.whole, "CLOSE"):
				selected = false
				e.say(h, "% OK")
			case selected:
				e.say(h, "% NO Current box is selected READ-ONLY")
			default:
				got = append(got, h.messages)
				e.say(h, fmt.Sprintf("%% OK [APPENDUID %d 1:%d]", len(got), len(h.messages)))
			}
		}
	})))
	f, err := s.Open(t.Context(), "INBOX", false)
	if err != nil {
		t.Fatal(err)
	}
	batch := letters("bad", "a", "b", "c")
	batch[0].Flags = []string{"no flag"}
	check.Equal(t, "first", answers(s.Append(t.Context(), f, batch).Wait(t.Context())), outcome(sync.Bug, " unsent")+"|1:1|2:1|2:2")
	check.Equal(t, "then", answers(s.Append(t.Context(), f, letters("d", "e")).Wait(t.Context())), "3:1|3:2")
	check.Equal(t, "commands", fmt.Sprintf("%q", got), `[["a"] ["b" "c"] ["d" "e"]]`)
}
