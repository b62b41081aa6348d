package message

import (
	"bytes"
	"strings"
)

// TrailingStatus finds the Status that a maildrop's own server adds behind all other fields (UW's ipop3d: "RO", " O", "R "
// or blanks). value is its letters without blanks; rest is the header without that line, octet for octet, blank line
// included, and header stays as it is. ok is false if the last field is not such a one.
//
// One message does not tell whether the server wrote it or the sender did: only all of them together do.
func TrailingStatus(header []byte) (value string, rest []byte, ok bool) {
	header = Split(header)
	start, end := lastField(header)
	name, text, isField := parse(header[start:end])
	if !isField || name != "status" || bytes.Count(header[start:end], []byte{'\n'}) > 1 {
		return "", nil, false
	}
	value = strings.ReplaceAll(Field{Value: text}.Text(), " ", "")
	if strings.Trim(value, "RO") != "" {
		return "", nil, false
	}
	rest = append(bytes.Clone(header[:start]), header[end:]...)
	return value, rest, true
}

// lastField says where the last field of a header is, with its line ends; or the line that is none.
func lastField(header []byte) (start, end int) {
	for at := 0; at < len(header); {
		lines, _ := cutField(header[at:])
		if len(chomp(lines)) == 0 {
			break
		}
		start, end = at, at+len(lines)
		at = end
	}
	return start, end
}

// serverStatus takes over the Status of the maildrop's server, and gives the header without it.
func (r *reading) serverStatus(header []byte) []byte {
	value, rest, ok := TrailingStatus(header)
	if !ok {
		return header
	}
	if strings.Contains(value, "R") {
		r.give(`\Seen`, "Status: R, by the server")
	} else {
		r.unread = "Status"
	}
	return rest
}
