package imap

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

func TestGauge(t *testing.T) {
	const mega = 1 << 20
	type write struct {
		octets int
		took   time.Duration
	}
	for _, c := range []struct {
		name   string
		writes []write
		slow   bool
	}{
		{"nothing sent", nil, false},
		{"slow, but not much of it", []write{{2 * mega, time.Minute}}, false},
		{"slow", []write{{3 * mega, 3 * time.Second}, {mega, time.Second}}, true},
		{"what the kernel takes", []write{{3 * mega, 0}, {3 * mega, 0}}, false},
		{"slow when the kernel has enough", []write{{3 * mega, 0}, {3 * mega, 3 * time.Second}}, true},
		{"slow at first only", []write{{mega, time.Second}, {3 * mega, 0}}, false},
		{"just slow", []write{{4 * mega, 1100 * time.Millisecond}}, true},
		{"just fast", []write{{4 * mega, time.Second}}, false},
	} {
		var g gauge
		for _, w := range c.writes {
			g.add(w.octets, w.took)
		}
		check.Equal(t, c.name, g.slow(), c.slow)
	}
}

// asksFor says whether a server of such abilities is asked to compress by a session whose line is slow or not.
func asksFor(t *testing.T, capabilities string, slow bool) bool {
	t.Helper()
	heard := make(chan string, 1)
	s := hearing(t, capabilities, func(e ear) {
		line, _ := e.r.ReadString('\n')
		heard <- line
	})
	if slow {
		s.out.line = slowest
	}
	s.Append(t.Context(), inbox, letters("a"))
	return strings.Contains(<-heard, "COMPRESS")
}

func TestCompressionOnlyWhereItGains(t *testing.T) {
	for _, c := range []struct {
		name, caps string
		slow, want bool
	}{
		{"slow", multi + zip, true, true},
		{"slow, in other letters", "literal+ compress=deflate", true, true},
		{"fast", multi + zip, false, false},
		{"slow, and not announced", multi, true, false},
		{"slow, and another way announced", multi + " COMPRESS=ZSTD", true, false},
	} {
		check.Equal(t, c.name, asksFor(t, c.caps, c.slow), c.want)
	}
}

// taking is a server that takes all that is appended and tells of each command whether it was COMPRESS.
func taking(t *testing.T) (*lab.Script, chan bool) {
	t.Helper()
	heard := make(chan bool, 100)
	return check.Script(t, loginless(func(p *lab.Peer) {
		caps(multi+zip).answerUntil(p, "LIST")
		e := ear{p, bufio.NewReaderSize(p.Conn, 64<<10)}
		for {
			begins, err := e.r.Peek(len("p1 COMPRESS"))
			if err != nil {
				return
			}
			asks := strings.HasSuffix(string(begins), " COMPRESS")
			heard <- asks
			if asks {
				compresses(&e, "OK")
				continue
			}
			h, err := e.append()
			if err != nil {
				return
			}
			e.say(h, "% OK")
		}
	})), heard
}

// appendMuch appends three batches, of 4 MiB. Each batch waits so long for its body.
func appendMuch(t *testing.T, s *Session, wait time.Duration) {
	t.Helper()
	raw := noise(4 << 20)
	var pendings []sync.Pending
	for range 3 {
		body := io.MultiReader(&late{time.After(wait)}, strings.NewReader(raw))
		batch := []sync.Outgoing{{Size: 4 << 20, Body: func() io.Reader { return body }}}
		pendings = append(pendings, s.Append(t.Context(), inbox, batch))
	}
	for _, p := range pendings {
		check.Equal(t, "answer", answers(p.Wait(t.Context())), "0:0")
	}
}

// The line is measured, and not how fast the messages come (--rate). How slow a line must be, TestGauge says: here a busy
// machine has a part in it.
func TestSlowLineIsFound(t *testing.T) {
	for _, c := range []struct {
		name string
		line lab.ProxyOptions
		wait time.Duration
		want bool
	}{
		{"16 Mbit/s", lab.ProxyOptions{Rate: 2e6, Delay: 5 * time.Millisecond}, 0, true},
		{"a fast line, and little to send", lab.ProxyOptions{}, time.Second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, heard := taking(t)
			s := enter(t, proxied(t, server, c.line))
			appendMuch(t, s, c.wait)
			s.drop()
			server.Close()
			close(heard)
			asked := false
			for asks := range heard {
				asked = asked || asks
			}
			check.Equal(t, "asked for compression", asked, c.want)
		})
	}
}

// proxied is a line to a server.
func proxied(t *testing.T, server listener, o lab.ProxyOptions) *lab.Proxy {
	t.Helper()
	host, port := server.Addr()
	p, err := lab.StartProxy(fmt.Sprintf("%s:%d", host, port), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}
