package message

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The parts of a date. A weekday may be in any language and wrong; it is not used. Blanks around the colons of a time
// are allowed (RFC 5322 §4.3), dots in their place occur. A zone need not be set off from the time.
const (
	weekday = `(?:[^ \d]+ )?`
	day     = `(?P<day>\d{1,2})`
	month   = `(?P<month>[A-Za-z]{3,9})`
	year    = `(?P<year>\d{2,4})`
	clock   = `(?P<hour>\d{1,2}) ?[:.] ?(?P<minute>\d\d)(?: ?[:.] ?(?P<second>\d\d)(?:\.\d+)?)?`
	half    = `(?: ?(?P<half>[AaPp][Mm])\b)?`
	zone    = `(?: ?(?P<zone>[A-Za-z+-][^ ]*))?`
	ignored = `(?: .*)?$`
)

// The forms of dates that occur in mail; the first that fits is taken.
var forms = []*regexp.Regexp{
	// Mon, 2 Jan 2006 15:04:05 -0700 (RFC 5322 §3.3, §4.3)
	regexp.MustCompile(`^` + weekday + day + `[ -]` + month + `[ -]` + year + ` ` + clock + half + zone + ignored),
	// Mon Jan 2 15:04:05 2006 (ctime), perhaps with a zone after it (git)
	regexp.MustCompile(`^` + weekday + month + ` ` + day + ` ` + clock + half + ` ` + year + zone + ignored),
	// Mon Jan 2 15:04:05 MST 2006 (date)
	regexp.MustCompile(`^` + weekday + month + ` ` + day + ` ` + clock + half + zone + ` ` + year + ignored),
	// Mon Jan 02 2006 15:04:05 GMT-0700 (JavaScript)
	regexp.MustCompile(`^` + weekday + month + ` ` + day + ` ` + year + ` ` + clock + half + zone + ignored),
	// 2006-01-02 15:04:05 -0700, 2006-01-02T15:04:05-07:00 (RFC 3339)
	regexp.MustCompile(`^(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[ Tt]` + clock + half + zone + ignored),
}

// parseDate reads a date without comments. The case of letters, the number of blanks and commas do not matter; months
// in letters are English. Only whole seconds are kept.
func parseDate(text string) (t time.Time, ok bool) {
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, ",", " ")), " ")
	for _, form := range forms {
		if parts := form.FindStringSubmatch(text); parts != nil {
			return assemble(func(name string) string { return parts[form.SubexpIndex(name)] })
		}
	}
	return time.Time{}, false
}

// assemble makes a time of the parts of a date. It is not ok when there is no such day or time of day.
func assemble(part func(name string) string) (t time.Time, ok bool) {
	y, m, d := parseYear(part("year")), parseMonth(part("month")), number(part("day"))
	hour, minute, second := number(part("hour")), number(part("minute")), number(part("second"))
	midnight := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	half := part("half")
	switch {
	case half != "" && (hour < 1 || hour > 12):
		return time.Time{}, false
	case m == 0, midnight.Day() != d: // 30 February would become 2 March
		return time.Time{}, false
	case hour > 23, minute > 59, second > 60: // 60 is a leap second and becomes the next minute
		return time.Time{}, false
	}
	if half != "" && hour == 12 {
		hour = 0
	}
	if strings.EqualFold(half, "pm") {
		hour += 12
	}
	return time.Date(y, m, d, hour, minute, second, 0, parseZone(part("zone"))), true
}

// number reads a few digits. No digits are 0: a time without seconds.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// parseYear reads a year of two to four digits. A short one is meant as RFC 5322 §4.3 says.
func parseYear(digits string) int {
	n := number(digits)
	switch {
	case len(digits) == 2 && n < 50:
		return 2000 + n
	case len(digits) < 4:
		return 1900 + n
	}
	return n
}

// parseMonth reads a month in two digits or in English, in full or its first three letters; 0 is none. Longer words that begin so are not
// taken: "marraskuu" is Finnish for November.
func parseMonth(word string) time.Month {
	if n := number(word); n >= 1 && n <= 12 {
		return time.Month(n)
	}
	for m := time.January; m <= time.December; m++ {
		if name := m.String(); strings.EqualFold(word, name) || strings.EqualFold(word, name[:3]) {
			return m
		}
	}
	return 0
}

// The zones that have a meaning (RFC 5322 §4.3), in hours east of UTC. The military letters do not: RFC 822 got their
// signs wrong.
var zones = map[string]int{
	"EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8,
}

// Offsets that occur: +0100, +01:00, -600, GMT+1.
var offset = regexp.MustCompile(`^(?:GMT|UTC?)?([+-])(\d{1,2}):?(\d\d)?$`)

// No place on earth is farther from UTC than 14:00, which is 840 minutes.
const maxOffset = 14 * 60

// parseZone reads a zone. UTC stands for what has no meaning, as RFC 5322 §4.3 wants, and for no zone at all.
func parseZone(word string) *time.Location {
	word = strings.ToUpper(word)
	if hours, ok := zones[word]; ok {
		return time.FixedZone("", hours*3600)
	}
	parts := offset.FindStringSubmatch(word)
	if parts == nil {
		return time.UTC
	}
	minutes := 60*number(parts[2]) + number(parts[3])
	if minutes > maxOffset || number(parts[3]) > 59 {
		return time.UTC
	}
	if parts[1] == "-" {
		minutes = -minutes
	}
	return time.FixedZone("", minutes*60)
}
