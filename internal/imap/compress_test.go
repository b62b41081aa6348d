package imap

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

const zip = " COMPRESS=DEFLATE"

// slowest is a line that has been slow enough.
var slowest = gauge{enough, time.Hour}

// compresses answers COMPRESS, and goes over to it.
func compresses(e *ear, reply string) {
	line, _ := e.r.ReadString('\n')
	tag, _, _ := strings.Cut(line, " ")
	e.p.Send(tag + " " + reply + "\r\n")
	e.p.Compress()
	e.r = bufio.NewReader(e.p.Conn)
	line, _ = e.r.ReadString('\n')
	tag, _, _ = strings.Cut(line, " ")
	e.p.Send(tag + " OK\r\n")
}

// squeezed is a session that takes its line for slow, and a server that compresses and then hears what is appended.
func squeezed(t *testing.T, capabilities string, play func(ear)) *Session {
	t.Helper()
	s := hearing(t, capabilities+zip, func(e ear) {
		compresses(&e, "OK")
		play(e)
	})
	s.out.line = slowest
	return s
}

// A session on a slow line compresses, in both directions, and goes on as it did.
func TestCompression(t *testing.T) {
	for _, capabilities := range []string{multi, "LITERAL+ UIDPLUS", "UIDPLUS"} {
		for _, c := range bodies {
			t.Run(capabilities+", "+c.name, func(t *testing.T) {
				got := make(chan string, 1)
				s := squeezed(t, capabilities, func(e ear) {
					for n := range 2 {
						h, _ := e.append()
						got <- strings.Join(h.messages, "")
						e.say(h, fmt.Sprintf("* 1 EXISTS\r\n%% OK [APPENDUID 7 %d] done", n+1))
					}
					caps("").answer(e.p)
				})
				for n := range uint32(2) {
					placed, err := appendOne(t.Context(), s, inbox, letter(c.raw))
					if err != nil {
						t.Fatal(err)
					}
					check.Equal(t, "place", placed, sync.Placed{UIDValidity: 7, UID: n + 1})
					check.Equal(t, "message", <-got, c.raw)
				}
				f, err := s.Open(t.Context(), "INBOX", false)
				check.Equal(t, "folder", fmt.Sprint(f.UIDNext, f.UIDValidity, err), "5 7 <nil>")
				if err := s.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// While a reply is owed nothing is asked for: the message whose reply it is must not come into doubt.
func TestCompressionWaitsForReplies(t *testing.T) {
	early := make(chan int, 1)
	end := at(check.Script(t, loginless(func(p *lab.Peer) {
		caps(multi+zip).answerUntil(p, "LIST")
		e := ear{p, bufio.NewReader(p.Conn)}
		h, _ := e.append()
		p.Conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		n, _ := e.r.Read(make([]byte, 1))
		early <- n
		p.Conn.SetReadDeadline(time.Time{})
		e.say(h, "% OK [APPENDUID 7 1] done")
		compresses(&e, "OK")
		h, _ = e.append()
		e.say(h, "% OK [APPENDUID 7 2] done")
	})))
	var trace check.Trace
	end.Trace = trace.Note
	s := enterAt(t, end)
	first := s.Append(t.Context(), inbox, letters("a"))
	s.out.line = slowest
	second := s.Append(t.Context(), inbox, letters("b"))
	check.Equal(t, "first", answers(first.Wait(t.Context())), "7:1")
	check.Equal(t, "second", answers(second.Wait(t.Context())), "7:2")
	check.Equal(t, "octets that came too early", <-early, 0)
	for _, want := range []string{"C p2 COMPRESS DEFLATE\nS p2 OK", "C p3 APPEND", "S p3 OK [APPENDUID 7 2] done"} {
		if !strings.Contains(trace.String(), want) {
			t.Errorf("%q is not in the trace:\n%s", want, trace.String())
		}
	}
}

// Who does not want to is not asked again, and gets its mail as before.
func TestCompressionRefused(t *testing.T) {
	for _, reply := range []string{"NO [COMPRESSIONACTIVE] no", "BAD what", "bad what"} {
		t.Run(reply, func(t *testing.T) {
			asked := make(chan string, 1)
			s := hearing(t, multi+zip, func(e ear) {
				line, _ := e.r.ReadString('\n')
				asked <- line
				e.p.Send("p1 " + reply + "\r\n")
				for range 2 {
					h, _ := e.append()
					e.say(h, "% OK")
				}
			})
			for range 2 {
				s.out.line = slowest
				check.Equal(t, "answer", answers(s.Append(t.Context(), inbox, letters("a")).Wait(t.Context())), "0:0")
			}
			check.Equal(t, "asked", <-asked, "p1 COMPRESS DEFLATE\r\n")
		})
	}
}

// A server that does not do as it has agreed costs the connection, and no message comes into doubt.
func TestCompressionThatFails(t *testing.T) {
	for _, c := range []struct {
		name  string
		play  func(ear)
		class sync.Class
		says  string
	}{
		{"no reply", func(e ear) {}, sync.Temporary, "closed the connection"},
		{"BYE", func(e ear) { e.p.Send("* BYE [UNAVAILABLE] enough\r\n") }, sync.Temporary, "enough"},
		{"more is wanted", func(e ear) { e.p.Send("+ go\r\n") }, sync.Protocol, "more"},
		{"a reply of no kind", func(e ear) {
			e.p.Send("p1 WELL\r\n")
			e.append()
		}, sync.Protocol, "neither OK, NO nor BAD"},
		{"cleartext goes on", func(e ear) { e.p.Send("p1 OK\r\nT9 OK done\r\n") }, sync.Protocol, "cannot be decompressed"},
		{"a line that breaks", func(e ear) {
			e.p.Send("p1 OK\r\n")
			e.p.Compress()
			e.p.ReadLine()
		}, sync.Temporary, "closed the connection"},
		{"an endless line", func(e ear) {
			e.p.Send("p1 OK\r\n")
			e.p.Compress()
			for line := "* OK "; e.p.Send(line) == nil; line = strings.Repeat("x", 1<<20) {
			}
		}, sync.Protocol, "1048576"},
		{"responses without end", func(e ear) {
			e.p.Send("p1 OK\r\n")
			e.p.Compress()
			for flood := strings.Repeat("* 1 EXPUNGE\r\n", 10_000); e.p.Send(flood) == nil; {
			}
		}, sync.Protocol, "does not come to an end"},
		{"a literal of 4 GB", func(e ear) {
			e.p.Send("p1 OK\r\n")
			e.p.Compress()
			for line := "* LIST () \"/\" {4294967295}\r\n"; e.p.Send(line) == nil; line = strings.Repeat("x", 1<<20) {
			}
		}, sync.Protocol, "4294967295 octets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := hearing(t, multi+zip, func(e ear) {
				e.r.ReadString('\n')
				c.play(e)
			})
			s.out.line, s.clear = slowest, new(atomic.Bool)
			check.Soon(t, "the batch", func() {
				for range 2 {
					a := s.Append(t.Context(), inbox, letters("a")).Wait(t.Context())
					e := check.Class(t, a[0].Err, c.class)
					check.Equal(t, "unsent", e.Unsent, true)
					check.Says(t, e, c.says)
				}
			})
			// What was agreed upon and did not work is not tried again, on no connection.
			agreed := !slices.Contains([]string{"no reply", "BYE", "more is wanted", "a reply of no kind"}, c.name)
			check.Equal(t, "given up for good", s.clear.Load(), agreed)
			next := squeezable(t, s.clear)
			check.Equal(t, "asked again", next.asked, !agreed)
		})
	}
}

// squeezable is a session on a slow line after its first batch, at a server that can compress.
func squeezable(t *testing.T, clear *atomic.Bool) *Session {
	t.Helper()
	s := hearing(t, multi+zip, func(e ear) {
		line, _ := e.r.ReadString('\n')
		if strings.Contains(line, "COMPRESS") {
			e.p.Send("p1 NO not now\r\n")
		}
		e.append()
	})
	s.out.line, s.clear = slowest, clear
	check.Soon(t, "the batch", func() { s.Append(t.Context(), inbox, letters("a")).Wait(t.Context()) })
	return s
}

// The same in a FETCH, for which a server may send much: what it may is counted when it is decompressed.
func TestBombInAFetch(t *testing.T) {
	for name, once := range map[string]string{"a literal of 4 GB": "* 1 FETCH (UID 1 BODY[] {4294967295}\r\n",
		"an endless line": "* 1 FETCH (UID 1 ", "a literal of 60 MB held in memory": "* 1 FETCH (UID 1 ENVELOPE ({60000000}\r\n"} {
		t.Run(name, func(t *testing.T) {
			s := squeezed(t, multi, func(e ear) {
				h, _ := e.append()
				e.say(h, "% OK [APPENDUID 7 1] done")
				caps("").with("UID FETCH", "").answer(e.p)
				e.p.Send(once)
				for flood := strings.Repeat("x", 1<<20); e.p.Send(flood) == nil; {
				}
			})
			check.Soon(t, "reading", func() {
				if _, err := appendOne(t.Context(), s, inbox, letter("a")); err != nil {
					t.Fatal(err)
				}
				err := s.Read(t.Context(), sync.Folder{Name: "INBOX", UIDValidity: 7}, []uint32{1}, func(_ uint32, body io.Reader) error {
					_, err := io.Copy(io.Discard, body)
					return err
				})
				check.Class(t, err, sync.Protocol)
			})
		})
	}
}

// noise is a message that cannot be compressed.
func noise(octets int) string {
	raw := make([]byte, octets)
	rand.NewChaCha8([32]byte{}).Read(raw)
	return string(raw)
}

func TestLineThatBreaksInACompressedBatch(t *testing.T) { linesThatBreak(t, squeezed, noise(16<<20)) }

// Each connection of a pool decides for itself.
func TestCompressionInAPool(t *testing.T) {
	type said struct {
		connection int
		line       string
	}
	heard, goOn := make(chan said, 2), make(chan struct{})
	s := check.Script(t, loginless(func(p *lab.Peer) {
		caps(multi+zip).answerUntil(p, "LIST")
		if p.Number > 1 {
			caps(multi+zip).answerUntil(p, "EXAMINE")
		}
		e := ear{p, bufio.NewReader(p.Conn)}
		begins, _ := e.r.Peek(len("p1 COMPRESS"))
		heard <- said{p.Number, string(begins)}
		<-goOn
		if p.Number == 1 {
			compresses(&e, "OK")
		}
		h, _ := e.append()
		e.say(h, "% OK")
	}))
	p, err := DialPool(t.Context(), at(s), alice, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(t.Context()) })
	p.out.line = slowest
	first, second := p.Append(t.Context(), inbox, letters("a")), p.Append(t.Context(), inbox, letters("b"))
	for range 2 {
		got := <-heard
		check.Equal(t, fmt.Sprintf("connection %d", got.connection), got.line, map[int]string{1: "p1 COMPRESS", 2: `p1 APPEND "`}[got.connection])
	}
	close(goOn)
	check.Equal(t, "answers", answers(append(first.Wait(t.Context()), second.Wait(t.Context())...)), "0:0|0:0")
}
