package message

import (
	"slices"
	"strings"
)

// maxKeyword is how long a keyword may be, in octets: Dovecot takes no longer ones.
const maxKeyword = 50

// Names of one keyword in different clients, in lower case, and the one that is registered (IANA, IMAP and JMAP
// Keywords) or that most know.
var aliases = map[string]string{
	"junk": "$Junk", "$junk": "$Junk",
	"nonjunk": "$NotJunk", "notjunk": "$NotJunk", "$nonjunk": "$NotJunk", "$notjunk": "$NotJunk",
	"forwarded": "$Forwarded", "$forwarded": "$Forwarded",
	"mdnsent": "$MDNSent", "$mdnsent": "$MDNSent",
	"$phishing": "$Phishing", "$important": "$Important",
	"$label1": "$label1", "$label2": "$label2", "$label3": "$label3", "$label4": "$label4", "$label5": "$label5",
}

// isKeyword says whether IMAP can write the word as a flag-keyword (RFC 9051 §9: an atom), and a server may take it.
func isKeyword(word string) bool {
	if word == "" || len(word) > maxKeyword {
		return false
	}
	for _, c := range []byte(word) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`(){%*"\]`, c) >= 0 {
			return false
		}
	}
	return true
}

// keyword takes over a keyword. What the user's client holds to be junk or not is a verdict on spam as well.
func (r *reading) keyword(word, said string) {
	name, known := aliases[strings.ToLower(word)]
	if !known {
		name = word
	}
	what := name
	if !known {
		what = "keyword"
	}
	switch {
	case !isKeyword(name), strings.Contains(name, "@"): // it may be an address, and flags are reported
		r.doubt(what, said, "cannot be a keyword")
	case !r.believed:
		r.doubt(what, said, senders)
	case name == "$Junk" || name == "$Phishing":
		r.spam.add(verdict{said: said, sure: true, phish: name == "$Phishing", spam: true})
	default:
		r.give(name, said)
	}
}

// words splits a list of keywords at blanks (UW, Dovecot, Thunderbird) and commas (mox).
func words(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == '\t' || c == ',' })
}

func (r *reading) keywordList(field, text string) {
	for _, word := range words(text) {
		r.keyword(word, field)
	}
}

// label reads the label of mutt, which is any text.
func (r *reading) label(field, text string) {
	if text != "" {
		r.keyword(text, field)
	}
}

// xKeywords waits for the end of the header, where it is known which keywords the mailbox has.
func (r *reading) xKeywords(field, text string) {
	if !r.believed {
		r.keywordList(field, text)
	} else if len(r.keywords) < maxFlags {
		r.keywords = append(r.keywords, words(text)...)
	}
}

// imapBase reads the first message of an mbox: UIDVALIDITY, the last UID, and the keywords of the mailbox.
func (r *reading) imapBase(_, text string) {
	if list := words(text); r.believed && len(list) >= 2 {
		r.hasBase, r.base = true, list[2:]
	}
}

// mailboxKeywords takes over X-Keywords. Where the header names the keywords of the mailbox, others are not believed, as
// Dovecot does it.
func (r *reading) mailboxKeywords() {
	r.believed = true
	for _, word := range r.keywords {
		if r.hasBase && !slices.Contains(r.base, word) {
			r.doubt("keyword", "X-Keywords", "X-IMAPbase does not have it")
			continue
		}
		r.keyword(word, "X-Keywords")
	}
}
