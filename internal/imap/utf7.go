package imap

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
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
