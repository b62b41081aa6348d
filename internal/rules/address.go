package rules

import (
	"strings"

	"github.com/pop2imap/pop2imap/internal/message"
)

// An address is one of RFC 5322 §3.4.1, in lower case. Without a local part it is that of all in its domain.
type address struct{ local, domain string }

// cutAddress cuts a word at its last @.
func cutAddress(word string) (a address, ok bool) {
	at := strings.LastIndexByte(word, '@')
	if at < 0 || at == len(word)-1 {
		return address{}, false
	}
	return address{asciiLower(word[:at]), asciiLower(word[at+1:])}, true
}

// covers says whether the other is a, or in its domain.
func (a address) covers(other address) bool {
	return other.domain == a.domain && (a.local == "" || other.local == a.local)
}

// addresses gives the addresses in the value of a field such as From (RFC 5322 §3.4), and in one that is written in
// another way whatever looks like one: of each part between commas what stands in <>, else its words with an @. What is
// quoted or in comments is passed over: it is a name, and may show the address of someone else.
func addresses(text string) (list []address) {
	parts := strings.FieldsFunc(bare(text), func(c rune) bool { return c == ',' || c == ';' })
	for _, part := range parts {
		if open := strings.LastIndexByte(part, '<'); open >= 0 {
			part = part[open+1:]
		}
		part, _, _ = strings.Cut(part, ">")
		for word := range strings.FieldsSeq(part) {
			word = word[strings.LastIndexByte(word, ':')+1:] // after the name of a group, or a route
			if a, ok := cutAddress(word); ok && a.local != "" {
				list = append(list, a)
			}
		}
	}
	return list
}

// bare puts a blank for each comment, and " for each quoted string (RFC 5322 §3.2.2, §3.2.4). One that nothing closes
// hides nothing: from there on the text stays as it is, but for quotes.
func bare(text string) string {
	var out strings.Builder
	for text != "" {
		at := strings.IndexAny(text, `"(`)
		if at < 0 {
			break
		}
		out.WriteString(text[:at])
		text = text[at:]
		put, sizeOf := " ", message.CommentSize
		if text[0] == '"' {
			put, sizeOf = `"`, quotedSize
		}
		size := sizeOf(text)
		if size == 0 {
			out.WriteString(strings.ReplaceAll(text, `"`, " "))
			return out.String()
		}
		out.WriteString(put)
		text = text[size:]
	}
	out.WriteString(text)
	return out.String()
}

// quotedSize is the length of the quoted string that text begins with, in octets. 0 means that it has no end.
func quotedSize(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// asciiLower leaves other letters alone: there are some whose small letter is an ASCII one.
func asciiLower(text string) string {
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, text)
}
