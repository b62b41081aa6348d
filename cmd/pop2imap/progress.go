package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/pop2imap/pop2imap/sync"
)

// A part is how far one account is.
type part struct {
	messages int
	finished int
	refused  int
	doubted  int
	octets   int64 // planned
	behind   int64 // of finished messages, as listed
	ahead    int64 // of those that are retrieved, and not finished: half the way
	pace     meter

	doing string    // "": it waits for its turn
	until time.Time // of a pause; zero: there is none
	since time.Time
	why   string
	came  string // of it, when it is over; "": it is not
}

// way is how many of the octets are behind. LIST may have said too little.
func (p *part) way() int64 { return max(min(p.behind+p.ahead/2, p.octets), 0) }

func (p *part) note() { p.pace.note(time.Now(), p.way()) }

// plan takes what is left to be copied: all, or what a lost line has left.
func (p *part) plan(messages int, octets int64) {
	p.messages, p.octets, p.ahead, p.pace = p.finished+messages, p.behind+octets, 0, nil
	if messages > 0 {
		p.doing = "copying"
	}
	p.note()
}

func (p *part) move(octets int) {
	p.note() // how it was before: the first octets of all have their time too
	p.ahead += int64(octets)
}

// count counts a message, by the size that was planned with. Some were not among what was planned.
func (p *part) count(o sync.Outcome) {
	switch o.Result {
	case sync.Removed, sync.Marked, sync.Changed, sync.Skipped:
		return
	case sync.Missed:
		p.doubted++
		return
	case sync.RefusedOne:
		p.refused++
	}
	p.finished++
	p.behind += o.Listed
	p.ahead = max(p.ahead-o.Size, 0)
	p.note()
}

// pause begins, or is over at the zero time.
func (p *part) pause(until time.Time, why string) {
	p.until, p.why, p.since, p.pace = until, why, time.Now(), nil
	p.note()
}

// A meter tells how fast it goes: how many octets were behind when, the oldest first.
type meter []struct {
	at     time.Time
	octets int64
}

// lately is the time of which the meter tells the speed.
const lately = 15 * time.Second

func (m *meter) note(now time.Time, octets int64) {
	all := *m
	if n := len(all); n > 0 && now.Sub(all[n-1].at) < time.Second {
		return
	}
	for len(all) > 1 && now.Sub(all[1].at) > lately {
		all = all[1:]
	}
	*m = append(all, meter{{now, octets}}...)
}

// speed is in octets a second; 0 where it is too early to tell.
func (m meter) speed(now time.Time, octets int64) float64 {
	if len(m) == 0 || now.Sub(m[0].at) < time.Second {
		return 0
	}
	return max(float64(octets-m[0].octets)/now.Sub(m[0].at).Seconds(), 0)
}

// A view is how far one account is, or all together, in words.
type view struct {
	name string
	part
	rate    float64 // octets a second; 0: not known
	running int     // accounts that have begun and are not over
	paused  int     // of these
}

// view is that of one account.
func (s *screen) view(now time.Time) *view {
	v := &view{name: s.name, part: s.part, rate: s.part.pace.speed(now, s.part.way())}
	if s.part.doing != "" && s.part.came == "" {
		v.running = 1
	}
	if !s.part.until.IsZero() {
		v.paused, v.rate = 1, 0
	}
	return v
}

// view is that of all accounts. What one does is what all do where only one does anything; the pause is the one that ends first.
func (t *terminal) view(now time.Time) *view {
	all := &view{name: t.all}
	for _, s := range t.screens {
		v := s.view(now)
		all.messages += v.messages
		all.finished += v.finished
		all.refused += v.refused
		all.doubted += v.doubted
		all.octets += v.octets
		all.behind += v.behind
		all.ahead += v.ahead
		all.rate += v.rate
		all.running += v.running
		all.paused += v.paused
		if v.running > 0 {
			all.doing = v.doing
		}
		if v.paused > 0 && (all.until.IsZero() || v.until.Before(all.until)) {
			all.until = v.until
		}
	}
	return all
}

// left says how long it will take, or what keeps it; "" where nobody knows.
func (v *view) left() string {
	rest := v.octets - v.way()
	switch {
	case v.paused > 0 && v.paused == v.running:
		wait := max(time.Until(v.until), 0).Round(time.Second)
		return fmt.Sprintf("paused %02d:%02d", int(wait.Minutes()), int(wait.Seconds())%60)
	case v.messages > 0 && v.finished >= v.messages && v.running == 1:
		return v.doing
	case v.rate <= 0 || rest <= 0:
		return ""
	}
	return brief(max(time.Duration(float64(rest)/v.rate*float64(time.Second)), time.Second)) + " left"
}

// brief is a time in two letters or six.
func brief(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	case d < 100*24*time.Hour:
		return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
	}
	return "months"
}

func (v *view) speed() string {
	if v.rate < 1 {
		return ""
	}
	return humanize.IBytes(uint64(v.rate)) + "/s"
}

// trouble says what a person may have to look at.
func (v *view) trouble() string {
	var words []string
	add(&words, v.refused, "refused")
	add(&words, v.doubted, "in doubt")
	if v.paused < v.running {
		add(&words, v.paused, "paused")
	}
	return strings.Join(words, ", ")
}

// amount says how many of all octets, with the unit once if both have the same.
func amount(done, all int64, of string) string {
	if all <= 0 {
		return ""
	}
	part, whole := humanize.IBytes(uint64(done)), humanize.IBytes(uint64(all))
	number, unit, _ := strings.Cut(part, " ")
	if strings.HasSuffix(whole, " "+unit) {
		part = number
	}
	return part + of + whole
}
