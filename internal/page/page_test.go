package page

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pop2imap/pop2imap/state"
)

var made = time.Date(2026, 11, 25, 9, 30, 0, 0, time.UTC)

// hostile is what a server, or who names folders and UIDLs, might try.
const hostile = `</p></style><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>" style="x:url(http://evil.example)&amp;` + "\u202e\x00\xff"

// gallery are accounts with much of everything, with nothing, and with what is hostile.
func gallery() []Account {
	full := Account{Name: "alice", From: "alice@pop.old.example", To: "alice@imap.new.example/INBOX", Args: "alice", Ran: true}
	o := &state.Overview{Refused: 2, Missing: 1, All: state.Share{Messages: 4810, Octets: 912 << 20}, Deleted: 0,
		Same:    map[string]int{"digest": 3000, "size": 1710},
		Altered: map[string]int{"the destination changed it": 60},
		Kept:    map[string]int{"LIST says that it is larger": 2},
		Folders: map[string]state.Share{"INBOX": {Messages: 3801, Octets: 700 << 20}, "Sent": {Messages: 709, Octets: 180 << 20}},
		Months:  map[state.Month]state.Share{},
		Sizes:   [6]state.Share{{Messages: 2100, Octets: 9 << 20}, {Messages: 1800, Octets: 90 << 20}, {Messages: 700, Octets: 300 << 20}, {Messages: 200, Octets: 400 << 20}, {Messages: 10, Octets: 113 << 20}, {}},
		Flags:   map[string]state.Share{`\Seen`: {Messages: 4100, Octets: 800 << 20}, `\Answered`: {Messages: 811, Octets: 50 << 20}, "$Forwarded": {Messages: 60, Octets: 9 << 20}, "": {Messages: 390, Octets: 70 << 20}, "projects": {Messages: 12, Octets: 1 << 20}},
	}
	o.Unflagged = state.Share{Messages: 320, Octets: 42 << 20}
	o.Undated = state.Share{Messages: 3, Octets: 4711}
	for i := range 35 {
		m := state.Month{Year: 2023 + (i+11)/12, Month: time.Month((i+11)%12 + 1)}
		o.Months[m] = state.Share{Messages: 20 + i*i*7%200, Octets: int64(i) << 20}
	}
	for i := range 40 {
		o.Folders[fmt.Sprintf("Lists/A rather long name of a mailing list that goes on and on/%02d", i)] = state.Share{Messages: 8 - i%3, Octets: int64(i) << 16}
	}
	full.Overview = o
	full.Refused = []state.Record{
		{UIDL: "0001a3f25f3c2a1b", Size: 52428800, Server: "NO [TOOBIG] Message too large.", Tries: 3, NextTry: made.Add(16 * time.Hour)},
		{UIDL: "\xff" + hostile, Size: 12000, Server: "NO " + hostile, Tries: 1, NextTry: made.Add(time.Hour)},
	}
	full.Missing = []state.Record{{UIDL: "0001a3f25f3c2a1c", Size: 2048, Folder: "INBOX"}}
	full.Last = state.Run{Began: made.Add(-time.Hour), Ended: made.Add(-50 * time.Minute), Left: 17, Error: "retrieve: the line died"}
	evil := Account{Name: hostile, From: hostile, To: "x@" + hostile, Args: hostile}
	evil.Overview = &state.Overview{All: state.Share{Messages: 2, Octets: 5}, Same: map[string]int{"size": 2},
		Kept: map[string]int{hostile: 1}, Folders: map[string]state.Share{hostile: {Messages: 2, Octets: 5}},
		Flags:  map[string]state.Share{hostile: {Messages: 1, Octets: 1}},
		Months: map[state.Month]state.Share{{Year: 1, Month: 1}: {Messages: 1, Octets: 1}, {Year: 9999, Month: 12}: {Messages: 1, Octets: 1}}}
	evil.Last.Error = hostile
	fresh := Account{Name: "carol", From: "carol@pop.old.example", To: "carol@imap.new.example/INBOX", Args: "carol"}
	return []Account{full, evil, fresh}
}

