package main

import (
	"io"
	"testing"

	"github.com/pop2imap/pop2imap/sync"
)

func TestBarCountsWhatIsDealtWith(t *testing.T) {
	b := newBar(io.Discard, "alice", 3, 3000)
	for _, o := range []sync.Outcome{{Result: sync.Copied, Listed: 1000}, {Result: sync.RefusedOne, Listed: 1000}} {
		b.moved(5000) // LIST had said less
		b.done(o)
	}
	b.hide()
	b.show()
	if got, want := b.text(), "alice 2/3 (1 refused)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := b.State().CurrentNum; got != 2000 {
		t.Errorf("%d octets behind, want 2000", got)
	}
	var none *bar // where there is no terminal
	none.moved(1)
	none.done(sync.Outcome{})
	none.hide()
	none.show()
}
