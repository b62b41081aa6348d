package main

import (
	"bytes"
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/term"
)

// A clip cuts what is drawn between two CR to a terminal's width less one. A bar that is wider would wrap: the CR before the
// next drawing then leads to the beginning of its second line only, and the screen fills with bars.
type clip struct {
	w     io.Writer
	width func() int // in columns, as it is now; 0: not known, and nothing is cut
}

// clipped is for a bar on w, which may be a terminal.
func clipped(w io.Writer) io.Writer {
	f, ok := w.(*os.File)
	if !ok {
		return w
	}
	return clip{w, func() int {
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0
		}
		return width
	}}
}

// Write writes all of p that there is room for, and says that it was all of p. A letter counts as one column.
func (c clip) Write(p []byte) (int, error) {
	width := c.width()
	if width <= 0 {
		return c.w.Write(p)
	}
	lines := bytes.Split(p, []byte("\r"))
	for i, line := range lines {
		lines[i] = line[:end(line, width-1)]
	}
	if _, err := c.w.Write(bytes.Join(lines, []byte("\r"))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// end is behind the first n letters of line.
func end(line []byte, n int) (at int) {
	for ; n > 0 && at < len(line); n-- {
		_, size := utf8.DecodeRune(line[at:])
		at += size
	}
	return at
}