// The tags of the page are its own: what others say in it stays text.
func TestPageIsItsOwn(t *testing.T) {
	text := HTML(gallery(), made, "pop2imap")
	if !strings.HasPrefix(text, Start) {
		t.Errorf("it begins with %.200q", text)
	}
	ours := strings.Fields(`a bdi body code dd details div dl dt footer h1 h2 h3 head header html i li main meta ol p section span
		style summary table td th thead title tr ul !DOCTYPE`)
	open := map[string]int{}
	for _, m := range regexp.MustCompile(`<(/?)([^\s>]*)([^>]*)>`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains(ours, m[2]) {
			t.Errorf("there is a %s", m[0])
		}
		if strings.Contains(m[3], "evil") || regexp.MustCompile(`\bon[a-z]+=|\bsrc=|url\(`).MatchString(m[3]) {
			t.Errorf("there is a %s", m[0])
		}
		open[m[2]]++
		if m[1] == "/" {
			open[m[2]] -= 2
		}
	}
	delete(open, "meta")
	delete(open, "!DOCTYPE")
	for tag, n := range open {
		if n != 0 {
			t.Errorf("%d %s are not closed", n, tag)
		}
	}
	if strings.ContainsAny(text, "\x00\u202e") || !utf8.ValidString(text) {
		t.Error("it has octets that drive a terminal, or turn the text")
	}
	if got := strings.Count(text, "alert(1)"); got < 8 {
		t.Errorf("the hostile words are there %d times only", got)
	}
}

// What has much of everything is still small.
func TestPageIsSmall(t *testing.T) {
	a := gallery()[0]
	for i := range 1000 {
		a.Overview.Folders[fmt.Sprint(i)] = state.Share{Messages: 1}
		a.Overview.Flags[fmt.Sprint(i)] = state.Share{Messages: 1}
		a.Overview.Altered[fmt.Sprint(i)] = 1
		a.Overview.Months[state.Month{Year: 1000 + i, Month: 3}] = state.Share{Messages: 1}
	}
	long := strings.Repeat("\xff", 10_000)
	a.Refused, a.Missing = nil, nil
	for range Most {
		a.Refused = append(a.Refused, state.Record{UIDL: long, Server: long})
		a.Missing = append(a.Missing, state.Record{UIDL: long, Folder: long})
	}
	if n := len(HTML([]Account{a}, made, "pop2imap")); n > 1<<20 {
		t.Errorf("%d octets", n)
	}
}

