package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/pop2imap/pop2imap/sync"
)

// A bar shows messages, octets, rate and the time that is left. A nil bar shows nothing.
type bar struct {
	*progressbar.ProgressBar
	name     string
	messages int
	finished int
	refused  int
	octets   int64 // planned
	behind   int64 // of finished messages, as listed
	ahead    int64 // of those that are retrieved, and not finished: half the way
}

func newBar(w io.Writer, name string, messages int, octets int64) *bar {
	b := &bar{name: name, messages: messages, octets: max(octets, 1)}
	b.ProgressBar = progressbar.NewOptions64(b.octets,
		progressbar.OptionSetWriter(w),
		progressbar.OptionShowBytes(true),
		progressbar.OptionShowCount(),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionFullWidth(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetDescription(b.text()))
	return b
}

func (b *bar) text() string {
	text := fmt.Sprintf("%s %d/%d", b.name, b.finished, b.messages)
	if b.refused > 0 {
		text += fmt.Sprintf(" (%d refused)", b.refused)
	}
	return text
}

func (b *bar) moved(octets int) {
	if b == nil {
		return
	}
	b.ahead += int64(octets)
	b.Set64(min(b.behind+b.ahead/2, b.octets-1)) // LIST may have said too little, and a bar that is full is done
}

// done counts a message, by the size that was planned with.
func (b *bar) done(o sync.Outcome) {
	if b == nil {
		return
	}
	b.finished++
	if o.Result == sync.RefusedOne {
		b.refused++
	}
	b.behind += o.Listed
	b.ahead = max(b.ahead-o.Size, 0)
	b.Describe(b.text())
	b.moved(0)
}

func (b *bar) hide() {
	if b != nil {
		b.Clear()
	}
}

func (b *bar) show() {
	if b != nil {
		b.RenderBlank()
	}
}
