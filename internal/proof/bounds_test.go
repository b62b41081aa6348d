package proof_test

// Bounds say how many copies of each content there may be at the most, counted from the last moment at which all was
// known: after a run that said that all is well, or when the memory was lost.
type bounds struct {
	runs     int   // since then
	had      tally // copies that the mailbox had
	known    tally // messages that the memory knows for certain
	unknown  tally // copies that no record claims, and that the first run must recognise
	puts     tally // copies that others have put there since
	peak     tally // messages in the maildrop at a run since
	there    tally // messages that were in the maildrop
	arrivals tally // messages that have come since
}

// most is how many copies there may be. A message that comes when an equal one has gone may be the same: the maildrop needs
// as many copies as it ever had messages at a time. Where we delete, it is another one.
func (b *bounds) most(c int, deletes bool) int {
	needed := b.peak[c]
	if deletes {
		needed = b.there[c] + b.arrivals[c]
	}
	needed -= b.known[c]
	if b.runs == 1 { // a later one may not look any more at what the first has compared with all that there was
		needed -= b.unknown[c]
	}
	return b.had[c] + b.puts[c] + max(needed, 0)
}

func (b *bounds) came(c int) { b.arrivals[c]++ }

func (b *bounds) put(c int, looked bool) {
	b.puts[c]++
	if b.runs == 0 && looked {
		b.unknown[c]++
	}
}

// listing is the beginning of a run.
func (b *bounds) listing(now tally) {
	b.runs++
	for c, n := range now {
		b.peak[c] = max(b.peak[c], n)
	}
}

// settle is after a run that said that all is well. What the memory knew it knows for good, unless it was deleted.
func (b *bounds) settle(have, left tally) {
	*b = bounds{had: have, known: left, there: left}
}

// anew is without memory: all copies are like foreign ones.
func (b *bounds) anew(have, there tally) {
	*b = bounds{had: have, unknown: have, there: there}
}
