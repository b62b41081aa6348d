package message

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

const maxEncodedWord = 75 // octets (RFC 2047 §2)

// What the word before is. Blanks between two encoded-words are not shown (RFC 2047 §6.2), so that those which were
// between words have to go into one.
const (
	plain   = iota
	foreign // encoded already
	ours    // encoded here
)

// encodeWords appends value to out, with its words that are not ASCII as encoded-words. In a value with addresses,
// those within <> and those with an @ are replaced by X.
func encodeWords(out, value []byte, addresses bool) []byte {
	last := plain
	for len(value) > 0 {
		gap := value[:len(value)-len(bytes.TrimLeft(value, " \t\r\n"))]
		value = value[len(gap):]
		word := firstWord(value, addresses)
		value = value[len(word):]
		switch {
		case isASCII(word):
			out, last = appendPlain(out, gap, word, last)
		case addresses && isAddress(word, value):
			out, last = appendPlain(out, gap, replaced(word), last)
		default:
			out, last = appendEncoded(out, gap, word, last, addresses), ours
		}
	}
	return out
}

func appendPlain(out, gap, word []byte, last int) ([]byte, int) {
	is := plain
	if bytes.HasPrefix(word, []byte("=?")) && bytes.HasSuffix(word, []byte("?=")) {
		is = foreign
	}
	out = append(out, gap...)
	switch {
	case last != ours || len(word) == 0:
	case is == foreign && len(gap) > 0:
		out = append(out, "=?utf-8?Q?_?= "...) // the gap, to be shown
	case len(gap) == 0 && word[0] != ')':
		out = append(out, ' ') // RFC 2047 §5: a blank must follow
	}
	return append(out, word...), is
}

func appendEncoded(out, gap, word []byte, last int, addresses bool) []byte {
	out = append(out, gap...)
	if end := out[len(out)-1]; len(gap) == 0 && end != '(' {
		out = append(out, ' ') // RFC 2047 §5: a blank must stand before it
	}
	if addresses && word[0] == '"' {
		word = unquoted(word)
	}
	if last != plain {
		word = append(bytes.Clone(gap), word...)
	}
	return appendEncodedWord(out, word)
}

// firstWord is what comes up to the next blank. In a value with addresses it may be a quoted string, what stands in <>,
// or a special as well (RFC 5322 §3.2.3).
func firstWord(text []byte, addresses bool) []byte {
	ends := " \t\r\n"
	if addresses {
		ends += `"<>(),:;`
	}
	end := bytes.IndexAny(text, ends)
	if end < 0 {
		return text
	}
	if end > 0 || !addresses {
		return text[:end]
	}
	near := text[:min(len(text), maxName)]
	switch text[0] {
	case '"':
		return text[:quotedSize(near)]
	case '<':
		return text[:max(1, bytes.IndexByte(near, '>')+1)]
	}
	return text[:1]
}

// quotedSize is the length of the quoted string that text begins with; 1 if nothing closes it.
func quotedSize(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 1
}

// isAddress says whether word is one, or the part of one before the @ that is next.
func isAddress(word, next []byte) bool {
	if word[0] == '"' {
		return bytes.HasPrefix(next, []byte{'@'})
	}
	return word[0] == '<' || bytes.IndexByte(word, '@') >= 0
}

// unquoted is what a quoted string stands for.
func unquoted(word []byte) (text []byte) {
	word = word[1 : len(word)-1]
	for i := 0; i < len(word); i++ {
		if word[i] == '\\' && i+1 < len(word) {
			i++
		}
		text = append(text, word[i])
	}
	return text
}

// appendEncodedWord appends text without line ends as one encoded-word, or more on lines of their own, in the form that
// may stand in a display name (RFC 2047 §4.2, §5 (3)).
func appendEncodedWord(out, text []byte) []byte {
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r"), nil), []byte("\n"), nil)
	begin, size := "=?unknown-8bit?Q?", func([]byte) int { return 1 }
	if utf8.Valid(text) {
		begin, size = "=?utf-8?Q?", func(text []byte) int { _, n := utf8.DecodeRune(text); return n }
	}
	out = append(out, begin...)
	for room := maxEncodedWord - len(begin) - 2; len(text) > 0; {
		var code []byte
		n := size(text) // no word ends within a character
		for _, c := range text[:n] {
			code = appendQ(code, c)
		}
		if len(code) > room {
			out = append(out, "?=\r\n "+begin...)
			room = maxEncodedWord - len(begin) - 2
		}
		out, text, room = append(out, code...), text[n:], room-len(code)
	}
	return append(out, "?="...)
}

func appendQ(out []byte, c byte) []byte {
	switch {
	case c == ' ':
		return append(out, '_')
	case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9':
		return append(out, c)
	}
	return fmt.Appendf(out, "=%02X", c)
}
