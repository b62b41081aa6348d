package doctor

import (
	"time"

	"github.com/dustin/go-humanize"

	"github.com/pop2imap/pop2imap/internal/units"
)

// A way is what is known of the two lines.
type way struct {
	from, to  time.Duration // round trips
	reached   bool          // both ends
	pipelined bool          // many messages are asked for at a time
	literals  bool          // a message is sent without being asked for
}

// What is assumed, for it cannot be measured without moving mail.
const (
	assumedRate = 1 << 20              // octets a second
	storing     = 5 * time.Millisecond // that a server needs for a message
	logins      = 10                   // round trips until the first message moves
)

// estimate says how long the next run will take. The two ends work at the same time; the slower one counts.
func (x *examination) estimate() {
	if !x.listed || !x.way.reached {
		return
	}
	if len(x.waiting) == 0 {
		x.ok("estimate", "", "nothing waits: the next run is done when it has listed the maildrop")
		return
	}
	rate := int64(assumedRate)
	if x.Rate > 0 {
		rate = min(rate, x.Rate)
	}
	took := x.way.estimate(len(x.waiting), octets(x.waiting), rate, max(x.Connections, 1))
	x.ok("estimate", "", "about %s for %s of %s, if a second moves %s, the destination stores a message in %s, and each round trip takes as "+
		"long as the first (%s and %s)", rounded(max(took, time.Second)), units.Plural(len(x.waiting), "message"), size(x.waiting),
		humanize.IBytes(uint64(rate)), storing, rounded(x.way.from), rounded(x.way.to))
}

// estimate is for so many messages, at so many octets a second.
func (w way) estimate(messages int, octets, rate int64, connections int) time.Duration {
	n := time.Duration(messages)
	var retrieving time.Duration
	if !w.pipelined {
		retrieving = n * w.from
	}
	appending := n * storing
	if !w.literals {
		appending += n * w.to / time.Duration(connections)
	}
	const forever = 1e9 // seconds: a server may list any size
	moving := time.Duration(min(float64(octets)/float64(rate), forever) * float64(time.Second))
	return logins*(w.from+w.to) + moving + max(retrieving, appending)
}
