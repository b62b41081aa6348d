package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxFolder = 255 // octets of a folder's name; file systems allow no more, and Maildir++ keeps all levels in one name
	maxList   = 64  // octets of {list}; it is mostly a label of a host name, which has 63 at most
)

// A template is a folder's name in pieces. None at all is no folder.
type template []piece

// A piece is text, or what is put in the place of {year} and the like.
type piece struct {
	text    string
	filling *filling
}

// A filling is what a message gives to the name of its folder: never empty, of a-z, 0-9, -, _ and + only.
type filling struct {
	name  string // as a rule has it
	needs string // what a message must have for it
	most  int    // octets
	of    func(*mail) string
}

var fillings = []*filling{
	{"{year}", "a date", 4, func(m *mail) string { return m.dated("2006") }},
	{"{month}", "a date", 2, func(m *mail) string { return m.dated("01") }},
	{"{list}", "a List-Id", maxList, func(m *mail) string { return m.list() }},
}

// parseTemplate reads the name of a folder. A / at its ends counts for nothing.
func parseTemplate(text string) (t template, err error) {
	levels := strings.Split(strings.Trim(text, "/"), "/")
	if strings.EqualFold(levels[0], "INBOX") {
		levels[0] = "INBOX" // in any case (RFC 9051 §5.1)
	}
	top := 0 // some servers keep all folders below INBOX
	if levels[0] == "INBOX" {
		top = 1
	}
	for i, level := range levels {
		if err := checkLevel(level); err != nil {
			return nil, err
		}
		if i <= top && strings.Contains(level, "{list}") {
			return nil, errors.New("a sender could choose the Trash: put {list} below a folder, such as Lists/{list}")
		}
		if i > 0 {
			t = append(t, piece{text: "/"})
		}
		pieces, err := parseLevel(level)
		if err != nil {
			return nil, err
		}
		t = append(t, pieces...)
	}
	if t.most() > maxFolder {
		return nil, fmt.Errorf("its name can become %d octets long, and %d are allowed: shorten it", t.most(), maxFolder)
	}
	return t, nil
}

// checkLevel looks at what the user wrote between two slashes.
func checkLevel(level string) error {
	switch {
	case level == "":
		return errors.New("a level of it has no name: write one / between two names")
	case level == "." || level == "..":
		return fmt.Errorf("%q is not a name for a folder: write its full name, from the top", level)
	case level != strings.TrimSpace(level):
		return fmt.Errorf("%q begins or ends with a blank: leave it out", level)
	case !utf8.ValidString(level) || strings.ContainsFunc(level, unprintable):
		return errors.New("control characters and invalid UTF-8 cannot stand in a name: leave them out")
	case strings.ContainsAny(level, "*%"):
		return fmt.Errorf("%q: to a server * and %% stand for many folders: leave them out", level)
	}
	return nil
}

// unprintable characters are those that no server shall get: controls, line ends, and what turns the direction of text.
func unprintable(c rune) bool {
	return c == utf8.RuneError || unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// parseLevel cuts a level at its fillings.
func parseLevel(level string) (t template, err error) {
	for level != "" {
		open := strings.IndexAny(level, "{}")
		if open < 0 {
			return append(t, piece{text: level}), nil
		}
		if open > 0 {
			t = append(t, piece{text: level[:open]})
			level = level[open:]
		}
		i := slices.IndexFunc(fillings, func(f *filling) bool { return strings.HasPrefix(level, f.name) })
		if i < 0 {
			return nil, fmt.Errorf("%q: in braces there can only be {year}, {month} and {list}", level)
		}
		t = append(t, piece{filling: fillings[i]})
		level = level[len(fillings[i].name):]
	}
	return t, nil
}

// most is how long the name can become, in octets.
func (t template) most() (size int) {
	for _, p := range t {
		size += len(p.text)
		if p.filling != nil {
			size += p.filling.most
		}
	}
	return size
}

// name is that of the folder for a message, or what the message misses for it.
func (t template) name(m *mail) (folder, misses string) {
	var name strings.Builder
	for _, p := range t {
		if p.filling == nil {
			name.WriteString(p.text)
			continue
		}
		text := p.filling.of(m)
		if text == "" {
			return "", p.filling.needs + ", for " + p.filling.name + " in its folder"
		}
		name.WriteString(text)
	}
	return name.String(), ""
}

// dated is a part of the date of arrival, "" without a date.
func (m *mail) dated(layout string) string {
	if m.Date.IsZero() || m.Date.Year() < 1 || m.Date.Year() > 9999 {
		return ""
	}
	return m.Date.Format(layout)
}

// list is the name of the mailing list for a folder: that of the topmost List-Id that has one. "": none has.
func (m *mail) list() string {
	for _, v := range m.fields["list-id"] {
		if name := listName(v.raw); name != "" {
			return name
		}
	}
	return ""
}

// listName makes a name of the label of a list (RFC 2919 §2). Letter case does not matter in it (§6); whatever could
// mean something to a server or a file system becomes a hyphen.
func listName(text string) string {
	if open := strings.LastIndexByte(text, '<'); open >= 0 {
		text, _, _ = strings.Cut(text[open+1:], ">")
	}
	label, _, _ := strings.Cut(strings.TrimSpace(text), ".")
	label = strings.Map(func(c rune) rune {
		if isLetter(c) || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '+' {
			return c
		}
		return '-'
	}, asciiLower(label))
	label = strings.Trim(label, "-_+")
	return strings.TrimRight(label[:min(len(label), maxList)], "-_+")
}

func isLetter(c rune) bool { return 'a' <= c && c <= 'z' }
