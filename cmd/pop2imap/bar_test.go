package main

import (
	"io"
	"testing"

	"github.com/pop2imap/pop2imap/sync"
)

func TestBarCountsWhatIsDealtWith(t *testing.T) {
	b := newBar(io.Discard, "alice", 3, 3000)
	b.moved(10000) // LIST had said less
	if got := b.State().CurrentNum; got != 2999 {
		t.Errorf("%d octets behind, want 2999: it is not done yet", got)
	}
	for _, r := range []sync.Result{sync.Copied, sync.RefusedOne} {
		b.done(sync.Outcome{Result: r, Listed: 1000, Size: 5000})
	}
	b.hide()
	b.show()
	if got, want := b.text(), "alice 2/3 (1 refused)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := b.State().CurrentNum; got != 2000 {
		t.Errorf("%d octets behind, want 2000", got)
	}
	b.moved(500) // the half of what is retrieved
	if got := b.State().CurrentNum; got != 2250 {
		t.Errorf("%d octets behind, want 2250", got)
	}
	var none *bar // where there is no terminal
	none.moved(1)
	none.done(sync.Outcome{})
	none.hide()
	none.show()
}
