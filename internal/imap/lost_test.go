package imap

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

func TestLineThatBreaksInABatch(t *testing.T) {
	linesThatBreak(t, hearing, strings.Repeat("x", 64<<20))
}

// linesThatBreak breaks the line in a batch wherever it matters: what is said to be unsent is, and of what the server
// may have nothing is said. The message big is more than kernels buffer.
func linesThatBreak(t *testing.T, dial func(*testing.T, string, func(ear)) *Session, big string) {
	temporary, unsent := outcome(sync.Temporary, ""), outcome(sync.Temporary, " unsent")
	refused := outcome(sync.Refused, " unsent")
	for _, c := range []struct {
		name, caps string
		batch      []sync.Outgoing
		play       func(ear)
		want       string
	}{
		{"in the second of three", "LITERAL+", letters("a", big, "c"), func(e ear) {
			e.append()
			e.begin()
		}, temporary + "|" + unsent + "|" + unsent},
		{"in the second, the first answered", "LITERAL+", letters("a", big, "c"), func(e ear) {
			h, _ := e.append()
			e.begin()
			e.say(h, "% OK")
		}, "0:0|" + unsent + "|" + unsent},
		{"in the second, which is refused", "LITERAL+", letters("a", big, "c"), func(e ear) {
			h, _ := e.append()
			e.say(h, "% OK")
			e.say(e.begin(), "% NO [TOOBIG] no")
		}, "0:0|" + refused + "|" + unsent},
		{"in the second of one command", multi, letters("a", big, "c"), func(e ear) { e.begin() },
			unsent + "|" + unsent + "|" + unsent},
		{"in one command that is refused", multi, letters("a", big), func(e ear) { e.say(e.begin(), "% NO [TOOBIG] no") },
			refused + " together|" + refused + " together"},
		{"behind the last octet", multi, letters("a", "b"), func(e ear) { e.append() }, temporary + "|" + temporary},
		{"behind the last octet of all", "LITERAL+", letters("a", "b"), func(e ear) {
			h, _ := e.append()
			e.append()
			e.say(h, "% OK")
		}, "0:0|" + temporary},
		{"BAD to the second", "LITERAL+", letters("a", "b", "c"), func(e ear) {
			first, _ := e.append()
			second, _ := e.append()
			e.append()
			e.say(first, "% OK")
			e.say(second, "% BAD what")
			e.append() // we hang up
		}, "0:0|" + refused + "|" + temporary},
		{"before the second is asked for", "", letters("a", "b", "c"), func(e ear) {
			e.append()
			e.r.ReadString('\n')
		}, temporary + "|" + unsent + "|" + unsent},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := dial(t, c.caps, c.play)
			check.Soon(t, "the batch", func() {
				check.Equal(t, "answers", answers(s.Append(t.Context(), inbox, c.batch).Wait(t.Context())), c.want)
				next := s.Append(t.Context(), inbox, letters("d")).Wait(t.Context())
				check.Equal(t, "the next one", answers(next), unsent)
			})
		})
	}
}

// What was sent before a message that cannot be read is not said to be unsent.
func TestBodyThatFailsInABatch(t *testing.T) {
	broken := sync.Outgoing{Size: 100, Body: func() io.Reader { return failing{&sync.Error{Class: sync.Storage, Err: errors.New("disk")}} }}
	unsent, open := outcome(sync.Storage, " unsent"), outcome(sync.Storage, "")
	for _, c := range []struct {
		name, caps string
		batch      []sync.Outgoing
		want       string
	}{
		{"in one command", multi, []sync.Outgoing{letter("a"), broken, letter("c")}, unsent + "|" + unsent + "|" + unsent},
		{"in single commands", "LITERAL+", []sync.Outgoing{letter("a"), broken, letter("c")}, unsent + "|" + unsent + "|" + unsent},
		{"behind much", "LITERAL+", []sync.Outgoing{letter("a"), letter(strings.Repeat("x", 1<<20)), broken, letter("c")},
			open + "|" + unsent + "|" + unsent + "|" + unsent},
		{"that waits", "", []sync.Outgoing{letter("a"), broken, letter("c")}, open + "|" + unsent + "|" + unsent},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := hearing(t, c.caps, func(e ear) {
				for {
					if _, err := e.append(); err != nil {
						return
					}
				}
			})
			check.Soon(t, "the batch", func() {
				check.Equal(t, "answers", answers(s.Append(t.Context(), inbox, c.batch).Wait(t.Context())), c.want)
			})
		})
	}
}

