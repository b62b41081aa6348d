package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
)

// A bar is the one line that tells how far all accounts are together. The cursor stays at its beginning: a terminal that is
// made narrower then breaks the line, and the cursor still stands where all of it can be erased. A nil bar shows nothing.
type bar struct {
	to      io.Writer
	width   func() int               // of the terminal, in columns, as it is now; 0: not known
	escapes bool                     // the terminal may be sent escape sequences
	line    func(columns int) string // as things are now

	drawn int // letters of what is there
	at    time.Time
	gone  chan struct{} // closed when it is taken away
}

const (
	drawnEvery = 100 * time.Millisecond
	usualWidth = 80
	erase      = "\x1b[J" // from the cursor on, to the end of the screen (ECMA-48 §8.3.39)

	// A terminal may be narrower already than it tells (tmux takes a quarter of a second): what is too long then must not wrap,
	// or the cursor is on the next line (DECAWM).
	noWrap, wrap = "\x1b[?7l", "\x1b[?7h"
)

// draw draws it anew, unless that was done a moment ago.
func (b *bar) draw() {
	if b != nil && time.Since(b.at) >= drawnEvery {
		b.show()
	}
}

// show draws it now. A line as wide as the terminal would wrap, so it is narrower by one.
func (b *bar) show() {
	if b == nil {
		return
	}
	width := b.width()
	if width <= 0 {
		width = usualWidth
	}
	line := clip(b.line(width-1), width-1)
	n := utf8.RuneCountInString(line)
	if b.escapes {
		fmt.Fprint(b.to, noWrap+"\r"+line+erase+"\r"+wrap)
	} else {
		fmt.Fprint(b.to, "\r"+line+strings.Repeat(" ", max(min(b.drawn, width-1)-n, 0))+"\r")
	}
	b.drawn, b.at = n, time.Now()
}

// hide takes it from the screen, until it is drawn again.
func (b *bar) hide() {
	switch {
	case b == nil || b.drawn == 0:
		return
	case b.escapes:
		fmt.Fprint(b.to, "\r"+erase)
	default:
		n := b.drawn
		if width := b.width(); width > 0 {
			n = min(n, width-1)
		}
		fmt.Fprintf(b.to, "\r%s\r", strings.Repeat(" ", n))
	}
	b.drawn = 0
}

// A word of the bar, or more of them, and how long it is kept where there is little room: 0 for ever.
type word struct {
	text string
	rank int
}

// words are those of the bar, in their order.
func (v *view) words() []word {
	count := humanize.Comma(int64(v.finished)) + "/" + humanize.Comma(int64(v.messages))
	return []word{{v.name, 3}, {count, 0}, {amount(v.way(), v.octets, "/"), 5}, {v.speed(), 4}, {v.left(), 1}, {v.trouble(), 2}}
}

// line lays the bar out in so many columns: what matters least is left out first, and what is left over the gauge has.
func (v *view) line(columns int) string {
	for rank := 5; ; rank-- {
		text := phrase(v.words(), rank)
		room := columns - utf8.RuneCountInString(text)
		if rank > 0 && room < 0 {
			continue
		}
		return gauge(text, v.way(), v.octets, room)
	}
}

// phrase joins what is not empty and is kept at a rank. The name needs no comma.
func phrase(words []word, rank int) string {
	text := ""
	for i, w := range words {
		switch {
		case w.text == "" || w.rank > rank:
		case text == "":
			text = w.text
		case i == 1:
			text += " " + w.text
		default:
			text += ", " + w.text
		}
	}
	return text
}

// The gauge has a percentage and a bar of some length; a shorter one would tell nothing.
const (
	gaugeFrame = len("  12% || ")
	gaugeLeast = 5
	gaugeMost  = 40
)

// gauge puts what progressbar draws behind the text, where there is room for it.
func gauge(text string, done, all int64, room int) string {
	width := min(room-gaugeFrame, gaugeMost)
	if width < gaugeLeast || all <= 0 {
		return text
	}
	b := progressbar.NewOptions64(all, progressbar.OptionSetWriter(io.Discard), progressbar.OptionSetWidth(width),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false))
	b.Set64(min(done, all-1)) // a full one is over, and not drawn any more
	b.Describe(text)
	return strings.TrimRight(strings.TrimPrefix(b.String(), "\r"), " ")
}
