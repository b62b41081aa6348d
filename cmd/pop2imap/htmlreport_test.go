package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/page"
	"github.com/pop2imap/pop2imap/state"
)

// A run that has not ended is going on, or was interrupted. Neither keeps the page from being made.
func TestPageOfARunThatHasNotEnded(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "state.db")
	store, err := state.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	a, err := store.Account(ctx, "alice", state.Key{From: "alice@pop.example", To: "alice@imap.example/INBOX"})
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := a.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.RunStarted(ctx, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Begin(ctx, []state.Record{{UIDL: "a", Folder: "INBOX", Size: 5}}); err != nil {
		t.Fatal(err)
	}
	check := func(wanted, unwanted string) {
		t.Helper()
		list, err := portraits(ctx, path, &config.Said{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		text := page.HTML(list, time.Now(), "pop2imap")
		for _, want := range []string{wanted, "0 of 1 message are at imap.example.", "1 was under way, or the reply was lost."} {
			if !strings.Contains(text, want) {
				t.Errorf("it does not say %q", want)
			}
		}
		if strings.Contains(text, unwanted) {
			t.Errorf("it says %q", unwanted)
		}
	}
	check("A run is going on", "The last run was interrupted")
	unlock()
	check("The last run was interrupted", "A run is going on")
}