// deaf is a server that takes all and answers nothing. It tells when it has taken n.
func deaf(t *testing.T, capabilities string, n int, timeout time.Duration) (*Session, <-chan struct{}) {
	t.Helper()
	taken := make(chan struct{})
	end := at(check.Script(t, loginless(func(p *lab.Peer) {
		caps(capabilities).answerUntil(p, "LIST")
		e := ear{p, bufio.NewReader(p.Conn)}
		for range n {
			e.append()
		}
		close(taken)
		e.append()
	})))
	end.Timeout = timeout
	return enterAt(t, end), taken
}

func TestSilenceWithBatchesInFlight(t *testing.T) {
	s, _ := deaf(t, multi, 2, 200*time.Millisecond)
	first, second := s.Append(t.Context(), inbox, letters("a", "b")), s.Append(t.Context(), inbox, letters("c"))
	check.Soon(t, "the answers", func() {
		one := outcome(sync.Temporary, "")
		a, b := first.Wait(context.Background()), second.Wait(context.Background())
		check.Equal(t, "first", answers(a), one+"|"+one)
		check.Equal(t, "second", answers(b), one)
		check.Says(t, b[0].Err, "silent for 200ms")
	})
}

func TestCancelledWithBatchesInFlight(t *testing.T) {
	s, taken := deaf(t, multi, 2, time.Hour)
	first, second := s.Append(t.Context(), inbox, letters("a", "b")), s.Append(t.Context(), inbox, letters("c"))
	ctx := check.Until(t, taken)
	check.Soon(t, "the answers", func() {
		one := outcome(sync.Stopped, "")
		check.Equal(t, "first", answers(first.Wait(ctx)), one+"|"+one)
		a := second.Wait(context.Background())
		check.Equal(t, "second", answers(a), one)
		check.Stopped(t, a[0].Err)
	})
}

// When all is answered nothing is awaited, however long we have nothing to say; and while we write, the answers to what
// was written before may take their time.
func TestNoSilenceWhereNothingIsAwaited(t *testing.T) {
	end := at(check.Script(t, loginless(func(p *lab.Peer) {
		caps(multi).answerUntil(p, "LIST")
		e := ear{p, bufio.NewReader(p.Conn)}
		for range 2 {
			h, _ := e.append()
			e.say(h, "% OK")
		}
		first, _ := e.append()
		second, _ := e.append()
		e.say(first, "% OK")
		e.say(second, "% OK")
	})))
	end.Timeout = 300 * time.Millisecond
	s := enterAt(t, end)
	slow := func() sync.Outgoing {
		body := io.MultiReader(&late{time.After(time.Second)}, strings.NewReader("x"))
		return sync.Outgoing{Size: 1, Body: func() io.Reader { return body }}
	}
	check.Equal(t, "first", answers(s.Append(t.Context(), inbox, letters("a")).Wait(t.Context())), "0:0")
	(&late{time.After(time.Second)}).Read(nil)
	check.Equal(t, "after a rest", answers(s.Append(t.Context(), inbox, letters("b")).Wait(t.Context())), "0:0")
	p, q := s.Append(t.Context(), inbox, letters("c")), s.Append(t.Context(), inbox, []sync.Outgoing{slow()})
	check.Equal(t, "in flight", answers(p.Wait(t.Context())), "0:0")
	check.Equal(t, "slow", answers(q.Wait(t.Context())), "0:0")
}
