package pop3

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// A hoarder answers no command of a kind before it has so many of them: a client that waits for a reply waits for ever.
type hoarder struct {
	verb, reply string
	most        int
	received    atomic.Int64
}

func (h *hoarder) play(p *lab.Peer) {
	others := answers("", welcoming("CAPA", "+OK\r\nUIDL\r\nTOP\r\nPIPELINING\r\n.\r\n", h.verb, ""))
	p.Send("+OK\r\n")
	others(p) // until the first of the kind
	held := 1
	h.received.Add(1)
	for {
		for ; held < h.most; held++ {
			if _, err := p.Expect(h.verb); err != nil {
				return
			}
			h.received.Add(1)
		}
		for ; held > 0; held-- {
			p.Send(h.reply)
		}
		h.most = 1 // from now on each at once
	}
}

func TestWindow(t *testing.T) {
	for _, c := range []struct {
		name string
		size int64
		most int // commands on their way
	}{
		{"small messages", 1000, 400},
		{"no sizes", 0, 400},
		{"large messages", windowOctets / 83, 83},
		{"two fit", windowOctets/2 - 1, 2},
		{"one fits exactly", windowOctets, 1},
		{"none fits", 2 * windowOctets, 1},
		{"sizes beyond belief", 1<<63 - 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &hoarder{verb: "RETR", reply: "+OK\r\n.\r\n", most: c.most}
			s := enter(t, check.Script(t, h.play))
			var messages []sync.Listed
			for n := range 1000 {
				messages = append(messages, sync.Listed{Number: n + 1, Size: c.size})
			}
			at := 0
			check.Soon(t, "the retrieval", func() {
				err := s.Retrieve(t.Context(), messages, func(_ int, body io.Reader, _ error) error {
					if out := int(h.received.Load()) - at; out > c.most {
						return fmt.Errorf("%d commands are on their way, want no more than %d", out, c.most)
					}
					at++
					_, err := io.Copy(io.Discard, body)
					return err
				})
				if err != nil || at != len(messages) {
					t.Errorf("got %d messages and %v", at, err)
				}
			})
		})
	}
}

func TestWindowOfHeaders(t *testing.T) {
	h := &hoarder{verb: "TOP", reply: "+OK\r\nA: 1\r\n\r\n.\r\n", most: 400}
	s := enter(t, check.Script(t, h.play))
	got := 0
	check.Soon(t, "the headers", func() {
		err := s.Headers(t.Context(), make([]int, 1000), func(_ int, header []byte) error {
			check.Equal(t, "header", string(header), "A: 1\r\n\r\n")
			got++
			return nil
		})
		if err != nil || got != 1000 {
			t.Errorf("got %d headers and %v", got, err)
		}
	})
}

// A counter counts how often a client sends, which is how often it waits for the server if each reply is awaited.
type counter struct {
	sent    atomic.Int64
	replies map[string]string
}

func (c *counter) play(p *lab.Peer) {
	p.Send("+OK\r\n")
	buf := make([]byte, 64<<10)
	for rest := ""; ; {
		n, err := p.Conn.Read(buf)
		if err != nil {
			return
		}
		c.sent.Add(1)
		lines := strings.SplitAfter(rest+string(buf[:n]), "\r\n")
		rest = lines[len(lines)-1]
		var all strings.Builder
		for _, line := range lines[:len(lines)-1] {
			verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			all.WriteString(c.replies[verb])
		}
		p.Send(all.String())
	}
}

func TestRoundTrips(t *testing.T) {
	const lists = "+OK\r\n1 10\r\n2 20\r\n.\r\n"
	for _, c := range []struct {
		name, capa          string
		login, list, relist int64
	}{
		{"pipelining", "+OK\r\nUIDL\r\nTOP\r\nPIPELINING\r\n.\r\n", 2, 1, 1}, // CAPA, USER PASS; CAPA UIDL LIST
		{"no pipelining", "+OK\r\nUIDL\r\nTOP\r\n.\r\n", 4, 2, 2},            // CAPA, USER, PASS, CAPA; UIDL, LIST
		{"no CAPA", "-ERR\r\n", 4, 4, 4},                                     // and TOP and LAST, to see whether there are any
	} {
		t.Run(c.name, func(t *testing.T) {
			server := &counter{replies: welcoming("CAPA", c.capa, "UIDL", lists, "LIST", lists, "TOP", "-ERR\r\n",
				"LAST", "-ERR\r\n")}
			s, err := Dial(t.Context(), at(check.Script(t, server.play)), Login{User: "alice", Password: "ascii"})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Abandon()
			check.Equal(t, "round trips of the login", server.sent.Swap(0), c.login)
			listed(t, s)
			check.Equal(t, "round trips of a listing", server.sent.Swap(0), c.list)
			check.Equal(t, "messages", len(listed(t, s).Messages), 2)
			check.Equal(t, "round trips of the next listing", server.sent.Swap(0), c.relist)
		})
	}
}

