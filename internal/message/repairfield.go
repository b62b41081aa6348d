package message

import (
	"bytes"
	"strings"
)

// valid gives a field, or what stands in its place, as a field; or the end of the header.
func (r *repairer) valid(lines []byte) []byte {
	first, afterBlank := !r.started, r.blank
	r.started, r.blank = true, endsInBlanks(lines)
	if _, _, ok := parse(lines); ok {
		return r.colon(lines)
	}
	r.changed |= InvalidHeader
	below, _ := r.in.Peek(repairRoom)
	ends := first && !hasField(below)
	if afterBlank && !r.goesOn { // once: it takes long
		ends = ID(below) == ""
		r.goesOn = true
	}
	if ends {
		r.inBody = true
		return append([]byte("\r\n"), lines...)
	}
	return append([]byte("X-Invalid: "), lines...)
}

// colon moves the blanks before the colon behind it: RFC 5322 §4.5 allows to read them, not to write them.
func (r *repairer) colon(lines []byte) []byte {
	before, value, _ := bytes.Cut(lines, []byte{':'})
	name := bytes.TrimRight(before, " \t")
	if len(name) == len(before) {
		return lines
	}
	r.changed |= InvalidHeader
	return bytes.Join([][]byte{name, {':'}, before[len(name):], value}, nil)
}

// endsInBlanks says whether the last of several lines has nothing but blanks.
func endsInBlanks(lines []byte) bool {
	lines = chomp(lines)
	last := lines[bytes.LastIndexByte(lines, '\n')+1:]
	return len(last) < len(lines) && len(bytes.Trim(last, blanks)) == 0
}

func hasField(header []byte) bool {
	for range Fields(header) {
		return true
	}
	return false
}

func isASCII(text []byte) bool {
	for _, c := range text {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// replaced is text with X for each octet that is not ASCII, as Cyrus does it.
func replaced(text []byte) []byte {
	text = bytes.Clone(text)
	for i, c := range text {
		if c >= 0x80 {
			text[i] = 'X'
		}
	}
	return text
}

// Fields with addresses, in lower case: display names in them may be encoded (RFC 2047 §5 (3)). So may those that begin
// with "resent-" but for two.
var withAddresses = map[string]bool{
	"from": true, "sender": true, "reply-to": true, "to": true, "cc": true, "bcc": true,
	"mail-followup-to": true, "mail-reply-to": true, "disposition-notification-to": true, "errors-to": true,
	"delivered-to": true, "x-original-to": true, "envelope-to": true, "apparently-to": true,
}

// Fields for machines, in which no encoded-word may stand. So are those that begin with "content-" (but for
// Content-Description), "list-", "arc-" and "dkim-".
var forMachines = map[string]bool{
	"message-id": true, "in-reply-to": true, "references": true, "resent-message-id": true, "resent-date": true,
	"date": true, "received": true, "received-spf": true, "return-path": true, "mime-version": true,
	"domainkey-signature": true, "authentication-results": true,
}

// asciiField is a field in ASCII. The name is replaced, the value encoded as far as the name allows.
func asciiField(lines []byte) []byte {
	before, value, _ := bytes.Cut(lines, []byte{':'})
	start := append(replaced(before), ':')
	name, _, ok := parse(start)
	machine := forMachines[name]
	for _, prefix := range []string{"content-", "list-", "arc-", "dkim-"} {
		machine = machine || strings.HasPrefix(name, prefix) && name != "content-description"
	}
	if !ok || machine {
		return replaced(lines)
	}
	return encodeWords(start, value, withAddresses[name] || strings.HasPrefix(name, "resent-"))
}
