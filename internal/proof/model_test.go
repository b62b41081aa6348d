package proof_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"pgregory.net/rapid"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

var noon = time.Date(2025, time.March, 1, 12, 0, 0, 0, time.UTC)

// A tally says how often there is each of the contents.
type tally [6]int

// A history is a maildrop, a mailbox and a memory, and what must be true of them:
//
//   - nothing but the contents is in the mailbox, and nothing leaves it;
//   - of a content there are no more copies than bounds_test.go allows;
//   - and no less than were in the maildrop at any run that said that all is well, foreign copies included;
//   - what a run has taken from the maildrop is in the mailbox, each for itself.
type history struct {
	*trial.World

	atIMAP, atPOP, afterPOP trial.Trap
	fate                    atomic.Int64 // what becomes of what atIMAP catches

	noUIDL, deletes, noDedup bool
	routed                   bool // contents go to several folders, each to one

	drop    []letter         // what is in the maildrop
	called  map[string][]int // contents that were ever called by a UIDL
	named   int              // UIDLs that were given
	lost    bool             // the memory, at any time
	unheard bool             // the last run failed
	last    tally            // what the mailbox had before
	floor   tally            // what it has at the least
	deleted tally            // what was deleted at the source
	bounds
}

// A letter is a message in the maildrop.
type letter struct {
	uidl    string
	content int
}

func begin(t *rapid.T) *history {
	h := &history{called: map[string][]int{}, deletes: rapid.IntRange(0, 3).Draw(t, "deletes") == 0}
	h.noUIDL = !h.deletes && rapid.IntRange(0, 3).Draw(t, "no UIDL") == 0
	h.noDedup = rapid.IntRange(0, 3).Draw(t, "no dedup") == 0
	h.routed = rapid.Bool().Draw(t, "routed")
	p := lab.POP3Options{NoUIDL: h.noUIDL, NoTOP: rapid.Bool().Draw(t, "no TOP"),
		NoPipelining: rapid.Bool().Draw(t, "no pipelining"), Hook: h.atPOP.Answer("", true),
		LosesReply: func(_ int, line string) bool { return h.afterPOP.Springs(line) }}
	i := lab.IMAPOptions{Without: rapid.SampledFrom(lacks).Draw(t, "without"), SpecialUse: uses,
		Hook: func(_ int, line string) lab.Fate {
			if h.atIMAP.Springs(line) {
				return lab.Fate(h.fate.Load())
			}
			return lab.Execute
		}}
	dir, err := os.MkdirTemp(scratch, "history-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	h.World = trial.Start(t, dir, p, i)
	h.Always = []func(*sync.Options){func(o *sync.Options) {
		o.Place, o.NoDedup, o.Delete.On = h.place, h.noDedup, h.deletes
	}}
	return h
}

func (h *history) content(t *rapid.T) int {
	return rapid.IntRange(0, len(contents)-1).Draw(t, "content")
}

// any draws a message of the maildrop.
func (h *history) any(t *rapid.T) int {
	if len(h.drop) == 0 {
		t.Skip("the maildrop is empty")
	}
	return rapid.IntRange(0, len(h.drop)-1).Draw(t, "message")
}

func (h *history) fresh() string {
	h.named++
	return fmt.Sprintf("u%d", h.named)
}

func (h *history) add(uidl string, content int) {
	h.drop = append(h.drop, letter{uidl, content})
	h.called[uidl] = append(h.called[uidl], content)
	h.came(content)
	h.fill()
}

// fill makes the maildrop as it is to be.
func (h *history) fill() {
	list := make([]lab.Mail, len(h.drop))
	for i, l := range h.drop {
		list[i] = as(contents[l.content], l.uidl)
	}
	h.POP.SetMail(list)
}

// have is what the folders have.
func (h *history) have(t *rapid.T) (n tally) {
	for _, folder := range folders {
		stored, err := h.IMAP.Messages(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range stored {
			c := slices.IndexFunc(contents, func(m lab.Mail) bool { return bytes.Equal(m.Raw, s.Raw) })
			if c < 0 || h.folder(c) != folder {
				t.Fatalf("%s has %.100q", folder, s.Raw)
			}
			n[c]++
		}
	}
	return n
}

// folder is where a content belongs.
func (h *history) folder(content int) string {
	if !h.routed {
		return folders[0]
	}
	return folders[content%len(folders)]
}

// place tells that by the header.
func (h *history) place(header []byte, _ int64, _ message.Inference) sync.Placement {
	c := slices.IndexFunc(contents, func(m lab.Mail) bool { return bytes.HasPrefix(m.Raw, header) })
	if folder := h.folder(c); folder != "Sent" {
		return sync.Placement{Folder: folder}
	}
	return sync.Placement{Use: `\Sent`}
}

// listed is what the maildrop has.
func (h *history) listed() (n tally) {
	for _, l := range h.drop {
		n[l.content]++
	}
	return n
}

// holds checks the mailbox.
func (h *history) holds(t *rapid.T) {
	have := h.have(t)
	for c, n := range have {
		least, most := max(h.floor[c], h.last[c]), h.most(c, h.deletes)
		if n < least || n > most {
			t.Errorf("%d of content %d; want at least %d and at most %d", n, c, least, most)
		}
		if !h.lost && n < h.deleted[c] {
			t.Errorf("%d of content %d, and %d were deleted", n, c, h.deleted[c])
		}
	}
	h.last = have
}

// well says whether a run said that all is well.
func (h *history) well(r sync.Report) bool { return r.Err == nil && r.InDoubt+r.Missing+r.Left == 0 }

// run is one run of the program.
func (h *history) run(t *rapid.T) sync.Report {
	before := h.listed()
	h.listing(before)
	r := h.Run()
	h.atIMAP.Set("", 0)
	h.atPOP.Set("", 0)
	h.afterPOP.Set("", 0)
	t.Logf("%v with %v: copied %d, recognised %d, in doubt %d, deleted %d: %v", h.drop, h.have(t), r.Copied, r.Recognised,
		r.InDoubt, r.Deleted, r.Err)
	h.taken(t, before)
	h.unheard = r.Err != nil
	if h.well(r) {
		for c, n := range before {
			h.floor[c] = max(h.floor[c], n)
		}
		h.holds(t)
		h.settle(h.have(t), h.listed())
	}
	return r
}

// taken checks what a run has deleted at the source.
func (h *history) taken(t *rapid.T, before tally) {
	left := map[string]int{}
	for _, m := range h.POP.Mail() {
		left[m.UIDL]++
	}
	h.drop = slices.DeleteFunc(slices.Clone(h.drop), func(l letter) bool {
		left[l.uidl]--
		return left[l.uidl] < 0
	})
	have, now := h.have(t), h.listed()
	for c := range before {
		gone := before[c] - now[c]
		h.deleted[c] += gone
		if gone > 0 && !h.deletes || gone > have[c] {
			t.Errorf("%d of content %d were deleted at the source, and %d are at the destination", gone, c, have[c])
		}
	}
}

func (h *history) forgetState(t *rapid.T) {
	files, err := filepath.Glob(h.State() + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}
