package sync_test

import (
	"slices"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// Who watches a run is told what it is about, and of each pause.
func TestWhatARunIsDoing(t *testing.T) {
	var hook trap
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: hook.Fate(lab.Cut)}, mail("a"), mail("b"))
	hook.Set("APPEND", 2)
	watch := &watcher{}
	w.wants(w.run(func(o *sync.Options) {
		o.Watch, o.Settle, o.Patience, o.Delete.On = watch, 0, sync.DefaultPatience, true
	}), "2 listed, 2 new, 2 copied")
	doings := []string{"looking at the maildrop", "finding out what became of messages that were under way", "looking at the maildrop",
		"reading back what was stored", "deleting at the source"}
	if !slices.Equal(watch.Doings, doings) {
		t.Errorf("it is doing %q, want %q", watch.Doings, doings)
	}
	if len(watch.Pauses) != 2 || watch.Pauses[0] == "" || watch.Pauses[1] != "" {
		t.Errorf("pauses %q, want one, and its end", watch.Pauses)
	}
}
