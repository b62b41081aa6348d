package sync

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A heard is a watcher that keeps the notices.
type heard struct {
	Watcher
	notices []string
}

func (h *heard) Notice(text string) { h.notices = append(h.notices, text) }

// A long verification tells from time to time how far it is, a short one and a run do not.
func TestVerificationTellsHowFarItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		r := newRun(Options{Watch: h})
		r.tellProgress(100) // a run that reads back
		r.progress = &progress{of: 2500, told: time.Now()}
		for range 24 {
			time.Sleep(3 * time.Second)
			r.tellProgress(100)
		}
		want := []string{"1,000 of 2,500 messages found so far", "2,000 of 2,500 messages found so far"}
		if !slices.Equal(h.notices, want) {
			t.Errorf("got %q, want %q", h.notices, want)
		}
	})
}
