package message_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/message"
)

func TestSplit(t *testing.T) {
	for name, c := range map[string]struct{ raw, want string }{
		"nothing":                           {"", ""},
		"CRLF":                              {"A: 1\r\nB: 2\r\n\r\nbody\r\n\r\nmore", "A: 1\r\nB: 2\r\n\r\n"},
		"LF":                                {"A: 1\nB: 2\n\nbody\n\nmore", "A: 1\nB: 2\n\n"},
		"CR CR LF":                          {"A: 1\r\r\n\r\r\nbody", "A: 1\r\r\n\r\r\n"},
		"the blank line is first":           {"\r\nbody\r\n\r\n", "\r\n"},
		"no blank line":                     {"A: 1\r\nB: 2\r\n", "A: 1\r\nB: 2\r\n"},
		"cut inside a line":                 {"A: 1\r\nB:", "A: 1\r\nB:"},
		"cut inside the blank line":         {"A: 1\r\n\r", "A: 1\r\n\r"},
		"a line of blanks is not the end":   {"A: 1\r\n \t\r\nB: 2\r\n\r\nbody", "A: 1\r\n \t\r\nB: 2\r\n\r\n"},
		"CR alone ends no line":             {"A: 1\r\rB: 2\n\nbody", "A: 1\r\rB: 2\n\n"},
		"the body begins with a blank":      {"A: 1\n\n B: 2\n", "A: 1\n\n"},
		"a line that is no field is inside": {"A: 1\nno field\nB: 2\n\nbody", "A: 1\nno field\nB: 2\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := message.Split([]byte(c.raw)); string(got) != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestFields(t *testing.T) {
	long := strings.Repeat("x", 998)
	for name, c := range map[string]struct {
		header string
		want   []string // name, text, and ^ when no Received stands above
	}{
		"nothing":                        {"", nil},
		"only the blank line":            {"\r\n", nil},
		"two fields":                     {"A: 1\r\nB: 2\r\n", []string{"a=1^", "b=2^"}},
		"the last line has no end":       {"A: 1\nB: 2", []string{"a=1^", "b=2^"}},
		"nothing below the blank line":   {"A: 1\r\n\r\nB: 2\r\n", []string{"a=1^"}},
		"below it a line with a blank":   {"A: 1\r\n\r\n B: 2\r\n", []string{"a=1^"}},
		"empty values":                   {"A:\r\nB: \r\n", []string{"a=^", "b=^"}},
		"case of the name":               {"MESSAGE-Id: X\n", []string{"message-id=X^"}},
		"the same name twice":            {"A: 1\nA: 2\n", []string{"a=1^", "a=2^"}},
		"colons in the value":            {"A: b: c\n", []string{"a=b: c^"}},
		"blanks before the colon":        {"A \t: 1\n", []string{"a=1^"}},
		"folded":                         {"A: 1\r\n 2\r\n\t3\r\nB: 4\r\n", []string{"a=1 2\t3^", "b=4^"}},
		"folded before the value":        {"A:\r\n 1\r\n", []string{"a=1^"}},
		"folded with a line of blanks":   {"A: 1\r\n  \r\n 2\r\n", []string{"a=1   2^"}},
		"CR CR LF":                       {"A: 1\r\r\n 2\r\r\nB: 3\r\r\n\r\r\nC: 4", []string{"a=1 2^", "b=3^"}},
		"CR in a value":                  {"A: 1\r2\n", []string{"a=1\r2^"}},
		"NUL and 8-bit in a value":       {"A: \x00\xff\n", []string{"a=\x00\xff^"}},
		"mbox line first":                {"From me@x Mon Jan  2 15:04:05 2006\nA: 1\n", []string{"a=1^"}},
		"mbox line quoted":               {">From me@x Mon Jan  2 15:04:05 2006\nA: 1\n", []string{"a=1^"}},
		"a line without a colon":         {"A: 1\nno field\nB: 2\n", []string{"a=1^", "b=2^"}},
		"and the line that continues it": {"A: 1\nno field\n C: 3\nB: 2\n", []string{"a=1^", "b=2^"}},
		"continuation first":             {" A: 1\nB: 2\n", []string{"b=2^"}},
		"no name":                        {": 1\nB: 2\n", []string{"b=2^"}},
		"BOM before the name":            {"\xef\xbb\xbfA: 1\nB: 2\n", []string{"b=2^"}},
		"8-bit in the name":              {"\xc4: 1\nB: 2\n", []string{"b=2^"}},
		"blank in the name":              {"A B: 1\nB: 2\n", []string{"b=2^"}},
		"DEL in the name":                {"A\x7f: 1\nB: 2\n", []string{"b=2^"}},
		"colon on the second line only":  {"A\n : 1\nB: 2\n", []string{"b=2^"}},
		"name of a whole line":           {long + ": 1\n", []string{long + "=1^"}},
		"name longer than a line":        {long + "x: 1\nB: 2\n", []string{"b=2^"}},
		"below Received": {
			"A: 1\nReceived: x\nB: 2\nRECEIVED : y\nC: 3\n",
			[]string{"a=1^", "received=x^", "b=2", "received=y", "c=3"},
		},
		"a name that begins like Received": {"Received-SPF: x\nA: 1\n", []string{"received-spf=x^", "a=1^"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for f := range message.Fields([]byte(c.header)) {
				above := ""
				if f.Above {
					above = "^"
				}
				got = append(got, f.Name+"="+f.Text()+above)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestFieldValueIsAsItStands(t *testing.T) {
	for f := range message.Fields([]byte("A:  1 \r\n\t2\r\nB: 3")) {
		want := map[string]string{"a": "  1 \r\n\t2\r\n", "b": " 3"}[f.Name]
		if string(f.Value) != want {
			t.Errorf("value of %s: got %q, want %q", f.Name, f.Value, want)
		}
	}
}

func TestFieldsStopsWhenTold(t *testing.T) {
	count := 0
	for range message.Fields([]byte("A: 1\nB: 2\nC: 3\n")) {
		if count++; count == 2 {
			break
		}
	}
	if count != 2 {
		t.Errorf("got %d fields, want 2", count)
	}
}

func TestTextEndsAt16KiB(t *testing.T) {
	for name, value := range map[string]string{
		"one line":   strings.Repeat("x", 20000),
		"many lines": strings.Repeat("x\r\n ", 20000),
	} {
		t.Run(name, func(t *testing.T) {
			for f := range message.Fields([]byte("A:" + value + "\r\n")) {
				text := f.Text()
				if whole := strings.ReplaceAll(value, "\r\n", ""); len(text) > 16384 || len(text) < 16383 ||
					!strings.HasPrefix(whole, text) {
					t.Errorf("got %d octets, want the first 16384", len(text))
				}
			}
		})
	}
}

func TestID(t *testing.T) {
	for name, c := range map[string]struct{ header, want string }{
		"nothing":                   {"", ""},
		"no such field":             {"Subject: x\n", ""},
		"ordinary":                  {"Subject: x\r\nMessage-ID: <a@b>\r\n\r\n", "<a@b>"},
		"case of the name":          {"MESSAGE-id: <a@b>\n", "<a@b>"},
		"case of the text is kept":  {"Message-ID: <A@b.Example>\n", "<A@b.Example>"},
		"folded":                    {"Message-ID:\r\n <a@b>\r\n", "<a@b>"},
		"no angle brackets":         {"Message-ID: a@b\n", "a@b"},
		"two at signs":              {"Message-ID: <a@b@c>\n", "<a@b@c>"},
		"blank inside":              {"Message-ID: <a b@c>\n", "<a b@c>"},
		"8-bit":                     {"Message-ID: <\xe4@b>\n", "<\xe4@b>"},
		"two, the topmost":          {"Message-ID: <1@b>\nMessage-ID: <2@b>\n", "<1@b>"},
		"the topmost is empty":      {"Message-ID: \nMessage-ID: <2@b>\n", "<2@b>"},
		"only in the body":          {"Subject: x\n\nMessage-ID: <a@b>\n", ""},
		"of another message":        {"X-Message-ID: <a@b>\nResent-Message-ID: <c@d>\n", ""},
		"after a line out of place": {"From me Mon Jan\nno field\nMessage-ID: <a@b>\n", "<a@b>"},
		"longer than a line":        {"Message-ID: " + strings.Repeat("x", 2000) + "\n", strings.Repeat("x", 998)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := message.ID([]byte(c.header)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Headers for the fuzzers to begin with.
var seeds = []string{
	"",
	"\r\n",
	"A: 1\r\n 2\r\n\r\nbody",
	"Received: by x; Mon, 2 Jan 2006 15:04:05 -0700 (MST)\nStatus: RO\n\n",
	"Status: RO\r\nX-Status: AF\r\nMessage-ID: <a@b>\r\nDate: 2 Jan 06 15:04 EST\r\n",
	"From me\n A: 1\n: \n\r\r\n B: 2",
}

func FuzzFields(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		header := message.Split(raw)
		if !bytes.HasPrefix(raw, header) {
			t.Fatalf("header %q is no prefix of %q", header, raw)
		}
		if again := message.Split(header); !bytes.Equal(again, header) {
			t.Errorf("header %q splits again into %q", header, again)
		}
		checkFields(t, raw, header)
		checkFingerprint(t, raw)
		checkRewrites(t, raw)
	})
}

// checkFields holds the fields against the contract of Fields.
func checkFields(t *testing.T, raw, header []byte) {
	t.Helper()
	above, rest := true, header
	for f := range message.Fields(raw) {
		name, text := []byte(f.Name), f.Text()
		if len(name) == 0 || bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }) ||
			!bytes.Equal(name, bytes.ToLower(name)) {
			t.Errorf("name %q", name)
		}
		if f.Above != above {
			t.Errorf("%s: above is %v", name, f.Above)
		}
		above = above && f.Name != "received"
		_, after, found := bytes.Cut(rest, f.Value)
		if !found {
			t.Errorf("value %q of %s is not in the rest of the header, %q", f.Value, name, rest)
		}
		rest = after
		if strings.Contains(text, "\n") || len(text) > 16384 || text != strings.Trim(text, " \t\r") {
			t.Errorf("text %q of %s", text, name)
		}
	}
}
