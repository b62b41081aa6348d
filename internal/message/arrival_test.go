package message_test

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
)

// now is when the tests think they run.
var now = time.Date(2026, time.November, 24, 12, 0, 0, 0, time.UTC)

// imapLayout is how the date goes into APPEND (RFC 9051 §9, date-time).
const imapLayout = "_2-Jan-2006 15:04:05 -0700"

// arrived is what Arrival says, in one string to compare: "" when there is no date.
func arrived(header string) string {
	at, why := message.Arrival([]byte(header), "", now)
	if at.IsZero() {
		return why
	}
	return why + " " + at.Format(imapLayout)
}

func TestArrivalChoosesTheField(t *testing.T) {
	const (
		date, fromDate = "Date: Sun, 1 Jan 2006 10:00:00 +0100\n", "Date  1-Jan-2006 10:00:00 +0100"
		second, from2  = "Received: y; 2 Jan 2006 10:00 GMT\n", "Received  2-Jan-2006 10:00:00 +0000"
		third, from3   = "Received: x; 3 Jan 2006 10:00 GMT\n", "Received  3-Jan-2006 10:00:00 +0000"
		unread         = "Received: x; yesterday\n"
	)
	for name, c := range map[string]struct{ header, want string }{
		"nothing":                   {"", ""},
		"neither":                   {"Subject: x\n", ""},
		"Date only":                 {date, fromDate},
		"Received over Date":        {date + second, from2},
		"the topmost Received":      {third + second, from3},
		"it has no date":            {"Received: by x\n" + second + date, from2},
		"it has an empty date":      {"Received: by x;\n" + date, fromDate},
		"it cannot be read":         {unread + second, from2},
		"no Received can be read":   {unread + "Received: y\n" + date, fromDate},
		"date without a semicolon":  {"Received: by x 2 Jan 2006 10:00 GMT\n" + date, from2},
		"two of them":               {"Received: by x 1 Jan 2006 10:00 2 Jan 2006 10:00 GMT\n" + date, from2},
		"semicolon behind the date": {"Received: by x 2 Jan 2006 10:00 GMT; more\n" + date, from2},
		"the topmost Date":          {date + "Date: 2 Jan 2006 10:00:00 +0000\n", fromDate},
		"Date that cannot be read":  {"Date: Whenever\n" + date, fromDate},
		"nothing can be read":       {"Received: x; y\nDate: Whenever\n", ""},
		"another date field":        {"Expires: 2 Jan 2006 10:00 GMT\n", ""},
		"Received in the body":      {date + "\n" + second, fromDate},
		"CRLF and folded": {
			"Received: from a (b [192.0.2.1])\r\n\tby c with ESMTP id d\r\n\tfor <e@f>;\r\n" +
				"\tMon, 2 Jan 2006\r\n 10:00:00 +0000\r\n\r\n",
			from2,
		},
		"Received longer than 16 KiB": {"Received: " + strings.Repeat("x", 20000) + "; 2 Jan 2006 10:00 GMT\n" + date,
			fromDate},
	} {
		t.Run(name, func(t *testing.T) {
			if got := arrived(c.header); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestArrivalSemicolonsAndComments(t *testing.T) {
	const want = "Received  2-Jan-2006 15:04:05 -0700"
	for name, value := range map[string]string{
		"two semicolons":                  "from a; by b; Mon, 2 Jan 2006 15:04:05 -0700",
		"an earlier date":                 "x; 1 Jan 2006 00:00:00 +0000; Mon, 2 Jan 2006 15:04:05 -0700",
		"semicolon in a comment":          "from a (b; c) by d; Mon, 2 Jan 2006 15:04:05 -0700",
		"semicolon in the last comment":   "by d; Mon, 2 Jan 2006 15:04:05 -0700 (MST; winter)",
		"a date in a comment":             "by d; Mon, 2 Jan 2006 15:04:05 -0700 (was; 1 Jan 2006 00:00:00 +0000)",
		"comments in a comment":           "by d (e (f; g) h; i); Mon, 2 Jan 2006 15:04:05 -0700 (a (b; c) d)",
		"parenthesis after a backslash":   `by d; Mon, 2 Jan 2006 15:04:05 (MST \); not EST) -0700`,
		"backslash after a backslash":     `by d (e \\); Mon, 2 Jan 2006 15:04:05 -0700`,
		"comments between all parts":      "by d;(a)Mon(b),(c)2(d)Jan(e)2006(f)15(g):(h)04(i):(j)05(k)-0700(l)",
		"comment before the zone":         "by d; Mon, 2 Jan 2006 15:04:05 (MST) -0700",
		"empty comment":                   "by d (); Mon, 2 Jan 2006 15:04:05 -0700 ()",
		"sendmail's envelope-from":        "by d; Mon, 2 Jan 2006 15:04:05 -0700 (MST)\n\t(envelope-from <a@b>)",
		"qmail":                           "(qmail 123 invoked by uid 0); Mon, 2 Jan 2006 15:04:05 -0700",
		"parenthesis that nothing closes": "from a (b by c; Mon, 2 Jan 2006 15:04:05 -0700 (MST)",
		"the last comment is open":        "by d; Mon, 2 Jan 2006 15:04:05 -0700 (MST",
		"the last one ends in backslash":  `by d; Mon, 2 Jan 2006 15:04:05 -0700 (MST\`,
		"parenthesis that closes nothing": "from a) by c; Mon, 2 Jan 2006 15:04:05 -0700",
	} {
		t.Run(name, func(t *testing.T) {
			if got := arrived("Received: " + value + "\n"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestArrivalFormsOfDates(t *testing.T) {
	long := strings.Repeat("x", 9000)
	for name, c := range map[string]struct{ date, want string }{
		"RFC 5322":                   {"Mon, 2 Jan 2006 15:04:05 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"day of two digits":          {"Mon, 02 Jan 2006 15:04:05 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"no weekday":                 {"2 Jan 2006 15:04:05 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"wrong weekday":              {"Fri, 2 Jan 2006 15:04:05 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"weekday in full":            {"Monday, 02-Jan-06 15:04:05 GMT", " 2-Jan-2006 15:04:05 +0000"},
		"weekday in Polish":          {"Pn, 2 Jan 2006 15:04:05 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"weekday with 8-bit octets":  {"\xa4\xeb, 2 Jan 2006 15:04:05 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"weekday without its comma":  {"Mon 2 Jan 2006 15:04:05 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"comma without a blank":      {"Mon,2 Jan 2006 15:04:05 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"extra blanks":               {" Mon,\t 2   Jan  2006   15:04:05\t -0700  ", " 2-Jan-2006 15:04:05 -0700"},
		"capitals":                   {"MON, 2 JAN 2006 15:04:05 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"small letters":              {"mon, 2 jan 2006 15:04:05 est", " 2-Jan-2006 15:04:05 -0500"},
		"month in full":              {"2 September 2006 15:04:05 +0200", " 2-Sep-2006 15:04:05 +0200"},
		"no seconds":                 {"Mon, 2 Jan 2006 15:04 -0700", " 2-Jan-2006 15:04:00 -0700"},
		"hour of one digit":          {"Mon, 2 Jan 2006 5:04:05 -0700", " 2-Jan-2006 05:04:05 -0700"},
		"blanks around the colons":   {"Mon, 2 Jan 2006 15: 04 : 05 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"dots for colons":            {"Mon, 2 Jan 2006 15.04.05 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"a fraction of a second":     {"Mon, 2 Jan 2006 15:04:05.999 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"a leap second":              {"Sat, 31 Dec 2016 23:59:60 +0000", " 1-Jan-2017 00:00:00 +0000"},
		"29 February":                {"29 Feb 2024 12:00:00 +0000", "29-Feb-2024 12:00:00 +0000"},
		"year 06":                    {"2 Jan 06 15:04:05 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"year 99":                    {"2 Jan 99 15:04:05 -0700", " 2-Jan-1999 15:04:05 -0700"},
		"year 102 for 2002":          {"2 Jan 102 15:04:05 -0700", " 2-Jan-2002 15:04:05 -0700"},
		"ctime":                      {"Mon Jan  2 15:04:05 2006", " 2-Jan-2006 15:04:05 +0000"},
		"ctime with a zone after it": {"Mon Jan  2 15:04:05 2006 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"ctime without seconds":      {"Mon Jan 2 15:04 2006", " 2-Jan-2006 15:04:00 +0000"},
		"date(1)":                    {"Mon Jan  2 15:04:05 MST 2006", " 2-Jan-2006 15:04:05 -0700"},
		"date(1), zone in digits":    {"Mon Jan  2 15:04:05 +0530 2006", " 2-Jan-2006 15:04:05 +0530"},
		"JavaScript":                 {"Mon Jan 02 2006 15:04:05 GMT-0700 (MST)", " 2-Jan-2006 15:04:05 -0700"},
		"zone without a blank":       {"Mon, 2 Jan 2006 15:04:05-0700", " 2-Jan-2006 15:04:05 -0700"},
		"two times":                  {"Mon, 2 Jan 2006 15:04:05 03:32:34 -0700", " 2-Jan-2006 15:04:05 +0000"},
		"more behind the zone":       {"Mon, 2 Jan 2006 15:04:05 -0700 MST m=+0.5", " 2-Jan-2006 15:04:05 -0700"},
		"much more behind the zone":  {"Mon, 2 Jan 2006 15:04:05 -0700 " + long, " 2-Jan-2006 15:04:05 -0700"},
		"afternoon":                  {"Mon, 2 Jan 2006 3:04:05 PM -0700", " 2-Jan-2006 15:04:05 -0700"},
		"noon":                       {"Mon, 2 Jan 2006 12:04:05pm", " 2-Jan-2006 12:04:05 +0000"},
		"after midnight":             {"Mon, 2 Jan 2006 12:04 AM", " 2-Jan-2006 00:04:00 +0000"},
		"ctime in the afternoon":     {"Mon Jan  2 03:04:05 PM 2006", " 2-Jan-2006 15:04:05 +0000"},
		"a zone that begins so":      {"Mon, 2 Jan 2006 03:04:05 PMST", " 2-Jan-2006 03:04:05 +0000"},
		"hour 13 in the afternoon":   {"Mon, 2 Jan 2006 13:04:05 PM", ""},
		"hour 0 before noon":         {"Mon, 2 Jan 2006 00:04:05 AM", ""},
		"ISO 8601":                   {"2006-01-02 15:04:05 -0700", " 2-Jan-2006 15:04:05 -0700"},
		"RFC 3339":                   {"2006-01-02T15:04:05.5-07:00", " 2-Jan-2006 15:04:05 -0700"},
		"RFC 3339 in UTC":            {"2006-01-02T15:04:05Z", " 2-Jan-2006 15:04:05 +0000"},
		"ISO 8601, month 13":         {"2006-13-02 15:04:05 -0700", ""},
		"ISO 8601, 30 February":      {"2006-02-30 15:04:05 -0700", ""},
		"empty":                      {"", ""},
		"a word":                     {"Whenever", ""},
		"month in Polish":            {"Pn, 29 pa\x9f 2007 21:13:00 +0100", ""},
		"month in German":            {"Mo, 2 Mai 2006 15:04:05 +0200", ""},
		"month that only begins so":  {"2 marraskuu 2006 15:04:05 +0200", ""},
		"month in digits":            {"11-04-2023", ""},
		"slashes":                    {"1/2/2006 3:04:05 PM", ""},
		"no year":                    {"Mon, 2 Jan 15:04:05 -0700", ""},
		"no time":                    {"Mon, 2 Jan 2006", ""},
		"no hour":                    {"Wed, 15 Dec 2010    59:10 -0500", ""},
		"time that breaks off":       {"Tue, 7 Apr 2026 10:00:t <a@b>", ""},
		"30 February":                {"30 Feb 2006 15:04:05 +0000", ""},
		"day 0":                      {"0 Jan 2006 15:04:05 +0000", ""},
		"day 32":                     {"32 Jan 2006 15:04:05 +0000", ""},
		"day of three digits":        {"002 Jan 2006 15:04:05 +0000", ""},
		"hour 24":                    {"2 Jan 2006 24:00:00 +0000", ""},
		"minute 60":                  {"2 Jan 2006 15:60:00 +0000", ""},
		"second 61":                  {"2 Jan 2006 15:04:61 +0000", ""},
		"year of five digits":        {"2 Jan 12006 15:04:05 +0000", ""},
		"year of one digit":          {"2 Jan 6 15:04:05 +0000", ""},
		"words before":               {"on or about Mon, 2 Jan 2006 15:04:05 -0700", ""},
		"digits that are not ASCII":  {"٢ Jan 2006 15:04:05 -0700", ""},
	} {
		t.Run(name, func(t *testing.T) {
			want := c.want
			if want != "" {
				want = "Date " + want
			}
			if got := arrived("Date: " + c.date + "\n"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestArrivalZones(t *testing.T) {
	for zone, want := range map[string]string{
		"+0000": "+0000", "-0000": "+0000", "+0100": "+0100", "-0330": "-0330", "+0545": "+0545",
		"+01:00": "+0100", "-3:30": "-0330", "-600": "-0600", "+1": "+0100", "+10": "+1000",
		"UT": "+0000", "UTC": "+0000", "GMT": "+0000", "Z": "+0000",
		"EST": "-0500", "EDT": "-0400", "CST": "-0600", "CDT": "-0500",
		"MST": "-0700", "MDT": "-0600", "PST": "-0800", "PDT": "-0700", "pdt": "-0700",
		"GMT+1": "+0100", "GMT-0700": "-0700", "UTC+05:30": "+0530", "UT-1": "-0100",
		// Military, and names that RFC 5322 does not know.
		"A": "+0000", "Y": "+0000", "J": "+0000", "MET": "+0000", "CEST": "+0000", "Time": "+0000", "EST5EDT": "+0000",
		// No zone, and what was seen in its place.
		"": "+0000", "H0500": "+0000", "+-0500": "+0000", "version=2.40": "+0000", "+": "+0000", "0100": "+0000",
		// The bounds.
		"+1400": "+1400", "-1400": "-1400", "+1401": "+0000", "-1401": "+0000", "+9999": "+0000", "-2359": "+0000",
		"+0160": "+0000", "+0159": "+0159", "+01:00:30": "+0000", "+010000": "+0000", "+00001": "+0000",
	} {
		t.Run(zone, func(t *testing.T) {
			want := "Date  2-Jan-2006 15:04:05 " + want
			if got := arrived("Date: Mon, 2 Jan 2006 15:04:05 " + zone + "\n"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestArrivalBounds(t *testing.T) {
	for name, c := range map[string]struct {
		date string
		ok   bool
	}{
		"first second":                  {"1 Jan 1990 00:00:00 +0000", true},
		"one second before it":          {"31 Dec 1989 23:59:59 +0000", false},
		"before it, but not over there": {"1 Jan 1990 01:00:00 +0200", false},
		"after it, but not over there":  {"31 Dec 1989 23:00:00 -0200", true},
		"a clock without battery":       {"1 Jan 1980 00:00:00 +0000", false},
		"the epoch":                     {"Thu, 1 Jan 1970 00:00:00 +0000", false},
		"0102 for 2002":                 {"Thu, 22 Aug 0102 18:26:25 +0700", false},
		"now":                           {"24 Nov 2026 12:00:00 +0000", true},
		"24 hours after now":            {"25 Nov 2026 12:00:00 +0000", true},
		"one second more":               {"25 Nov 2026 12:00:01 +0000", false},
		"tomorrow only over there":      {"26 Nov 2026 02:00:00 +1400", true},
		"year 9999":                     {"1 Jan 9999 00:00:00 +0000", false},
	} {
		t.Run(name, func(t *testing.T) {
			at, why := message.Arrival([]byte("Date: "+c.date), "", now)
			if at.IsZero() == c.ok || (why == "Date") != c.ok {
				t.Errorf("got %v %q, want a date: %v", at, why, c.ok)
			}
			below := "Received: x; " + c.date + "\nReceived: y; 2 Jan 2006 15:04:05 -0700\nDate: " + c.date
			if at, _ := message.Arrival([]byte(below), "", now); (at.Year() == 2006) == c.ok {
				t.Errorf("above a good Received: got %v, want it passed over: %v", at, !c.ok)
			}
		})
	}
}

// What Go writes in each form is read as the same instant, and with the same offset where the form has one.
func TestArrivalReadsWhatGoWrites(t *testing.T) {
	layouts := []string{time.RFC1123Z, time.RFC822Z, "_2-Jan-2006 15:04:05 -0700", "Mon Jan _2 15:04:05 -0700 2006",
		"Mon Jan _2 15:04:05 2006 -0700", "Mon Jan 02 2006 15:04:05 GMT-0700", "2 January 2006 15:04:05 -07:00"}
	for at := time.Date(1990, 1, 2, 3, 4, 0, 0, time.UTC); at.Before(now); at = at.Add(1997*time.Hour + 7*time.Minute) {
		for _, minutes := range []int{0, 60, 330, 840, -210, -720} {
			want := at.In(time.FixedZone("", minutes*60))
			for _, layout := range layouts {
				text := want.Format(layout)
				if got := arrived("Date: " + text); got != "Date "+want.Format(imapLayout) {
					t.Fatalf("%q: got %q", text, got)
				}
			}
		}
	}
}

// A header made to be slow takes time in proportion to its length: these take less than a second each, and what grows
// with the square would take minutes.
func TestArrivalOfHostileHeaders(t *testing.T) {
	const size = 1 << 20
	for name, unit := range map[string]string{
		"open parentheses":        "(",
		"backslashes":             "(\\",
		"comments":                "()",
		"semicolons":              ";",
		"blanks":                  " \t",
		"digits":                  "1",
		"colons":                  "1:",
		"Received without end":    "Received: ((((;\n",
		"Received, almost":        "Received: x; Mon, 2 Jan 2006 15:04:61 -0700 (\n",
		"Dates, almost, and long": "Date: Mon Jan 2 15:04:61 2006 " + strings.Repeat("x ", 8000) + "\n",
		"Dates, almost":           "Date: Mon Jan 2 15 : 04 : 05 : 06 2006\n",
		"continuations":           "\n (",
		"lines that are nothing":  "x\n",
	} {
		t.Run(name, func(t *testing.T) {
			header := "Received: x;" + strings.Repeat(unit, size/len(unit))
			start := time.Now()
			if at, why := message.Arrival([]byte(header), "", now); !at.IsZero() || why != "" {
				t.Errorf("got %v %q, want no date", at, why)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("%v for %d MiB", took, size>>20)
			}
		})
	}
}

func FuzzArrival(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Add([]byte("Mon, 2 Jan 2006 15:04:05 -0700"))
	f.Add([]byte("Received: a (b; c); Mon Jan  2 15:04:05 MST 2006\nDate: Mon Jan 02 2006 15:04:05 GMT-0700\n"))
	f.Fuzz(func(t *testing.T, header []byte) {
		if err := checkArrival(header); err != nil {
			t.Error(err)
		}
		compareWithNetMail(t, string(header))
	})
}

// reasons are all that Arrival gives.
var reasons = []string{"Received", "Received, before it was fetched", "Delivery-Date", "UIDL", "Date", "Resent-Date",
	"X-Received", "X-Original-Date", "Received, when it was fetched"}

// checkArrival holds the answer against the contract of Arrival.
func checkArrival(header []byte) error {
	at, why := message.Arrival(header, "", now)
	if at.IsZero() != (why == "") {
		return fmt.Errorf("%v because of %q", at, why)
	}
	if at.IsZero() {
		return nil
	}
	if !slices.Contains(reasons, why) {
		return fmt.Errorf("why is %q", why)
	}
	if at.Year() < 1989 || at.Before(time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)) || at.After(now.Add(24*time.Hour)) {
		return fmt.Errorf("%v is out of bounds", at)
	}
	if _, offset := at.Zone(); offset%60 != 0 || offset > 14*3600 || offset < -14*3600 {
		return fmt.Errorf("offset of %d seconds", offset)
	}
	again, err := time.Parse(imapLayout, at.Format(imapLayout))
	if err != nil || !again.Equal(at) {
		return fmt.Errorf("%v becomes %v on its way: %v", at, again, err)
	}
	return nil
}

// compareWithNetMail holds that a date which net/mail reads too is the same instant. It is trusted only with an offset
// in digits: it takes the names of zones from the machine it runs on.
func compareWithNetMail(t *testing.T, text string) {
	t.Helper()
	theirs, err := mail.ParseDate(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || !strings.HasSuffix(text, theirs.Format(" -0700")) {
		return
	}
	if _, offset := theirs.Zone(); offset > 14*3600 || offset < -14*3600 {
		return
	}
	ours, _ := message.Arrival([]byte("Date: "+text), "", now)
	if !ours.IsZero() && !ours.Equal(theirs.Truncate(time.Second)) {
		t.Errorf("%q: got %v, net/mail says %v", text, ours, theirs)
	}
}
