package message

import (
	"strings"
	"time"
)

// No date before it is believed: mail that claims to be older was stamped by a clock that had lost its battery (1970,
// 1980) or by a program that writes the year 2002 as 0102.
var earliest = time.Date(1990, time.January, 1, 0, 0, 0, 0, time.UTC)

// How far a date may lie in the future: a zone misread by half a day, and a clock that is a little fast.
const ahead = 24 * time.Hour

// Arrival is when the message reached its mailbox, to become its INTERNALDATE (RFC 9051 §2.3.3): the date of the
// topmost Received field that has one, else that of the topmost Date. A date that cannot be read is passed over, and so
// is one before 1990 or more than 24 hours after now.
//
// t is in whole seconds and has the offset that the header gives, in whole minutes and never beyond ±14:00. why names
// the field, for the report. Without any date t is zero and why "".
func Arrival(header []byte, now time.Time) (t time.Time, why string) {
	latest := now.Add(ahead)
	for f := range Fields(header) {
		switch {
		case f.Name == "received":
			if at, ok := parseDate(afterSemicolon(withoutComments(f.Text()))); ok && within(at, latest) {
				return at, "Received"
			}
		case f.Name == "date" && why == "":
			if at, ok := parseDate(withoutComments(f.Text())); ok && within(at, latest) {
				t, why = at, "Date"
			}
		}
	}
	return t, why
}

func within(t, latest time.Time) bool {
	return !t.Before(earliest) && !t.After(latest)
}

// afterSemicolon is the part of a Received field that holds its date (RFC 5322 §3.6.7), "" when there is none.
func afterSemicolon(text string) string {
	at := strings.LastIndexByte(text, ';')
	if at < 0 {
		return ""
	}
	return text[at+1:]
}

// withoutComments puts a blank for each comment (RFC 5322 §3.2.2). From a parenthesis that nothing closes on, the text
// stays as it is: a stray one must not hide the date behind it.
func withoutComments(text string) string {
	var kept strings.Builder
	for {
		open := strings.IndexByte(text, '(')
		if open < 0 {
			break
		}
		size := commentSize(text[open:])
		if size == 0 {
			break
		}
		kept.WriteString(text[:open] + " ")
		text = text[open+size:]
	}
	kept.WriteString(text)
	return kept.String()
}

// commentSize is the length of the comment that text begins with, in octets. 0 means that it has no end.
func commentSize(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
