package imap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// Without LITERAL+ the batches are shared out among connections; each message is stored once, and its place is right.
func TestPool(t *testing.T) {
	for _, c := range []struct {
		without []imap.Cap
		asked   int
		want    int // connections
	}{
		{nil, 0, 1},
		{nil, 3, 3},
		{[]imap.Cap{imap.CapLiteralPlus, imap.CapMultiAppend}, 0, 1},
		{[]imap.Cap{imap.CapLiteralPlus, imap.CapMultiAppend}, 4, 4},
	} {
		t.Run(fmt.Sprintf("without %v, %d connections", c.without, c.asked), func(t *testing.T) {
			srv := startIMAP(t, lab.IMAPOptions{Without: c.without})
			p, err := DialPool(t.Context(), at(srv), Login{User: user, Password: password}, c.asked)
			if err != nil {
				t.Fatal(err)
			}
			f, err := p.Open(t.Context(), "INBOX", false)
			if err != nil {
				t.Fatal(err)
			}
			var all []sync.Pending
			for i := range 10 {
				var batch []sync.Outgoing
				for j := range 5 {
					batch = append(batch, letter(raw(5*i+j)))
				}
				all = append(all, p.Append(t.Context(), f, batch))
			}
			places := map[uint32]string{}
			for i, pending := range all {
				for j, a := range pending.Wait(t.Context()) {
					if a.Err != nil {
						t.Errorf("message %d: %v", 5*i+j, a.Err)
					}
					places[a.UID] = raw(5*i + j)
				}
			}
			if err := p.Close(t.Context()); err != nil {
				t.Error(err)
			}
			got, err := srv.Messages("INBOX")
			if err != nil || len(got) != 50 {
				t.Fatalf("got %d messages (%v), want 50", len(got), err)
			}
			for _, m := range got {
				if !bytes.Equal(m.Raw, []byte(places[m.UID])) {
					t.Errorf("UID %d is another message than it was said to be", m.UID)
				}
			}
			if n := srv.Connections(); n != c.want {
				t.Errorf("got %d connections, want %d", n, c.want)
			}
		})
	}
}

// raw is a message of more than 4 KiB, which LITERAL- lets nobody send unasked.
func raw(n int) string {
	return fmt.Sprintf("Message-ID: <%d@example.org>\r\n\r\n%s", n, strings.Repeat("filled up to its size\r\n", 250))
}

// A server that allows two connections gets the same messages through two.
func TestPoolAtAServerThatAllowsFewConnections(t *testing.T) {
	srv := startIMAP(t, lab.IMAPOptions{Without: []imap.Cap{imap.CapLiteralPlus, imap.CapMultiAppend}})
	p, err := DialPool(t.Context(), at(srv), Login{User: user, Password: password}, 4)
	if err != nil {
		t.Fatal(err)
	}
	p.dial = func(ctx context.Context) (*Session, error) {
		return nil, &sync.Error{Class: sync.Temporary, Err: errors.New("too many connections")}
	}
	f, err := p.Open(t.Context(), "INBOX", false)
	if err != nil {
		t.Fatal(err)
	}
	var all []sync.Pending
	for i := range 6 {
		all = append(all, p.Append(t.Context(), f, []sync.Outgoing{letter(raw(i))}))
	}
	for _, pending := range all {
		if a := pending.Wait(t.Context()); a[0].Err != nil {
			t.Error(a[0].Err)
		}
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	got, err := srv.Messages("INBOX")
	if err != nil || len(got) != 6 || !slices.IsSortedFunc(got, func(a, b lab.Stored) int { return bytes.Compare(a.Raw, b.Raw) }) {
		t.Errorf("got %d messages (%v), want 6 in order", len(got), err)
	}
}

// A bug in a goroutine of the pool is an answer, not the end of the process.
func TestPanicInAPool(t *testing.T) {
	srv := startIMAP(t, lab.IMAPOptions{Without: []imap.Cap{imap.CapLiteralPlus, imap.CapMultiAppend}})
	p, err := DialPool(t.Context(), at(srv), Login{User: user, Password: password}, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(t.Context())
	f, err := p.Open(t.Context(), "INBOX", false)
	if err != nil {
		t.Fatal(err)
	}
	faulty := letter("x")
	faulty.Body = func() io.Reader { panic("a bug in Body") }
	answers := p.Append(t.Context(), f, []sync.Outgoing{faulty, letter("y")}).Wait(t.Context())
	if len(answers) != 2 || answers[0].Err == nil || sync.ClassOf(answers[0].Err) != sync.Bug {
		t.Errorf("got %+v, want a bug for each of 2", answers)
	}
}

// After a bug in the middle of a message nothing else is written into what is left of its literal.
func TestPanicWithinAMessage(t *testing.T) {
	srv := startIMAP(t, lab.IMAPOptions{Without: []imap.Cap{imap.CapLiteralPlus, imap.CapMultiAppend}})
	for _, connections := range []int{1, 2} {
		p, err := DialPool(t.Context(), at(srv), Login{User: user, Password: password}, connections)
		if err != nil {
			t.Fatal(err)
		}
		p.dial = func(context.Context) (*Session, error) { return nil, errors.New("there is no other") }
		f, err := p.Open(t.Context(), "INBOX", false)
		if err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		faulty := letter(raw(0))
		faulty.Body = func() io.Reader { return io.MultiReader(strings.NewReader("half"), panicking{}) }
		for _, m := range []sync.Outgoing{faulty, letter(raw(1))} {
			a := sync.Answered(1, func() []sync.Answer { return p.Append(short, f, []sync.Outgoing{m}).Wait(short) })
			if a[0].Err == nil || sync.ClassOf(a[0].Err) != sync.Bug {
				t.Errorf("%d connections: got %v, want a bug", connections, a[0].Err)
			}
		}
		p.Close(t.Context())
	}
	if got, err := srv.Messages("INBOX"); err != nil || len(got) != 0 {
		t.Errorf("got %d messages (%v), want none", len(got), err)
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("a bug in Read") }
