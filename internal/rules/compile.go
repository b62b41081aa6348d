package rules

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/units"
)

// compile checks a rule and makes it ready. The error names the key.
func (w Rule) compile() (r rule, err error) {
	for _, part := range []func() ([]condition, error){w.header, w.size, w.age} {
		conditions, err := part()
		if err != nil {
			return r, err
		}
		r.conditions = append(r.conditions, conditions...)
	}
	r.conditions = append(r.conditions, w.kind()...)
	if len(r.conditions) == 0 {
		return r, errors.New("no condition: add header, larger, smaller, older, newer, sent or junk (to take all that is " +
			"left: larger = 1)")
	}
	r.skip = w.Skip
	switch {
	case w.Skip && (w.Folder != "" || len(w.Flags) > 0):
		return r, errors.New("skip: what is not copied has neither folder nor flags: leave them out")
	case !w.Skip && w.Folder == "" && len(w.Flags) == 0:
		return r, errors.New("no action: add folder, flags or skip = true")
	}
	if r.flags, err = flags(w.Flags); err != nil {
		return r, fmt.Errorf("flags: %w", err)
	}
	if w.Folder == "" {
		return r, nil
	}
	if r.folder, err = parseTemplate(w.Folder); err != nil {
		return r, fmt.Errorf("folder: %w", err)
	}
	return r, nil
}

// header is what is asked of header fields.
func (w Rule) header() ([]condition, error) {
	var given []string
	for _, key := range []struct{ name, value string }{
		{"equals", w.Equals}, {"contains", w.Contains}, {"matches", w.Matches}, {"address", w.Address},
	} {
		if key.value != "" {
			given = append(given, key.name)
		}
	}
	switch {
	case len(given) == 0 && len(w.Header) == 0:
		return nil, nil
	case len(given) == 0:
		return nil, errors.New("header: add what its value must be: equals, contains, matches or address, which is not empty")
	case len(given) > 1:
		return nil, fmt.Errorf("%s: only one of them can stand in a rule; write two rules, or matches with a regular "+
			"expression", strings.Join(given, " and "))
	case len(w.Header) == 0:
		return nil, fmt.Errorf(`%s: add header, the field that it is about, such as header = "List-Id"`, given[0])
	}
	names := make([]string, len(w.Header))
	for i, name := range w.Header {
		if !isFieldName(name) {
			return nil, fmt.Errorf("header: %q is not the name of a field: write it without colon and blanks, such as Subject",
				name)
		}
		names[i] = strings.ToLower(name)
	}
	test, err := w.test()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", given[0], err)
	}
	says := strings.Join(w.Header, " or ") + test.says
	return []condition{{says, func(m *mail) bool {
		return slices.ContainsFunc(names, func(name string) bool { return slices.ContainsFunc(m.fields[name], test.holds) })
	}}}, nil
}

// A test is what is asked of the value of one field.
type test struct {
	says  string
	holds func(value) bool
}

// test makes the one that is given.
func (w Rule) test() (test, error) {
	switch {
	case w.Equals != "":
		want := strings.ToLower(w.Equals)
		return test{fmt.Sprintf(" equals %q", w.Equals), func(v value) bool {
			return v.any(func(text string) bool { return strings.ToLower(text) == want })
		}}, nil
	case w.Contains != "":
		want := strings.ToLower(w.Contains)
		return test{fmt.Sprintf(" contains %q", w.Contains), func(v value) bool {
			return v.any(func(text string) bool { return strings.Contains(strings.ToLower(text), want) })
		}}, nil
	case w.Matches != "":
		re, err := regexp.Compile(w.Matches)
		if err != nil {
			return test{}, fmt.Errorf(`not a regular expression (%w): put \ before what is to stand for itself, in '' not in ""`, err)
		}
		return test{fmt.Sprintf(" matches %q", w.Matches), func(v value) bool { return v.any(re.MatchString) }}, nil
	}
	want, ok := cutAddress(w.Address)
	if !ok || strings.ContainsAny(w.Address, "\" \t,;:<>()") {
		return test{}, fmt.Errorf("%q is not an address: write bob@example.org, or @example.org for all of a domain", w.Address)
	}
	return test{fmt.Sprintf(" has the address %q", w.Address), func(v value) bool {
		return slices.ContainsFunc(addresses(v.raw), want.covers)
	}}, nil
}

