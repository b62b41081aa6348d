package page

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/state"
)

// A row is one of a table, and what is drawn of it.
type row struct {
	label string
	code  string // the same as a machine says it; "": nothing else
	tick  string // below a column; "": nothing
	state.Share
}

const (
	columnsMost = 36 // months, or else years: narrower ones cannot be told apart on a phone
	foldersMost = 30
	flagsMost   = 20
)

// folderBars gives the folders with most messages, and what the others have together.
func folderBars(folders map[string]state.Share) []row {
	bars := ranked(folders)
	if len(bars) <= foldersMost {
		return bars
	}
	rest := row{label: units.Plural(len(bars)-foldersMost, "other folder")}
	for _, b := range bars[foldersMost:] {
		plus(&rest.Share, b.Share)
	}
	return append(bars[:foldersMost], rest)
}

// flagWords are the flags in plain words.
var flagWords = map[string]string{"": "no flag: new mail", `\Seen`: "read", `\Answered`: "answered", `\Flagged`: "starred",
	`\Draft`: "draft", `\Deleted`: "marked as deleted", "$Forwarded": "forwarded", "$MDNSent": "receipt sent", "$Junk": "spam",
	"$NotJunk": "not spam"}

// flagBars gives the flags that most messages have. A message may be in several.
func flagBars(o *state.Overview) []row {
	bars := ranked(o.Flags)
	bars = bars[:min(len(bars), flagsMost)]
	for i, b := range bars {
		if words, known := flagWords[b.label]; known {
			bars[i].label, bars[i].code = words, b.label
		}
	}
	if o.Unflagged.Messages > 0 { // the destination had them before, or an older program stored them
		bars = append(bars, row{label: "not known", Share: o.Unflagged})
	}
	return bars
}

// ranked puts what has most messages first.
func ranked(shares map[string]state.Share) (bars []row) {
	for name, s := range shares {
		bars = append(bars, row{label: name, Share: s})
	}
	slices.SortFunc(bars, func(a, b row) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.label, b.label))
	})
	return bars
}

// sizeBars gives the classes of sizes that there are.
func sizeBars(sizes []state.Share) (bars []row) {
	bound := func(i int) string { return humanize.IBytes(uint64(state.SizeBounds[i])) }
	for i, s := range sizes {
		label := ""
		switch i {
		case 0:
			label = "below " + bound(0)
		case len(sizes) - 1:
			label = bound(i-1) + " and more"
		default:
			label = bound(i-1) + " to " + bound(i)
		}
		bars = append(bars, row{label: label, Share: s})
	}
	return bars
}

// timeBars gives a bar for each month from the first to the last, or for each year if that is too many, and says which.
// Of still more years the first are one bar; so is all that lies behind now.
func timeBars(months map[state.Month]state.Share, now time.Time) (bars []row, unit string) {
	var past []state.Month
	late := row{label: "later"}
	today := state.Month{Year: now.UTC().Year(), Month: now.UTC().Month()}
	for m, s := range months {
		if ordinal(m) > ordinal(today) {
			plus(&late.Share, s)
			continue
		}
		past = append(past, m)
	}
	slices.SortFunc(past, func(a, b state.Month) int { return ordinal(a) - ordinal(b) })
	unit = "month"
	switch n := len(past); {
	case n == 0:
	case ordinal(past[n-1])-ordinal(past[0]) < columnsMost:
		bars = monthBars(past, months)
	default:
		unit, bars = "year", yearBars(past, months)
	}
	if late.Messages > 0 {
		bars = append(bars, late)
	}
	return bars, unit
}

// ordinal counts months from year 0 on.
func ordinal(m state.Month) int { return 12*m.Year + int(m.Month) - 1 }

func monthBars(past []state.Month, months map[state.Month]state.Share) (bars []row) {
	for i := ordinal(past[0]); i <= ordinal(past[len(past)-1]); i++ {
		m := state.Month{Year: i / 12, Month: time.Month(i%12 + 1)}
		b := row{label: fmt.Sprintf("%d-%02d", m.Year, m.Month), Share: months[m]}
		if m.Month == time.January {
			b.tick = fmt.Sprint(m.Year)
		}
		bars = append(bars, b)
	}
	bars[0].tick = bars[0].label
	return thinned(bars)
}

func yearBars(past []state.Month, months map[state.Month]state.Share) (bars []row) {
	last := past[len(past)-1].Year
	first := max(past[0].Year, last-columnsMost+2)
	years := map[int]state.Share{}
	for _, m := range past {
		s := years[max(m.Year, first-1)]
		plus(&s, months[m])
		years[max(m.Year, first-1)] = s
	}
	if before := years[first-1]; before.Messages > 0 {
		bars = append(bars, row{label: fmt.Sprintf("before %d", first), tick: fmt.Sprintf("<%d", first), Share: before})
	}
	for y := first; y <= last; y++ {
		bars = append(bars, row{label: fmt.Sprint(y), tick: fmt.Sprint(y), Share: years[y]})
	}
	return thinned(bars)
}

func plus(s *state.Share, more state.Share) {
	s.Messages += more.Messages
	s.Octets += more.Octets
}

// thinned leaves out the ticks for which there is no room on a phone: it has some 40 characters.
func thinned(bars []row) []row {
	const room = 36
	free := 0 // the first place that no tick covers, in characters
	for i := range bars {
		at := i * room / len(bars)
		width := len(bars[i].tick) + 2
		if bars[i].tick == "" || at < free || at+len(bars[i].tick) > room && len(bars) > 1 {
			bars[i].tick = ""
			continue
		}
		free = at + width
	}
	return bars
}

// highest is what the longest bar stands for.
func highest(bars []row) int {
	most := 1
	for _, b := range bars {
		most = max(most, b.Messages)
	}
	return most
}

// total adds numbers up.
func total(counts map[string]int) (n int) {
	for c := range maps.Values(counts) {
		n += c
	}
	return n
}
