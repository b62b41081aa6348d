package message

import (
	"regexp"
	"strings"
	"time"
)

// No date before it is believed: mail that claims to be older was stamped by a clock that had lost its battery (1970,
// 1980) or by a program that writes the year 2002 as 0102.
var earliest = time.Date(1990, time.January, 1, 0, 0, 0, 0, time.UTC)

// How far a date may lie in the future: a zone misread by half a day, and a clock that is a little fast.
const ahead = 24 * time.Hour

// Arrival is when the message reached its mailbox, to become its INTERNALDATE (RFC 9051 §2.3.3). why names what says so,
// for the report. It is the first of these that is there, can be read and lies within bounds:
//
//	Received                      of the topmost hop, or of the one before the message was fetched (see [hops])
//	Delivery-Date                 Exim writes it
//	UIDL                          the maildrop's name of it is that of a file in a Maildir, which begins with the time
//	Date                          the topmost one
//	Resent-Date, X-Received, X-Original-Date
//	Received, when it was fetched
//
// A date is within bounds from 1990 to 24 hours after now; Date and those below it also up to 24 hours after the
// topmost Received.
//
// t is in whole seconds and has the offset that the header gives, in whole minutes and never beyond ±14:00. Without any
// date t is zero and why "".
func Arrival(header []byte, uidl string, now time.Time) (t time.Time, why string) {
	latest := now.Add(ahead)
	var h hops
	found := map[string]time.Time{}
	for f := range Fields(header) {
		if f.Name == "received" {
			if h.take(f.Text(), latest); h.settled {
				return h.at, h.why()
			}
		} else if _, there := found[f.Name]; !there && dated[f.Name] {
			if at, ok := dateOf(f, latest); ok {
				found[f.Name] = at
			}
		}
	}
	if !h.at.IsZero() {
		return h.at, h.why()
	}
	if at := found["delivery-date"]; !at.IsZero() {
		return at, "Delivery-Date"
	}
	if at, ok := maildirTime(uidl); ok && within(at, latest) {
		return at, "UIDL"
	}
	if !h.top.IsZero() && h.top.Before(now) {
		latest = h.top.Add(ahead)
	}
	for _, name := range authored {
		if at := found[strings.ToLower(name)]; !at.IsZero() && within(at, latest) {
			return at, name
		}
	}
	if !h.top.IsZero() {
		return h.top, "Received, when it was fetched"
	}
	return time.Time{}, ""
}

// The fields with a date that others than a receiving server write, best first.
var authored = []string{"Date", "Resent-Date", "X-Received", "X-Original-Date"}

// The fields with a date beside Received, in lower case.
var dated = map[string]bool{
	"delivery-date": true, "date": true, "resent-date": true, "x-received": true, "x-original-date": true,
}

// dateOf reads the date in a field.
func dateOf(f Field, latest time.Time) (at time.Time, ok bool) {
	text := withoutComments(f.Text())
	if f.Name == "x-received" {
		text = afterSemicolon(text)
	}
	at, ok = parseDate(text)
	return at, ok && within(at, latest)
}

// A file in a Maildir is named by the seconds since 1970, something unique, and the host, with dots between. Where it
// has two parts it is another name: Cyrus has "uidvalidity.uid".
var maildirName = regexp.MustCompile(`^(\d{9,10})\.[^.]+\.[^.]`)

// maildirTime is when a file was delivered into a Maildir, in UTC.
func maildirTime(uidl string) (t time.Time, ok bool) {
	parts := maildirName.FindStringSubmatch(uidl)
	if parts == nil {
		return time.Time{}, false
	}
	return time.Unix(int64(number(parts[1])), 0).UTC(), true
}

// Plausible says whether a message can have arrived at t, for all that is known now: not before 1990, and not more than 24
// hours after now.
func Plausible(t, now time.Time) bool { return within(t, now.Add(ahead)) }

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
		size := CommentSize(text[open:])
		if size == 0 {
			break
		}
		kept.WriteString(text[:open] + " ")
		text = text[open+size:]
	}
	kept.WriteString(text)
	return kept.String()
}

// CommentSize is the length of the comment that text begins with (RFC 5322 §3.2.2), in octets. 0 means that it has no end.
func CommentSize(text string) int {
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
