package sync

// A fate is what became of a message that was listed.
type fate uint8

const (
	left fate = iota // for the next run, unless something becomes of it
	known
	quarantined
	recognised
	doubted
	copied
	refused
	vanished
)

// An entry is one message of the maildrop in this run, however often it is listed in it.
type entry struct {
	fate     fate
	size     int64 // as LIST said last
	has      marks // of the flags that own messages give, those that it was copied with or has got since
	accessed bool  // somebody had retrieved it before this account's first run: see facts.go
	skipped  bool  // it was told that it is left, and why
}

// ended says whether this run has given it a verdict of its own, which a new listing does not change.
func (e *entry) ended() bool {
	return e.fate == copied || e.fate == recognised || e.fate == refused || e.fate == vanished
}

// A book holds the entries of a run. Message numbers do not outlive a session, so it goes by what a message is known by,
// and by how many there are of it.
type book map[string][]*entry

// enter gives the entry of each message of a listing, known by its key: the one that an earlier listing of this run made,
// or a new one. Among those that have one key it is the one of the same size, as far as there is one; but a size is an
// estimate at some servers, and can be another in each session.
func (b book) enter(keys []string, listing []todo) []*entry {
	list := make([]*entry, len(keys))
	free, taken, next := map[sized][]*entry{}, map[*entry]bool{}, make(map[string]int, len(keys))
	for _, key := range keys {
		if _, again := next[key]; again {
			continue
		}
		next[key] = 0
		for _, e := range b[key] {
			k := sized{key, e.size}
			free[k] = append(free[k], e)
		}
	}
	for i, key := range keys {
		k := sized{key, listing[i].Size}
		if same := free[k]; len(same) > 0 {
			list[i], free[k] = same[0], same[1:]
			taken[same[0]] = true
		}
	}
	for i, key := range keys {
		if list[i] != nil {
			continue
		}
		n := next[key]
		for n < len(b[key]) && taken[b[key][n]] {
			n++
		}
		if n == len(b[key]) {
			b[key] = append(b[key], new(entry))
		}
		list[i], next[key] = b[key][n], n+1
		list[i].size = listing[i].Size
	}
	return list
}

// A sized is a key with a size.
type sized struct {
	key  string
	size int64
}

// strike counts what became of all, in r.
func (b book) strike(r *Report) {
	var count [vanished + 1]int
	for _, entries := range b {
		r.Listed += len(entries)
		for _, e := range entries {
			count[e.fate]++
		}
	}
	r.Known, r.Quarantined, r.Recognised, r.InDoubt = count[known], count[quarantined], count[recognised], count[doubted]
	r.Copied, r.Refused, r.Vanished, r.Left = count[copied], count[refused], count[vanished], count[left]
	r.New = r.Listed - r.Known - r.Quarantined
}
