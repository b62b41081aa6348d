package main

import (
	"io"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/sync"
)

func TestBarCountsWhatIsDealtWith(t *testing.T) {
	b, alice := newBar(io.Discard, "alice"), new(part)
	b.planned(alice, 3, 3000)
	b.moved(alice, 10000) // LIST had said less
	if got := b.State().CurrentNum; got != 2999 {
		t.Errorf("%d octets behind, want 2999: it is not done yet", got)
	}
	for _, r := range []sync.Result{sync.Copied, sync.RefusedOne} {
		b.done(alice, sync.Outcome{Result: r, Listed: 1000, Size: 5000})
	}
	b.hide()
	b.show()
	if got, want := b.text(), "alice 2/3 (1 refused)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := b.State().CurrentNum; got != 2000 {
		t.Errorf("%d octets behind, want 2000", got)
	}
	b.moved(alice, 500) // the half of what is retrieved
	if got := b.State().CurrentNum; got != 2250 {
		t.Errorf("%d octets behind, want 2250", got)
	}
	var none *bar // where there is no terminal
	none.planned(alice, 1, 1)
	none.moved(alice, 1)
	none.done(alice, sync.Outcome{})
	none.hide()
	none.show()
}

func TestBarOfSeveralAccounts(t *testing.T) {
	b, alice, bob := newBar(io.Discard, "2 accounts"), new(part), new(part)
	b.planned(alice, 2, 2000)
	b.done(alice, sync.Outcome{Result: sync.Copied, Listed: 1000})
	b.planned(bob, 3, 6000) // it comes later
	b.done(bob, sync.Outcome{Result: sync.RefusedOne, Listed: 2000})
	for _, c := range []struct {
		name       string
		do         func()
		text       string
		behind, of int64
	}{
		{"both", func() {}, "2 accounts 2/5 (1 refused)", 3000, 8000},
		{"a line was lost, and what is left is planned anew", func() { b.moved(alice, 500); b.planned(alice, 1, 1000) }, "2 accounts 2/5 (1 refused)", 3000, 8000},
		{"one ends early", func() { b.planned(bob, 0, 0) }, "2 accounts 2/3 (1 refused)", 3000, 4000},
		{"nothing is left", func() { b.planned(alice, 0, 0) }, "2 accounts 2/2 (1 refused)", 2999, 3000},
	} {
		c.do()
		if got := b.State(); b.text() != c.text || got.CurrentNum != c.behind || got.Max != c.of {
			t.Errorf("%s: got %q, %d of %d octets, want %q, %d of %d", c.name, b.text(), got.CurrentNum, got.Max, c.text, c.behind, c.of)
		}
	}
}

// A bar that wraps fills the screen with bars.
func TestBarIsCutToTheTerminal(t *testing.T) {
	for _, c := range []struct {
		name  string
		width int
		drawn string
		want  string
	}{
		{"there is room", 20, "\ralice 1/5 ██", "\ralice 1/5 ██"},
		{"it is as wide as the terminal", 12, "\ralice 1/5 ██", "\ralice 1/5 █"},
		{"a narrow one", 8, "\ralice 1/5 ██", "\ralice 1"},
		{"blanks over the bar before", 4, "\r          \r", "\r   \r"},
		{"the width is not known", 0, "\ralice 1/5 ██", "\ralice 1/5 ██"},
	} {
		var got strings.Builder
		n, err := clip{&got, func() int { return c.width }}.Write([]byte(c.drawn))
		if got.String() != c.want || n != len(c.drawn) || err != nil {
			t.Errorf("%s: got %q, %d octets, %v; want %q, %d octets", c.name, got.String(), n, err, c.want, len(c.drawn))
		}
	}
}
