package imap

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/pop2imap/pop2imap/internal/lab/check"
)

func TestNamesInModifiedUTF7(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"", ""},
		{"INBOX", "INBOX"},
		{"~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"}, // RFC 3501 §5.1.3
		{"Entwürfe", "Entw&APw-rfe"},
		{"&", "&-"},
		{"a&b&&c", "a&-b&-&-c"},
		{"&ü&", "&-&APw-&-"},
		{"ü-", "&APw--"},
		{"Jetzt!", "Jetzt!"},
		{"\x7f", "&AH8-"},
		{"\t", "&AAk-"},
		{"😀", "&2D3eAA-"}, // a surrogate pair
		{"a😀ü", "a&2D3eAAD8-"},
		{`"quoted\`, `"quoted\`},
	} {
		check.Equal(t, c.name, encodeName(c.name), c.want)
		got, ok := decodeName(c.want)
		check.Equal(t, c.want, ok, true)
		check.Equal(t, c.want, got, c.name)
	}
}

// What is written in another way than we do it cannot be named by us.
func TestNamesThatAreNotModifiedUTF7(t *testing.T) {
	for _, coded := range []string{"&", "a&", "&APw", "&A-", "&AAAAA-", "&AGE-", "&APw-&APw-", "&2D0-", "&AP/-", "Entwürfe",
		"\xff", "a\x01", "&APx-", "&=-"} {
		if name, ok := decodeName(coded); ok {
			t.Errorf("%q: got %q", coded, name)
		}
	}
}

func FuzzNamesFromServers(f *testing.F) {
	for _, coded := range []string{"", "INBOX", "&-", "&APw-", "&2D3eAA-", "&AGE-", "&APw-&APw-", "\xff", "&A"} {
		f.Add(coded)
	}
	f.Fuzz(func(t *testing.T, coded string) {
		if name, ok := decodeName(coded); ok {
			check.Equal(t, name, encodeName(name), coded)
		}
	})
}

// apart is the inverse, written apart.
func apart(t *testing.T, s string) string {
	var out strings.Builder
	for s != "" {
		before, rest, shifted := strings.Cut(s, "&")
		out.WriteString(before)
		if !shifted {
			break
		}
		wide, after, closed := strings.Cut(rest, "-")
		s = after
		if wide == "" && closed {
			out.WriteByte('&')
			continue
		}
		octets, err := utf7.DecodeString(wide)
		if err != nil || !closed || len(octets)%2 != 0 {
			t.Fatalf("%q in %q: %v", wide, s, err)
		}
		var units []uint16
		for i := 0; i < len(octets); i += 2 {
			units = append(units, uint16(octets[i])<<8|uint16(octets[i+1]))
		}
		out.WriteString(string(utf16.Decode(units)))
	}
	return out.String()
}

func FuzzNames(f *testing.F) {
	for _, name := range []string{"", "&", "ü&ü", "a😀b", "&-", "\x00\x7f", "日本語/台北"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !utf8.ValidString(name) {
			t.Skip("names are UTF-8; raw refuses others")
		}
		coded := encodeName(name)
		check.Equal(t, coded, apart(t, coded), name)
		if got, ok := decodeName(coded); !ok || got != name {
			t.Errorf("%q: got %q, %t, want %q", coded, got, ok, name)
		}
		if _, ok := quote(coded); !ok {
			t.Errorf("%q is not printable ASCII", coded)
		}
		if strings.Contains(strings.ReplaceAll(coded, "&-", "+"), "-&") && !strings.Contains(name, "-") {
			t.Errorf("%q has two shifts in a row (RFC 3501 §5.1.3)", coded)
		}
	})
}
