package twin

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/imap"
)

// What a folder may hold at the most: as many messages as a maildrop lists, and sets of flags that differ. Servers know
// some dozens of keywords a folder.
const (
	entriesMax = 2 << 20
	setsMax    = 16 << 20 // octets of their names
)

// An entry is a message of the folder, in 32 octets.
type entry struct {
	seconds int64  // INTERNALDATE, since 1970
	size    int64  // RFC822.SIZE
	uid     uint32 // ascending in the index
	flags   uint32 // number of the set
	offset  int16  // of INTERNALDATE, minutes east of UTC
	fetched bool   // its header was asked for
}

// dateless stands for a date that is not known.
var dateless = time.Time{}.Unix()

func (e entry) date() time.Time {
	t := time.Unix(e.seconds, 0).UTC()
	if t.IsZero() {
		return t
	}
	return t.In(time.FixedZone("", int(e.offset)*60))
}

// An index is what a folder holds, without headers 36 octets a message, with them 68.
type index struct {
	entries []entry
	bySize  []uint32   // positions in entries
	prints  [][32]byte // fingerprints of those headers that are fetched, by position; nil: none was
	sets    [][]string // sets of flags, sorted

	numbers map[string]uint32 // of the sets, while the folder is read
	octets  int
}

func newIndex() *index { return &index{numbers: map[string]uint32{}} }

// add takes in a message. The errors are about a folder that is too much.
func (x *index) add(m imap.Mark) error {
	if len(x.entries) == entriesMax {
		return errors.New("the folder holds more than 2,097,152 messages")
	}
	set, err := x.number(m.Flags)
	if err != nil {
		return err
	}
	_, offset := m.Date.Zone()
	x.entries = append(x.entries, entry{uid: m.UID, size: m.Size, seconds: m.Date.Unix(), offset: int16(offset / 60), flags: set})
	return nil
}

// number gives the number of a set of flags. \Recent is about sessions, and what else begins with a backslash (Gmail's
// labels) about this server.
func (x *index) number(flags []string) (uint32, error) {
	var set []string
	for _, name := range flags {
		switch {
		case !strings.HasPrefix(name, `\`), name == `\Seen`, name == `\Answered`, name == `\Flagged`, name == `\Draft`,
			name == `\Deleted`:
			set = append(set, strings.Clone(name))
		}
	}
	slices.Sort(set)
	set = slices.Compact(set)
	key := strings.Join(set, " ")
	n, ok := x.numbers[key]
	if ok {
		return n, nil
	}
	if x.octets += len(key) + 64; x.octets > setsMax {
		return 0, errors.New("the folder has more sets of flags than we take")
	}
	n = uint32(len(x.sets))
	x.sets, x.numbers[key] = append(x.sets, set), n
	return n, nil
}

// finish makes the index ready to be asked.
func (x *index) finish() {
	x.numbers = nil
	x.entries = slices.Clip(x.entries)
	slices.SortFunc(x.entries, func(a, b entry) int { return cmp.Compare(a.uid, b.uid) })
	x.bySize = make([]uint32, len(x.entries))
	for i := range x.bySize {
		x.bySize[i] = uint32(i)
	}
	slices.SortFunc(x.bySize, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(x.entries[a].size, x.entries[b].size), cmp.Compare(a, b))
	})
}

// at gives the position of a UID.
func (x *index) at(uid uint32) (position int, ok bool) {
	return slices.BinarySearchFunc(x.entries, uid, func(e entry, uid uint32) int { return cmp.Compare(e.uid, uid) })
}

// find gives the message with a UID, or nil.
func (x *index) find(uid uint32) *entry {
	i, ok := x.at(uid)
	if !ok {
		return nil
	}
	return &x.entries[i]
}

// sized gives the positions of the messages of a size, ascending.
func (x *index) sized(size int64) []uint32 {
	return x.bySize[x.sizeAt(size):x.sizeAt(size+1)]
}

// near gives the positions of the messages whose size is nearest to another, at most so many and no farther than that.
func (x *index) near(size int64, most int, farthest int64) (list []uint32) {
	below, above := x.sizeAt(size)-1, x.sizeAt(size+1)
	distance := func(i int) int64 {
		if i < 0 || i >= len(x.bySize) {
			return farthest + 1
		}
		d := x.entries[x.bySize[i]].size - size
		return max(d, -d)
	}
	for len(list) < most && min(distance(below), distance(above)) <= farthest {
		if distance(below) < distance(above) {
			list, below = append(list, x.bySize[below]), below-1
		} else {
			list, above = append(list, x.bySize[above]), above+1
		}
	}
	return list
}

// sizeAt is where the first message of at least that size stands in bySize.
func (x *index) sizeAt(size int64) int {
	i, _ := slices.BinarySearchFunc(x.bySize, size, func(p uint32, size int64) int {
		return cmp.Compare(x.entries[p].size, size)
	})
	return i
}
