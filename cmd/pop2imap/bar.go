package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/pop2imap/pop2imap/sync"
)

// A bar shows messages, octets, rate and the time that is left, of all accounts together. A nil bar shows nothing.
type bar struct {
	*progressbar.ProgressBar
	name string
	part // the sum of all
}

// A part is what one account has in the bar.
type part struct {
	messages int
	finished int
	refused  int
	octets   int64 // planned
	behind   int64 // of finished messages, as listed
	ahead    int64 // of those that are retrieved, and not finished: half the way
}

func newBar(w io.Writer, name string) *bar {
	b := &bar{name: name}
	b.ProgressBar = progressbar.NewOptions64(1,
		progressbar.OptionSetWriter(clipped(w)),
		progressbar.OptionShowBytes(true),
		progressbar.OptionShowCount(),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionFullWidth(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetPredictTime(true))
	return b
}

func (b *bar) text() string {
	text := fmt.Sprintf("%s %d/%d", b.name, b.finished, b.messages)
	if b.refused > 0 {
		text += fmt.Sprintf(" (%d refused)", b.refused)
	}
	return text
}

// planned adds to what an account has behind it what is left.
func (b *bar) planned(p *part, messages int, octets int64) {
	b.change(p, func() {
		p.messages, p.octets, p.ahead = p.finished+messages, p.behind+octets, 0
	})
	b.describe()
}

func (b *bar) moved(p *part, octets int) {
	b.change(p, func() { p.ahead += int64(octets) })
}

// done counts a message, by the size that was planned with.
func (b *bar) done(p *part, o sync.Outcome) {
	b.change(p, func() {
		p.finished++
		if o.Result == sync.RefusedOne {
			p.refused++
		}
		p.behind += o.Listed
		p.ahead = max(p.ahead-o.Size, 0)
	})
	b.describe()
}

func (b *bar) describe() {
	if b != nil {
		b.Describe(b.text())
	}
}

// change changes a part, and the sum by as much. A bar that is full is done, so it must never be.
func (b *bar) change(p *part, how func()) {
	if b == nil {
		return
	}
	b.add(*p, -1)
	how()
	b.add(*p, 1)
	if b.octets > b.GetMax64() {
		b.ChangeMax64(b.octets)
	}
	b.Set64(max(min(b.behind+b.ahead/2, b.octets-1), 0)) // LIST may have said too little
	if b.octets < b.GetMax64() {
		b.ChangeMax64(max(b.octets, 1))
	}
}

func (b *bar) add(p part, sign int) {
	b.messages += sign * p.messages
	b.finished += sign * p.finished
	b.refused += sign * p.refused
	b.octets += int64(sign) * p.octets
	b.behind += int64(sign) * p.behind
	b.ahead += int64(sign) * p.ahead
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