func (w Rule) size() (list []condition, err error) {
	larger, smaller := int64(w.Larger), int64(w.Smaller)
	switch {
	case larger < 0:
		return nil, errors.New("larger: not a size such as 500, \"25M\" or \"1.5G\"")
	case smaller < 0:
		return nil, errors.New("smaller: not a size such as 500, \"25M\" or \"1.5G\"")
	case larger > 0 && smaller > 0 && smaller-1 <= larger:
		return nil, fmt.Errorf("larger and smaller: no message is larger than %d and smaller than %d octets; exchange them, or "+
			"write two rules", larger, smaller)
	}
	if larger > 0 {
		list = append(list, condition{fmt.Sprintf("larger than %d octets", larger),
			func(m *mail) bool { return m.Size > larger }})
	}
	if smaller > 0 {
		list = append(list, condition{fmt.Sprintf("smaller than %d octets", smaller),
			func(m *mail) bool { return m.Size < smaller }})
	}
	return list, nil
}

func (w Rule) age() (list []condition, err error) {
	var older, newer units.Age
	if w.Older != "" {
		if err := older.Set(w.Older); err != nil {
			return nil, fmt.Errorf("older: %q is %w", w.Older, err)
		}
		list = append(list, condition{"older than " + w.Older,
			func(m *mail) bool { return !m.Date.IsZero() && m.Now.Sub(m.Date) > time.Duration(older) }})
	}
	if w.Newer != "" {
		if err := newer.Set(w.Newer); err != nil {
			return nil, fmt.Errorf("newer: %q is %w", w.Newer, err)
		}
		list = append(list, condition{"newer than " + w.Newer,
			func(m *mail) bool { return !m.Date.IsZero() && m.Now.Sub(m.Date) <= time.Duration(newer) }})
	}
	if older > 0 && newer > 0 && older >= newer {
		return nil, fmt.Errorf("older and newer: no message is older than %s and newer than %s; exchange them, or write two "+
			"rules", w.Older, w.Newer)
	}
	return list, nil
}

// kind is what is asked of the kind of mail.
func (w Rule) kind() (list []condition) {
	if w.Sent != nil {
		want := *w.Sent
		list = append(list, condition{yes(want, "sent"), func(m *mail) bool { return m.Sent == want }})
	}
	if w.Junk != nil {
		want := *w.Junk
		list = append(list, condition{yes(want, "junk"), func(m *mail) bool { return m.Junk == want }})
	}
	return list
}

func yes(wanted bool, what string) string {
	if wanted {
		return what
	}
	return "not " + what
}

// isFieldName holds a name against RFC 5322 §2.2.
func isFieldName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == ':' })
}

// The flags that a rule may set, by name in lower case. \Recent is the server's alone, and \Deleted would make the
// message vanish.
var system = map[string]string{`\seen`: `\Seen`, `\answered`: `\Answered`, `\flagged`: `\Flagged`, `\draft`: `\Draft`}

// flags checks flags and takes each once, whatever the case of its letters (RFC 9051 §2.3.2).
func flags(written []string) (list []string, err error) {
	for _, name := range written {
		switch lower := asciiLower(name); {
		case lower == `\deleted`:
			return nil, fmt.Errorf(`%s would make the message vanish: with skip = true it is not copied`, name)
		case lower == `\recent`:
			return nil, fmt.Errorf(`%s is set by the server alone: leave it out`, name)
		case system[lower] != "":
			name = system[lower]
		case strings.HasPrefix(name, `\`):
			return nil, fmt.Errorf(`%s is not known: there are \Seen, \Answered, \Flagged, \Draft, and keywords without \`, name)
		case !isKeyword(name):
			return nil, fmt.Errorf(`%q is not a keyword: write ASCII without blanks and ( ) { %% * " \ ]`, name)
		}
		if !slices.ContainsFunc(list, func(f string) bool { return strings.EqualFold(f, name) }) {
			list = append(list, name)
		}
	}
	return list, nil
}

// isKeyword holds a keyword against flag-keyword of RFC 9051 §9, which is an atom.
func isKeyword(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`(){%*"\]`, c)
	})
}
