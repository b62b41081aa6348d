package main

import (
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/sync"
)

// sideBySide gives a terminal without a bar and the screens of accounts, which have begun.
func sideBySide(names ...string) (*terminal, []*screen) {
	t := &terminal{all: "2 accounts"}
	var list []*candidate
	for _, name := range names {
		list = append(list, &candidate{account: account{name: name}})
	}
	screens := t.open(list)
	for _, s := range screens {
		s.Doing("looking at the maildrop")
	}
	return t, screens
}

func TestPartCountsWhatIsDealtWith(t *testing.T) {
	_, screens := sideBySide("alice")
	alice := screens[0]
	alice.Planned(3, 3000)
	alice.Moved(10000) // LIST had said less
	if got := alice.part.way(); got != 3000 {
		t.Errorf("%d octets behind, want 3000", got)
	}
	for _, r := range []sync.Result{sync.Copied, sync.RefusedOne, sync.Skipped, sync.Marked, sync.Removed, sync.Missed} {
		alice.Done(sync.Outcome{Result: r, Listed: 1000, Size: 5000})
	}
	p := alice.part
	if p.finished != 2 || p.refused != 1 || p.doubted != 1 || p.way() != 2000 {
		t.Errorf("%d finished, %d refused, %d in doubt, %d octets; want 2, 1, 1 and 2000", p.finished, p.refused, p.doubted, p.way())
	}
	alice.Moved(500) // the half of what is retrieved
	if got := alice.part.way(); got != 2250 {
		t.Errorf("%d octets behind, want 2250", got)
	}
}

func TestBarOfSeveralAccounts(t *testing.T) {
	term, screens := sideBySide("alice", "bob")
	alice, bob := screens[0], screens[1]
	alice.Planned(2, 2000)
	alice.Done(sync.Outcome{Result: sync.Copied, Listed: 1000})
	bob.Planned(3, 6000) // it comes later
	bob.Done(sync.Outcome{Result: sync.RefusedOne, Listed: 2000})
	soon := time.Now().Add(25*time.Second + 300*time.Millisecond)
	for _, c := range []struct {
		name string
		do   func()
		want string
	}{
		{"both", func() {}, "2 accounts 2/5, 2.9/7.8 KiB, 1 refused"},
		{"one pauses", func() { bob.Paused(soon, "throttled") }, "2 accounts 2/5, 2.9/7.8 KiB, 1 refused, 1 paused"},
		{"the other too", func() { alice.Paused(soon.Add(time.Hour), "the line is lost") }, "2 accounts 2/5, 2.9/7.8 KiB, paused 00:25, 1 refused"},
		{"both go on", func() { alice.Paused(time.Time{}, ""); bob.Paused(time.Time{}, "") }, "2 accounts 2/5, 2.9/7.8 KiB, 1 refused"},
		{"a line was lost, and what is left is planned anew", func() { alice.Moved(500); alice.Planned(1, 1000) }, "2 accounts 2/5, 2.9/7.8 KiB, 1 refused"},
		{"one ends early", func() { bob.over("failed") }, "2 accounts 2/3, 2.9/3.9 KiB, 1 refused"},
		{"the other reads back", func() { alice.Planned(0, 0); alice.Doing("reading back") }, "2 accounts 2/2, 2.9/2.9 KiB, reading back, 1 refused"},
	} {
		c.do()
		if got := phrase(term.view(time.Now()).words(), 5); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// What matters is there however narrow it is.
func TestLineIsLaidOutByTheWidth(t *testing.T) {
	v := &view{name: "alice", rate: 1258291, part: part{messages: 4812, finished: 1820, refused: 2, octets: 890 << 20, behind: 303 << 20}}
	for _, c := range []struct {
		columns int
		want    string
	}{
		{119, "alice 1,820/4,812, 303/890 MiB, 1.2 MiB/s, 8m left, 2 refused  34% |█████████████                           |"},
		{79, "alice 1,820/4,812, 303/890 MiB, 1.2 MiB/s, 8m left, 2 refused  34% |███      |"},
		{69, "alice 1,820/4,812, 303/890 MiB, 1.2 MiB/s, 8m left, 2 refused"},
		{59, "alice 1,820/4,812, 1.2 MiB/s, 8m left, 2 refused"},
		{39, "alice 1,820/4,812, 8m left, 2 refused"},
		{35, "1,820/4,812, 8m left, 2 refused"},
		{29, "1,820/4,812, 8m left"},
		{19, "1,820/4,812"},
		{5, "1,820/4,812"}, // it is cut
	} {
		if got := v.line(c.columns); got != c.want {
			t.Errorf("%d columns: got\n%q, want\n%q", c.columns, got, c.want)
		}
	}
}

func TestMeterTellsTheSpeedOfLate(t *testing.T) {
	var m meter
	began := time.Now()
	at := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	if got := m.speed(at(0), 0); got != 0 {
		t.Errorf("%v before anything came", got)
	}
	for s := range 61 { // a minute at 1000, then a minute at 10
		m.note(at(s), int64(1000*s))
	}
	if got := m.speed(at(60), 60_000); got != 1000 {
		t.Errorf("%v octets a second, want 1000", got)
	}
	for s := range 61 {
		m.note(at(60+s), int64(60_000+10*s))
	}
	if got := m.speed(at(120), 60_600); got != 10 {
		t.Errorf("%v octets a second, want 10", got)
	}
	if len(m) > 20 {
		t.Errorf("it keeps %d marks", len(m))
	}
	if got := m.speed(at(121), 0); got != 0 {
		t.Errorf("%v octets a second where they became fewer", got)
	}
}

// A bar on a terminal of changing width, with and without escape sequences: none of it stays.
func TestBarIsDrawnAndErased(t *testing.T) {
	for _, c := range []struct {
		name    string
		escapes bool
		widths  []int
		want    string
	}{
		{"with escape sequences", true, []int{20, 8}, "\x1b[?7l\ralice 1/5\x1b[J\r\x1b[?7h" + "\x1b[?7l\ralice 1\x1b[J\r\x1b[?7h" + "\r\x1b[J" +
			"\x1b[?7l\ralice 1\x1b[J\r\x1b[?7h"},
		{"without", false, []int{20, 8}, "\ralice 1/5\r" + "\ralice 1\r" + "\r       \r" + "\ralice 1\r"},
		{"it has become shorter", false, []int{20, 20}, "\ralice 1/5\r" + "\ralice    \r" + "\r     \r" + "\ralice\r"},
		{"the width is not known", false, []int{0, 0}, "\ralice 1/5\r" + "\ralice 1/5\r" + "\r         \r" + "\ralice 1/5\r"},
	} {
		var got strings.Builder
		width, text := c.widths[0], "alice 1/5"
		b := &bar{to: &got, width: func() int { return width }, escapes: c.escapes, line: func(int) string { return text }}
		b.draw()
		if width = c.widths[1]; c.name == "it has become shorter" {
			text = "alice"
		}
		b.draw() // a moment later: not drawn
		b.show()
		b.hide()
		b.hide()
		b.show()
		if got.String() != c.want {
			t.Errorf("%s: got\n%q, want\n%q", c.name, got.String(), c.want)
		}
	}
	var none *bar
	none.draw()
	none.hide()
	none.show()
}
