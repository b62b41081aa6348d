package message

import (
	"slices"
	"strings"
)

// A Flag is one that a message is to arrive with.
type Flag struct {
	Name string // as IMAP spells it: `\Seen`
	Why  string // what says so, for the report: "Status: R"
}

// A mark is a header field whose letters stand for flags, one each, in any order.
type mark struct {
	field   string          // as it is commonly written
	letters string          // all that it may hold; another one says that the field is something else
	flags   map[rune]string // those that stand for a flag
}

// The marks of mbox mailboxes, by field name in lower case. D (deleted) stands for nothing: what the maildrop still
// lists is copied, and \Deleted would make it vanish at the destination.
var marks = map[string]mark{
	// R read, O old (not \Recent, which says nothing of reading), N new, U unread, r replied.
	"status": {"Status", "RONUDr", map[rune]string{'R': `\Seen`}},
	// KMail has more letters here and means others by F and T (forwarded, has an attachment).
	"x-status": {"X-Status", "AFTD", map[rune]string{'A': `\Answered`, 'F': `\Flagged`, 'T': `\Draft`}},
}

// Flags gives the flags that the header says the message has, each once. A sender can write these fields too, and so
// they are believed only above the topmost Received, or anywhere in a message that has no Received (it never
// travelled). With trust they are believed anywhere.
func Flags(header []byte, trust bool) []Flag {
	var flags []Flag
	for f := range Fields(header) {
		if !f.Above && !trust {
			break
		}
		if m, ok := marks[f.Name]; ok {
			flags = m.read(f.Text(), flags)
		}
	}
	return flags
}

// read adds to flags those that the letters in text stand for.
func (m mark) read(text string, flags []Flag) []Flag {
	if strings.Trim(text, m.letters+" \t") != "" {
		return flags
	}
	for _, letter := range text {
		name, ok := m.flags[letter]
		if ok && !slices.ContainsFunc(flags, func(f Flag) bool { return f.Name == name }) {
			flags = append(flags, Flag{Name: name, Why: m.field + ": " + string(letter)})
		}
	}
	return flags
}
