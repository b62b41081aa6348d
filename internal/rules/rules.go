// Package rules says what the user wants done with a message: the rules of the config file. The first rule of which all
// conditions hold says which folder the message goes to, which flags it gets, or that it is not copied. It does no I/O,
// refuses no message, and takes time in proportion to the header. Which folder mail goes to that no rule wants, and what
// the flags of the message were, is left to others.
//
// The sender of a message wrote its header. So a header can choose among the folders that the rules name, and can give
// a name to one below them where a rule says {list}. It can do no more: see [Rule].
package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/units"
)

// A Rule is a table of the config file. A key that is not given is zero. There must be a condition and an action.
type Rule struct {
	// Header names the fields that one of the four below looks at; one such field is enough. Letter case does not matter
	// in names. A value is looked at as it stands and as a mail program shows it (RFC 2047), unfolded: 16 KiB of one at
	// most, and of all that the rules ask for the first 128 KiB.
	Header   Names  `toml:"header"`
	Equals   string `toml:"equals"`   // all of the value, whatever the case of its letters
	Contains string `toml:"contains"` // a part of it, whatever the case of its letters
	Matches  string `toml:"matches"`  // a regular expression (RE2) that fits a part of it; (?i) makes case not matter
	Address  string `toml:"address"`  // bob@example.org or @example.org; not in display names and comments; case as above

	Larger  units.Size `toml:"larger"`  // than that many octets
	Smaller units.Size `toml:"smaller"` // than that many octets
	Older   string     `toml:"older"`   // an age (30d): it arrived before that; false when nobody knows when
	Newer   string     `toml:"newer"`   // an age: it arrived since, or will; false when nobody knows when
	Sent    *bool      `toml:"sent"`    // it is one's own, or is not
	Junk    *bool      `toml:"junk"`    // it is marked as spam, or is not

	// Folder is where it goes: UTF-8 with / between levels. {year} and {month} are of its arrival (2024, 07), {list} is
	// the name of its mailing list: in List-Id (RFC 2919) what stands in <> up to the first dot, in lower case, without
	// all but a-z, 0-9, -, _ and +, at most 64 octets. Where a message has no date or no list for its folder, the rule
	// does not match it. {list} cannot be the whole name of a top folder: a sender must not choose the Trash.
	Folder string   `toml:"folder"`
	Flags  []string `toml:"flags"` // \Seen, \Answered, \Flagged, \Draft and keywords, beside those that it has anyway
	Skip   bool     `toml:"skip"`  // it is not copied
}

// Names are those of header fields: in TOML a string, or an array of them.
type Names []string

func (n *Names) UnmarshalText(text []byte) error {
	*n = Names{string(text)}
	return nil
}

// Rules are rules that were found to make sense. They may be used by several goroutines at once.
type Rules struct {
	list   []rule
	fields map[string]bool // those that the rules look at, in lower case
}

// A rule is one of them, ready for use.
type rule struct {
	conditions []condition
	folder     template
	flags      []string
	skip       bool
}

// A condition is one key of a rule, or Header with what is asked of it.
type condition struct {
	says  string // for the reason: it quotes the rule, and never the mail
	holds func(*mail) bool
}

// A Subject is the message that is asked about.
type Subject struct {
	Header []byte    // up to the blank line or beyond it; what follows is not looked at
	Size   int64     // in octets
	Date   time.Time // of its arrival, in the offset that {year} and {month} are to be of; zero: not known
	Now    time.Time
	Sent   bool // it is one's own
	Junk   bool // it is marked as spam
}

// An Action is what is to be done with a message.
type Action struct {
	Folder string   // UTF-8, / between levels; "": the rule does not say
	Flags  []string // to add, each once
	Skip   bool     // not to be copied; the others are zero then
}

// Compile checks the rules. An error has a line for each rule that makes no sense: its number, counted from 1, the key,
// and what to do.
func Compile(list []Rule) (*Rules, error) {
	r := &Rules{fields: map[string]bool{"list-id": true}}
	var wrong []error
	for i, written := range list {
		compiled, err := written.compile()
		if err != nil {
			wrong = append(wrong, fmt.Errorf("rule %d: %w", i+1, err))
			continue
		}
		r.list = append(r.list, compiled)
		for _, name := range written.Header {
			r.fields[strings.ToLower(name)] = true
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return r, nil
}

// Match gives what the first rule that matches wants, and why: `rule 2: List-Id contains "golang"`. It is not ok when
// none does.
func (r *Rules) Match(s Subject) (action Action, reason string, ok bool) {
	if len(r.list) == 0 {
		return Action{}, "", false
	}
	m := r.read(s)
	for i, rule := range r.list {
		if action, misses := rule.try(m); misses == "" {
			return action, rule.reason(i), true
		}
	}
	return Action{}, "", false
}

// Explain has a line for each rule up to the one that matches: what it misses, and last the reason that Match gives.
func (r *Rules) Explain(s Subject) []string {
	var lines []string
	m := r.read(s)
	for i, rule := range r.list {
		_, misses := rule.try(m)
		if misses == "" {
			return append(lines, rule.reason(i))
		}
		lines = append(lines, fmt.Sprintf("rule %d does not match: it wants %s", i+1, misses))
	}
	return lines
}

// try gives what the rule wants, or the first thing that the message misses for it.
func (r rule) try(m *mail) (action Action, misses string) {
	for _, c := range r.conditions {
		if !c.holds(m) {
			return Action{}, c.says
		}
	}
	folder, misses := r.folder.name(m)
	if misses != "" {
		return Action{}, misses
	}
	return Action{Folder: folder, Flags: slices.Clone(r.flags), Skip: r.skip}, ""
}

func (r rule) reason(i int) string {
	says := make([]string, len(r.conditions))
	for k, c := range r.conditions {
		says[k] = c.says
	}
	return fmt.Sprintf("rule %d: %s", i+1, strings.Join(says, " and "))
}
