package state

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

// An Overview adds the records of an account up. All but Refused, Missing and Intents is of delivered messages alone.
type Overview struct {
	Refused, Missing, Intents int

	All     Share
	Deleted int            // at the source
	Same    map[string]int // read back, and nothing speaks against deleting them at the source: by the level of that
	Altered map[string]int // read back, but never to be deleted at the source: by the reason
	Kept    map[string]int // the same of those that were not read back

	Folders   map[string]Share
	Months    map[Month]Share // in UTC, of those with a date
	Undated   Share           // their date is not known, or none was asked for
	Sizes     [len(SizeBounds) + 1]Share
	Flags     map[string]Share // a message with several counts for each; "": with none
	Unflagged Share            // their flags are not known
}

// A Share is a part of the messages.
type Share struct {
	Messages int
	Octets   int64
}

func (s *Share) add(size int64) {
	s.Messages++
	s.Octets += size
}

// A Month is one of a certain year.
type Month struct {
	Year  int
	Month time.Month
}

// SizeBounds part the sizes: each is the first that belongs to the next class.
var SizeBounds = [...]int64{10 << 10, 100 << 10, 1 << 20, 10 << 20, 100 << 20}

// namesMax is of how many names an overview counts each alone: nobody looks at more, and what servers and rules make up must
// not fill the memory. OtherNames is what the rest is counted as.
const (
	namesMax   = 10_000
	OtherNames = "…"
)

// shared gives the name under which one more is counted.
func shared[V any](m map[string]V, name string) string {
	if _, known := m[name]; !known && len(m) >= namesMax {
		return OtherNames
	}
	return name
}

// sight is what an overview needs of a record. The table is read as it lies, once: to let SQLite group it by each of folder,
// month, size and flags takes three times as long.
const sight = "SELECT phase, proof, keep, folder, size, date, flags FROM record NOT INDEXED WHERE account = ?"

// Overview gives it as of the moment at which it began.
func (a *Account) Overview(ctx context.Context) (*Overview, error) {
	o := &Overview{Same: map[string]int{}, Altered: map[string]int{}, Kept: map[string]int{}, Folders: map[string]Share{},
		Months: map[Month]Share{}, Flags: map[string]Share{}}
	var s sighting // one for all
	to := []any{&s.phase, &s.proof, &s.keep, &s.folder, &s.size, &s.date, &s.flags}
	err := each(ctx, a.store.read, func(row scanner) error {
		err := row.Scan(to...)
		if err == nil {
			o.see(&s)
		}
		return err
	}, sight, a.id)
	if err != nil {
		return nil, a.failed(err)
	}
	return o, nil
}

// A sighting is a row of [sight].
type sighting struct {
	phase                      Phase
	proof, keep, folder, flags sql.RawBytes
	size                       int64
	date                       sql.NullInt64
}

// see adds a record.
func (o *Overview) see(s *sighting) {
	switch {
	case s.phase == PhaseRefused:
		o.Refused++
	case s.phase == PhaseMissing:
		o.Missing++
	case s.phase == PhaseIntent:
		o.Intents++
	case s.phase.Delivered():
		o.All.add(s.size)
		o.prove(s.phase, string(s.proof), string(s.keep))
		o.sort(string(s.folder), s.size, s.date)
		o.flag(s.flags, s.size)
	}
}

func (o *Overview) prove(phase Phase, proof, keep string) {
	if phase == PhaseDeleted {
		o.Deleted++
	}
	switch {
	case phase == PhaseStored && keep != "":
		o.Kept[shared(o.Kept, keep)]++
	case phase == PhaseStored:
	case keep != "":
		o.Altered[shared(o.Altered, keep)]++
	default:
		o.Same[shared(o.Same, proof)]++
	}
}

func (o *Overview) sort(folder string, size int64, date sql.NullInt64) {
	count(o.Folders, shared(o.Folders, folder), size)
	class := 0
	for class < len(SizeBounds) && size >= SizeBounds[class] {
		class++
	}
	o.Sizes[class].add(size)
	if !date.Valid {
		o.Undated.add(size)
		return
	}
	year, month, _ := time.Unix(date.Int64, 0).UTC().Date()
	count(o.Months, Month{year, month}, size)
}

func (o *Overview) flag(flags sql.RawBytes, size int64) {
	if flags == nil {
		o.Unflagged.add(size)
		return
	}
	names := strings.Fields(string(flags))
	if len(names) == 0 {
		names = []string{""}
	}
	for _, name := range names {
		count(o.Flags, shared(o.Flags, name), size)
	}
}

func count[K comparable](m map[K]Share, name K, size int64) {
	s := m[name]
	s.add(size)
	m[name] = s
}

// Refusals gives at most most of the messages that the destination refused, the one that was refused first before the others.
func (a *Account) Refusals(ctx context.Context, most int) ([]Record, error) {
	return a.records(ctx, "phase = 'refused' ORDER BY id LIMIT ?", most)
}

// Misses gives at most most of the messages that the destination said it had stored and has not, in order of ID.
func (a *Account) Misses(ctx context.Context, most int) ([]Record, error) {
	return a.records(ctx, "phase = 'missing' ORDER BY id LIMIT ?", most)
}
