// Package message says what the header of a message tells: which message it is, when it arrived, which flags it had.
// It works on octets as they came and is never surprised: a line that makes no sense is passed over and the next one
// read. It refuses no message, does no I/O, and takes time in proportion to the header. What to do with the answers is
// left to package sync. Only [Repaired] changes a message: for a server that refuses it as it is.
//
// Whoever wrote a mail wrote most of its header. Only what stands above the topmost Received field was certainly added
// on the way (RFC 5321 §4.4: trace fields are prepended); see [Field.Above] and [Infer].
package message

import (
	"bytes"
	"iter"
	"strings"
)

const (
	maxName = 998   // octets; a line's limit (RFC 5322 §2.1.1)
	maxText = 16384 // octets of a value that are looked at; a Received of 2 KiB is already a long one
	maxID   = 998   // octets; as maxName

	blanks = " \t\r" // around a value; a CR stands there when a server ends lines with CR CR LF
)

// Split gives the header of a message, up to and with the blank line that ends it. Without a blank line all of raw is
// header. The result is a part of raw, line ends as they stand.
func Split(raw []byte) (header []byte) {
	size := 0
	for line := range bytes.Lines(raw) {
		size += len(line)
		if len(chomp(line)) == 0 {
			break
		}
	}
	return raw[:size]
}

// A Field is one field of a header (RFC 5322 §2.2).
type Field struct {
	Name  string // in lower case, never empty: printable ASCII without a colon
	Value []byte // what follows the colon, as it stands: folds, blanks and line end included; a part of the header
	Above bool   // no Received field stands above it

	lines []byte // the whole field
}

// Fields goes through the fields of a header from the top to its blank line or its end. Lines that are no field are
// passed over, with the lines that continue them: an mbox "From " line, a line without a colon, a name with a BOM,
// 8-bit octets or blanks within. Blanks before the colon are allowed (RFC 5322 §4.5).
func Fields(header []byte) iter.Seq[Field] {
	return func(yield func(Field) bool) {
		above := true
		for rest := Split(header); len(rest) > 0; {
			var lines []byte
			lines, rest = cutField(rest)
			name, value, ok := parse(lines)
			if !ok {
				continue
			}
			if !yield(Field{Name: name, Value: value, Above: above, lines: lines}) {
				return
			}
			above = above && name != "received"
		}
	}
}

// Text is the value unfolded (RFC 5322 §2.2.3), without the blanks around it: one line, of any octets but LF, and at
// most 16 KiB of it.
func (f Field) Text() string {
	var text strings.Builder
	for line := range bytes.Lines(f.Value) {
		line = chomp(line)
		text.Write(line[:min(len(line), maxText-text.Len())])
	}
	return strings.Trim(text.String(), blanks)
}

// ID is the text of the topmost Message-ID field that has one, as it stands, at most 998 octets. It need not have the
// form that RFC 5322 §3.6.4 wants. "" means that there is none.
func ID(header []byte) string {
	for f := range Fields(header) {
		if f.Name != "message-id" {
			continue
		}
		if id := f.Text(); id != "" {
			return strings.TrimRight(id[:min(len(id), maxID)], blanks)
		}
	}
	return ""
}

// chomp takes the line end off a line: LF, CR LF, or the CR CR LF of some servers.
func chomp(line []byte) []byte {
	return bytes.TrimRight(line, "\r\n")
}

// cutField takes off the first line and the lines that continue it.
func cutField(header []byte) (lines, rest []byte) {
	size := 0
	for line := range bytes.Lines(header) {
		if size > 0 && line[0] != ' ' && line[0] != '\t' {
			break
		}
		size += len(line)
	}
	return header[:size], header[size:]
}

// parse splits a field at its colon. The blank line has none.
func parse(lines []byte) (name string, value []byte, ok bool) {
	before, value, found := bytes.Cut(lines, []byte{':'})
	before = bytes.TrimRight(before, " \t")
	if !found || len(before) == 0 || len(before) > maxName {
		return "", nil, false
	}
	for _, c := range before {
		if c <= ' ' || c >= 0x7f {
			return "", nil, false
		}
	}
	return strings.ToLower(string(before)), value, true
}