func TestPageSentences(t *testing.T) {
	of := func(o state.Overview, last state.Run) string {
		return strings.Join(Account{To: "a@b.example@imap.example:143/x@y", Overview: &o, Ran: true, Last: last}.sentences(), " ")
	}
	ended := state.Run{Ended: made}
	some := func(n int) state.Share { return state.Share{Messages: n} }
	for _, c := range []struct {
		name string
		o    state.Overview
		last state.Run
		want string
	}{
		{"nothing", state.Overview{}, ended, "There was no message to move."},
		{"all of it", state.Overview{All: some(4812), Same: map[string]int{"digest": 4812}}, ended,
			"All 4,812 messages are at imap.example:143. 4,812 were read back there and are the same, octet for octet."},
		{"two refused", state.Overview{All: some(4810), Refused: 2, Same: map[string]int{"size": 4810}}, ended,
			"4,810 of 4,812 messages are at imap.example:143. 4,810 were found there again, of the same size. 2 were refused."},
		{"a little of everything", state.Overview{All: some(4), Deleted: 1, Refused: 1, Missing: 1, Intents: 1,
			Same: map[string]int{"size": 1, "digest": 1}, Altered: map[string]int{"x": 1}, Kept: map[string]int{"y": 1}},
			state.Run{Ended: made, Left: 1}, "4 of 8 messages are at imap.example:143. 1 was read back there and is the same, octet for octet. " +
				"1 was found there again, of the same size. 1 is there with a reservation, which is told below. 1 was not read back yet. " +
				"1 was deleted at the source since. 1 was refused. 1 was said to be stored, and not found there. " +
				"1 was under way, or the reply was lost. 1 was waiting when the last run ended."},
		{"a run that has not ended does not know what it left", state.Overview{All: some(1)}, state.Run{Left: 7},
			"1 message is at imap.example:143. 1 was not read back yet."},
		{"a run that failed does not know what else there is", state.Overview{All: some(10), Same: map[string]int{"size": 10}},
			state.Run{Ended: made, Error: "cannot connect"}, "10 messages are at imap.example:143. 10 were found there again, of the same size."},
		{"nor whether there is anything", state.Overview{}, state.Run{Ended: made, Error: "cannot connect"}, "No message was moved yet."},
	} {
		if got := of(c.o, c.last); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// when gives the shares of months: one message each.
func when(months ...string) map[state.Month]state.Share {
	shares := map[state.Month]state.Share{}
	for _, text := range months {
		at, err := time.Parse("2006-01", text)
		if err != nil {
			panic(err)
		}
		shares[state.Month{Year: at.Year(), Month: at.Month()}] = state.Share{Messages: 1, Octets: 10}
	}
	return shares
}

func TestTimeBars(t *testing.T) {
	for _, c := range []struct {
		name        string
		months      map[state.Month]state.Share
		n           int
		unit        string
		first, last row
	}{
		{"none", nil, 0, "month", row{}, row{}},
		{"one", when("2026-11"), 1, "month", row{"2026-11", "", "2026-11", state.Share{Messages: 1, Octets: 10}},
			row{"2026-11", "", "2026-11", state.Share{Messages: 1, Octets: 10}}},
		{"three years to the month", when("2023-12", "2026-11"), 36, "month", row{"2023-12", "", "2023-12", state.Share{Messages: 1, Octets: 10}},
			row{"2026-11", "", "", state.Share{Messages: 1, Octets: 10}}},
		{"one month more", when("2023-11", "2023-12", "2026-11"), 4, "year", row{"2023", "", "2023", state.Share{Messages: 2, Octets: 20}},
			row{"2026", "", "2026", state.Share{Messages: 1, Octets: 10}}},
		{"a life", when("0001-01", "1980-01", "1991-12", "1992-01", "2026-11"), 36, "year",
			row{"before 1992", "", "<1992", state.Share{Messages: 3, Octets: 30}}, row{"2026", "", "", state.Share{Messages: 1, Octets: 10}}},
		{"from the future", when("2026-11", "2026-12", "9999-12"), 2, "month",
			row{"2026-11", "", "2026-11", state.Share{Messages: 1, Octets: 10}}, row{"later", "", "", state.Share{Messages: 2, Octets: 20}}},
	} {
		bars, unit := timeBars(c.months, made)
		if len(bars) != c.n || unit != c.unit {
			t.Errorf("%s: got %d of a %s, want %d of a %s", c.name, len(bars), unit, c.n, c.unit)
		} else if c.n > 0 && (bars[0] != c.first || bars[c.n-1] != c.last) {
			t.Errorf("%s: got  %v to %v\nwant %v to %v", c.name, bars[0], bars[c.n-1], c.first, c.last)
		}
		sum, want := 0, 0
		for _, b := range bars {
			sum += b.Messages
		}
		for _, s := range c.months {
			want += s.Messages
		}
		if sum != want {
			t.Errorf("%s: %d messages, want %d", c.name, sum, want)
		}
	}
}

func TestFoldersBeyondThirtyAreOne(t *testing.T) {
	folders := map[string]state.Share{}
	for i := range 33 {
		folders[fmt.Sprintf("%02d", i)] = state.Share{Messages: 100 - i, Octets: 1}
	}
	bars := folderBars(folders)
	want := row{label: "3 other folders", Share: state.Share{Messages: 70 + 69 + 68, Octets: 3}}
	if len(bars) != 31 || bars[0].label != "00" || bars[29].label != "29" || bars[30] != want {
		t.Errorf("got %d, the last %+v", len(bars), bars[len(bars)-1])
	}
}

func TestShare(t *testing.T) {
	for _, c := range []struct {
		n, of int
		want  string
	}{{1, 1, "100%"}, {999_999, 1_000_000, "99.9%"}, {1, 1000, "0.1%"}, {1, 1001, "under 0.1%"}, {1, 8, "12.5%"}, {1, 3, "33.3%"}} {
		if got := share(c.n, c.of); got != c.want {
			t.Errorf("%d of %d: got %s, want %s", c.n, c.of, got, c.want)
		}
	}
}
