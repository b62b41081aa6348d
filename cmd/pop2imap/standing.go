package main

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/sync"
)

// standingWidth is how long a line of the standing is where no terminal says.
const standingWidth = 160

// standing tells, of each account in a line, what it is doing: for who sends the signal that asks for it.
func (t *terminal) standing(now time.Time) string {
	done, width := 0, 0
	for _, s := range t.screens {
		width = max(width, min(utf8.RuneCountInString(s.name), 24))
		if s.part.came != "" {
			done++
		}
	}
	lines := []string{fmt.Sprintf("%d of %s done%s", done, units.Plural(len(t.screens), "account"), t.passes.standing(now))}
	for _, s := range t.screens {
		lines = append(lines, fmt.Sprintf("  %-*s  %s", width, s.name, s.view(now).standing(now)))
	}
	columns := standingWidth
	if w := widthOf(t.err)(); w > 0 {
		columns = w - 1
	}
	for i, line := range lines {
		lines[i] = clip(line, columns)
	}
	return strings.Join(lines, "\n")
}

// tellStanding prints it, also with --quiet or a log file: somebody has asked. It is no warning.
func (t *terminal) tellStanding() {
	t.mu.Lock()
	text := t.standing(time.Now())
	t.mu.Unlock()
	e := heard("", t.all, text)
	e.level = slog.LevelInfo
	t.keep(e)
	t.show(e)
}

// standing is what one account is doing.
func (v *view) standing(now time.Time) string {
	far := phrase([]word{{amount(v.way(), v.octets, " of "), 0}, {}, {v.speed(), 0}, {v.trouble(), 0}}, 0)
	count := fmt.Sprintf("%s of %s", humanize.Comma(int64(v.finished)), humanize.Comma(int64(v.messages)))
	switch {
	case v.came != "":
		return v.came
	case v.paused > 0:
		text := fmt.Sprintf("pausing until %s, since %s: %s", v.until.Format(time.TimeOnly), v.since.Format(time.TimeOnly), v.why)
		if v.messages > 0 {
			text = fmt.Sprintf("%s, %s", count, text)
		}
		return text
	case v.doing == "":
		return "waiting for its turn"
	case v.messages == 0:
		return v.doing
	case v.finished >= v.messages:
		return fmt.Sprintf("%s; %s copied, %s", v.doing, count, far)
	}
	return phrase([]word{{v.doing, 0}, {count, 0}, {far, 0}, {v.left(), 0}}, 0)
}

// cameOf says what came of an account.
func cameOf(r sync.Report) string {
	var words []string
	add(&words, r.Copied, "copied")
	words = append(words, others(r, "left")...)
	if len(words) == 0 {
		words = []string{"nothing new"}
	}
	text := "done: " + strings.Join(words, ", ")
	if r.Err != nil {
		text = "failed"
		if r.Copied > 0 {
			text += fmt.Sprintf(" after %s", units.Plural(r.Copied, "message"))
		}
		text += ": " + sync.Clean(r.Err.Error())
	}
	return text
}
