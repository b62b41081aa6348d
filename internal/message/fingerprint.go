package message

import (
	"bytes"
	"crypto/sha256"
	"strings"
)

// Fields that servers add, change or hide from one session to the next, in lower case: the set that Dovecot's POP3
// migration settled on. Those that begin with "x-mozilla-" are left out as well.
var unsteady = map[string]bool{
	"content-length":          true,
	"return-path":             true,
	"status":                  true,
	"x-imap":                  true,
	"x-imapbase":              true,
	"x-keywords":              true,
	"x-message-flag":          true,
	"x-status":                true,
	"x-uid":                   true,
	"x-uidl":                  true,
	"x-yahoo-newman-property": true,
}

// Fingerprint is a SHA-256 over the lines of a header that stay the same from session to session, whether they came by
// TOP or by RETR, with the blank line or without, and when a server stores them. Left out are the unsteady fields, lines
// that are no field, blank continuation lines, and every CR (Courier drops those that no LF follows). NUL and octets of
// 0x80 and above count as X: Dovecot makes 0x80 of the one, Cyrus X of the other. That is done before the fields are
// told apart, since it makes a field of a line whose name is not ASCII.
//
// Records hold fingerprints for good: another way to compute it makes every known message look new after a UIDL reset.
// Two messages may share one; all messages without a header do.
func Fingerprint(header []byte) [32]byte {
	hash := sha256.New()
	for f := range Fields(steadyHeader(header)) {
		if unsteady[f.Name] || strings.HasPrefix(f.Name, "x-mozilla-") {
			continue
		}
		for line := range bytes.Lines(f.lines) {
			if line = chomp(line); len(bytes.Trim(line, blanks)) > 0 {
				hash.Write(line)
				hash.Write([]byte{'\n'})
			}
		}
	}
	return [32]byte(hash.Sum(nil))
}

// steadyHeader is a copy of the header as any server may have stored it.
func steadyHeader(header []byte) []byte {
	header = Split(header)
	kept := make([]byte, 0, len(header))
	for _, c := range header {
		switch {
		case c == '\r':
		case c == 0 || c >= 0x80:
			kept = append(kept, 'X')
		default:
			kept = append(kept, c)
		}
	}
	return kept
}
