package rules

import (
	"io"
	"mime"
	"strings"

	"github.com/emersion/go-message/charset"

	"github.com/pop2imap/pop2imap/internal/message"
)

// maxRead is how much of a header is looked at, in octets of the values that the rules ask for: a regular expression gets
// through a few MB in a second, and there may be many.
const maxRead = 128 << 10

// A mail is a message as the rules see it.
type mail struct {
	Subject
	fields map[string][]value // those that the rules look at, from the top, by name in lower case
}

// A value is that of a header field.
type value struct {
	raw   string // unfolded
	shown string // as a mail program shows it: decoded, runs of blanks as one
}

// read takes out of the header what the rules look at, from the top.
func (r *Rules) read(s Subject) *mail {
	m := &mail{Subject: s, fields: map[string][]value{}}
	room := maxRead
	for f := range message.Fields(s.Header) {
		if !r.fields[f.Name] {
			continue
		}
		if room -= len(f.Value); room < 0 {
			break
		}
		raw := f.Text()
		m.fields[f.Name] = append(m.fields[f.Name], value{raw, shown(raw)})
	}
	return m
}

// any says whether something holds for one of the two forms.
func (v value) any(holds func(text string) bool) bool {
	return holds(v.raw) || v.shown != v.raw && holds(v.shown)
}

// shown decodes encoded-words (RFC 2047). One in a charset that nobody knows gives its octets.
func shown(raw string) string {
	words := mime.WordDecoder{CharsetReader: func(name string, in io.Reader) (io.Reader, error) {
		if decoded, err := charset.Reader(name, in); err == nil {
			return decoded, nil
		}
		return in, nil
	}}
	text, err := words.DecodeHeader(raw)
	if err != nil { // the octets of a charset are not what they should be
		text = raw
	}
	return strings.Join(strings.Fields(text), " ")
}