// 1000 commands go out in a few pieces: 400, then 200 whenever 200 have been answered.
func TestCommandsGoOutTogether(t *testing.T) {
	server := &counter{replies: welcoming("CAPA", "+OK\r\nPIPELINING\r\n.\r\n", "RETR", "+OK\r\n.\r\n")}
	s := enter(t, check.Script(t, server.play))
	server.sent.Store(0)
	err := s.Retrieve(t.Context(), make([]sync.Listed, 1000), func(_ int, body io.Reader, _ error) error {
		_, err := io.Copy(io.Discard, body)
		return err
	})
	if sent := server.sent.Load(); err != nil || sent > 4 {
		t.Errorf("%d pieces were sent, want 4; %v", sent, err)
	}
}

func TestTraceShowsEachCommandOfAFlight(t *testing.T) {
	mail, numbers := oddMaildrop()
	server := at(startPOP3(t, lab.POP3Options{}, mail...))
	var trace check.Trace
	server.Trace = trace.Note
	s, err := Dial(t.Context(), server, alice)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Abandon()
	listed(t, s)
	err = s.Headers(t.Context(), numbers, func(int, []byte) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"C UIDL\n", "C LIST\n", "C TOP 1 0\n", "C TOP 12 0\n", "S +OK its top\n"} {
		if !strings.Contains(trace.String(), want) {
			t.Errorf("no %q in the trace:\n%s", want, trace.String())
		}
	}
}

// A reply too many would shift all that follow: each message would be stored with the status line of the next.
func TestReplyThatNobodyAskedFor(t *testing.T) {
	for _, c := range []struct {
		name, reply string
		class       sync.Class
		says        string
	}{
		{"another success", "+OK\r\n", sync.Protocol, "nobody had asked for"},
		{"a body", "+OK\r\nA: 1\r\n.\r\n", sync.Protocol, "nobody had asked for"},
		{"nonsense", "A: 1\r\n", sync.Protocol, "neither"},
		{"goodbye", "-ERR [SYS/TEMP] you have been idle\r\n", sync.Temporary, "you have been idle"},
	} {
		for name, do := range map[string]func(*Session) error{
			"list":     func(s *Session) error { _, err := s.List(t.Context()); return err },
			"retrieve": func(s *Session) error { return s.Retrieve(t.Context(), numbered(1), nil) },
			"headers":  func(s *Session) error { return s.Headers(t.Context(), []int{1}, nil) },
			"delete":   func(s *Session) error { return s.Delete(t.Context(), []sync.Listed{{Number: 1, UIDL: "a"}}) },
			"close":    func(s *Session) error { return closed(t.Context(), s) },
		} {
			t.Run(c.name+" before "+name, func(t *testing.T) {
				capa := "+OK\r\nPIPELINING\r\nUIDL\r\n.\r\n" // so that nothing is sent between the login and the call
				heard := make(chan string, 1)
				s := enter(t, check.Script(t, func(p *lab.Peer) {
					answers("+OK\r\n", welcoming("CAPA", capa, "PASS", ""))(p)
					p.Send("+OK\r\n" + c.reply)
					rest, _ := io.ReadAll(p.Conn)
					heard <- string(rest)
				}))
				err := do(s)
				check.Class(t, err, c.class)
				check.Says(t, err, c.says)
				if err := s.Close(t.Context()); err == nil {
					t.Error("the session is good")
				}
				s.Abandon()
				check.Equal(t, "sent", <-heard, "")
			})
		}
	}
}

func BenchmarkRetrieve(b *testing.B) {
	reply := "+OK 8000 octets\r\n" + strings.Repeat(strings.Repeat("x", 78)+"\r\n", 100) + ".\r\n"
	h := &hoarder{verb: "RETR", reply: reply, most: 1}
	s, err := Dial(b.Context(), at(check.Script(b, h.play)), alice)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Abandon()
	messages := make([]sync.Listed, b.N)
	var sink bytes.Buffer
	b.SetBytes(8000)
	b.ReportAllocs()
	b.ResetTimer()
	err = s.Retrieve(b.Context(), messages, func(_ int, body io.Reader, _ error) error {
		sink.Reset()
		_, err := sink.ReadFrom(body)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}
