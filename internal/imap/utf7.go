package imap

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// utf7 is the alphabet of mailbox names outside ASCII (RFC 3501 §5.1.3).
var utf7 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").
	WithPadding(base64.NoPadding)

// encodeName writes a mailbox name in modified UTF-7. The result is printable ASCII.
func encodeName(name string) string {
	var out strings.Builder
	var wide []rune // not yet written
	flush := func() {
		if len(wide) == 0 {
			return
		}
		var octets []byte
		for _, u := range utf16.Encode(wide) {
			octets = append(octets, byte(u>>8), byte(u))
		}
		out.WriteString("&" + utf7.EncodeToString(octets) + "-")
		wide = nil
	}
	for _, r := range name {
		switch {
		case r < ' ' || r > '~':
			wide = append(wide, r)
			continue
		case r == '&':
			flush()
			out.WriteString("&-")
		default:
			flush()
			out.WriteRune(r)
		}
	}
	flush()
	return out.String()
}

// decodeName is the inverse of encodeName, and takes nothing else: a name that is written in another way cannot be
// written back as the server knows it.
func decodeName(coded string) (name string, ok bool) {
	var out strings.Builder
	for rest := coded; rest != ""; {
		before, shifted, found := strings.Cut(rest, "&")
		out.WriteString(before)
		if !found {
			break
		}
		wide, after, _ := strings.Cut(shifted, "-")
		rest = after
		if wide == "" {
			out.WriteByte('&')
			continue
		}
		octets, err := utf7.DecodeString(wide)
		if err != nil {
			return "", false
		}
		var units []uint16
		for ; len(octets) >= 2; octets = octets[2:] {
			units = append(units, uint16(octets[0])<<8|uint16(octets[1]))
		}
		out.WriteString(string(utf16.Decode(units)))
	}
	name = out.String()
	return name, utf8.ValidString(name) && encodeName(name) == coded
}
