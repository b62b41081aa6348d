package main

import (
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/term"
)

// widthOf gives what tells how many columns a terminal has now; 0: it is none, or nobody knows.
func widthOf(w io.Writer) func() int {
	f, ok := w.(*os.File)
	if !ok {
		return func() int { return 0 }
	}
	return func() int {
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0
		}
		return width
	}
}

// clip gives the first n letters of a line; a letter counts as one column.
func clip(line string, n int) string {
	at := 0
	for ; n > 0 && at < len(line); n-- {
		_, size := utf8.DecodeRuneInString(line[at:])
		at += size
	}
	return line[:at]
}

// dumb says that a terminal is not one to draw on.
func (p *program) dumb() bool { return p.getenv("TERM") == "dumb" }

// escapes says whether escape sequences may be written. There is no colour, and but for the one that erases a bar no other
// either: who sets NO_COLOR gets none at all. A Windows console has no TERM.
func (p *program) escapes() bool {
	return isTerminal(p.err) && p.getenv("TERM") != "" && !p.dumb() && p.getenv("NO_COLOR") == ""
}
