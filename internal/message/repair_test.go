package message_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pop2imap/pop2imap/internal/message"
)

// repaired gives the message with those repairs, and which were needed.
func repaired(t *testing.T, raw []byte, kinds message.Repairs) (string, message.Repairs) {
	t.Helper()
	got, err := io.ReadAll(message.Repaired(bytes.NewReader(raw), kinds))
	if err != nil {
		t.Fatal(err)
	}
	needed, size, err := message.NeedsRepair(bytes.NewReader(raw), kinds)
	if err != nil || size != int64(len(got)) || (needed != 0) == bytes.Equal(got, raw) {
		t.Errorf("needs %q, size %d, %v; got %d octets of %d", needed, size, err, len(got), len(raw))
	}
	return string(got), needed
}

func TestRepair(t *testing.T) {
	const all = message.AllRepairs
	for name, c := range map[string]struct {
		kinds     message.Repairs
		raw, want string
		needed    string
	}{
		"nothing":              {all, "", "", ""},
		"nothing to repair":    {all, "A: 1\r\n 2\r\n\r\n\xff: b\r\nbody\r\n", "A: 1\r\n 2\r\n\r\n\xff: b\r\nbody\r\n", ""},
		"nothing asked":        {0, "A\x00\r\n\xff\r\n\r\n\x00", "A\x00\r\n\xff\r\n\r\n\x00", ""},
		"NUL":                  {all, "A: \x001\r\n\r\n\x00b\x00\x00c\r\n\x00", "A: 1\r\n\r\nbc\r\n", "nul"},
		"NUL, not asked":       {message.InvalidHeader, "A: \x00\r\n\r\n\x00", "A: \x00\r\n\r\n\x00", ""},
		"blanks before colon":  {all, "A \t:1\r\n", "A: \t1\r\n", "invalid-header"},
		"no field":             {all, "A: 1\r\nno field\r\n more\r\nB: 2\r\n\r\n", "A: 1\r\nX-Invalid: no field\r\n more\r\nB: 2\r\n\r\n", "invalid-header"},
		"mbox line":            {all, "From a b\r\nA: 1\r\n\r\n", "X-Invalid: From a b\r\nA: 1\r\n\r\n", "invalid-header"},
		"continuation first":   {all, " A: 1\r\nB: 2\r\n", "X-Invalid:  A: 1\r\nB: 2\r\n", "invalid-header"},
		"no field at all":      {all, "text\r\nand more\r\n", "\r\ntext\r\nand more\r\n", "invalid-header"},
		"line of blanks":       {all, "A: 1\r\n \r\nText\r\n\r\nmore\r\n", "A: 1\r\n \r\n\r\nText\r\n\r\nmore\r\n", "invalid-header"},
		"and a field after it": {all, "A: 1\r\n \r\nB: 2\r\n\r\n", "A: 1\r\n \r\nB: 2\r\n\r\n", ""},
		"and Message-ID below": {
			all, "A: 1\r\n \r\nno field\r\nMessage-ID: <a@b>\r\n\r\n",
			"A: 1\r\n \r\nX-Invalid: no field\r\nMessage-ID: <a@b>\r\n\r\n", "invalid-header",
		},
		"8-bit name":          {all, "S\xfc: 1\r\nA: 2\r\n", "X-Invalid: =?unknown-8bit?Q?S=FC=3A?= 1\r\nA: 2\r\n", "8bit-header,invalid-header"},
		"8-bit name only":     {message.Header8bit, "S\xfc: \xff\r\n", "SX: =?unknown-8bit?Q?=FF?=\r\n", "8bit-header"},
		"8-bit and no field":  {message.Header8bit, "\xfc\r\nA: b\r\n", "X\r\nA: b\r\n", "8bit-header"},
		"8-bit word":          {all, "Subject: x ä y\r\n", "Subject: x =?utf-8?Q?=C3=A4?= y\r\n", "8bit-header"},
		"8-bit words":         {all, "Subject: ä ö\r\n  ü\r\n", "Subject: =?utf-8?Q?=C3=A4?= =?utf-8?Q?_=C3=B6?=\r\n  =?utf-8?Q?__=C3=BC?=\r\n", "8bit-header"},
		"no blank before it":  {all, "Subject:ä\r\n", "Subject: =?utf-8?Q?=C3=A4?=\r\n", "8bit-header"},
		"beside encoded-word": {all, "Subject: ä =?utf-8?Q?b?= ö\r\n", "Subject: =?utf-8?Q?=C3=A4?= =?utf-8?Q?_?= =?utf-8?Q?b?= =?utf-8?Q?_=C3=B6?=\r\n", "8bit-header"},
		"quoted name":         {all, "From: \"J\\\"\xf6 B\" <a@b>\r\n", "From: =?unknown-8bit?Q?J=22=F6_B?= <a@b>\r\n", "8bit-header"},
		"name, comment": {
			all, "To: Jö<a\xff@b>, c@d (Jä)\r\n",
			"To: =?utf-8?Q?J=C3=B6?= <aX@b>, c@d (=?utf-8?Q?J=C3=A4?=)\r\n", "8bit-header",
		},
		"address":          {all, "Cc: \xff@b, \"\xff\"@c\r\n", "Cc: X@b, \"X\"@c\r\n", "8bit-header"},
		"nothing closes":   {all, "Cc: \"\xff a, <\xfe\r\n", "Cc: \" =?unknown-8bit?Q?=FF?= a, < =?unknown-8bit?Q?=FE?=\r\n", "8bit-header"},
		"Message-ID":       {all, "Message-ID: <\xff@b>\r\n", "Message-ID: <X@b>\r\n", "8bit-header"},
		"file name":        {all, "Content-Type: a/b; name=\"\xff\"\r\n", "Content-Type: a/b; name=\"X\"\r\n", "8bit-header"},
		"Content-Descript": {all, "Content-Description: \xff\r\n", "Content-Description: =?unknown-8bit?Q?=FF?=\r\n", "8bit-header"},
	} {
		t.Run(name, func(t *testing.T) {
			got, needed := repaired(t, []byte(c.raw), c.kinds)
			if got != c.want || needed.String() != c.needed {
				t.Errorf("got  %q (%s)\nwant %q (%s)", got, needed, c.want, c.needed)
			}
			if again, needed := repaired(t, []byte(got), c.kinds); again != got || needed != 0 {
				t.Errorf("again: got %q (%s)", again, needed)
			}
		})
	}
}

func TestRepairOfLongFields(t *testing.T) {
	long := strings.Repeat("xy ", 50000)
	for name, c := range map[string]struct{ raw, want string }{
		"one line":     {"A: \xff" + long + "\xff\r\nB: 1\r\n\r\nc\r\n", "A: X" + long + "X\r\nB: 1\r\n\r\nc\r\n"},
		"many lines":   {"A: 1\r\n" + strings.Repeat(" \xff\r\n", 50000) + "\r\n\xff", "A: 1\r\n" + strings.Repeat(" X\r\n", 50000) + "\r\n\xff"},
		"no field":     {"A: 1\r\n" + long + "\xff\r\n : 2\r\nB : 3\r\n", "A: 1\r\nX-Invalid: " + long + "X\r\n : 2\r\nB:  3\r\n"},
		"no end":       {"A: " + long + "\xff", "A: " + long + "X"},
		"a body of it": {"A: \xff\r\n\r\n" + long + "\xff", "A: =?unknown-8bit?Q?=FF?=\r\n\r\n" + long + "\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := repaired(t, []byte(c.raw), message.AllRepairs)
			if got != c.want {
				t.Errorf("got %.100q…, want %.100q…; %d and %d octets", got, c.want, len(got), len(c.want))
			}
		})
	}
}

// What a reader is shown is what stood there before, and each encoded-word is a good one.
func TestEncodedWordsShowTheText(t *testing.T) {
	for name, text := range map[string]string{
		"words":             "Grüße aus der Küche, äöü ÄÖÜ  und   ß?",
		"one long word":     strings.Repeat("ä€😀", 100),
		"many words":        strings.Repeat("ä b ", 100),
		"marks":             "ä=?_\"()<>@,;:\\[] ö=?=",
		"beside an encoded": "x ä =?utf-8?Q?y?= z",
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := repaired(t, []byte("Subject: "+text+"\r\n"), message.AllRepairs)
			for word := range strings.FieldsSeq(got) {
				if strings.HasPrefix(word, "=?") && (len(word) > 75 || !strings.HasSuffix(word, "?=")) {
					t.Errorf("%q is no encoded-word", word)
				}
			}
			unfolded := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(got, "Subject: "), "\r\n"), "\r\n", "")
			want := strings.ReplaceAll(text, "=?utf-8?Q?y?=", "y")
			if shown, err := new(mime.WordDecoder).DecodeHeader(unfolded); err != nil || shown != want {
				t.Errorf("shown %q, want %q: %v", shown, want, err)
			}
		})
	}
}

func TestRepairGivesTheErrorOfTheBody(t *testing.T) {
	lost := errors.New("the line is lost")
	for _, raw := range []string{"", "A: 1", "A: 1\r\n", "A: 1\r\n\r\nbody", "A: 1\r\n\r\nbo\x00"} {
		body := io.MultiReader(strings.NewReader(raw), iotest.ErrReader(lost))
		got, err := io.ReadAll(message.Repaired(body, message.AllRepairs))
		if want := strings.ReplaceAll(raw, "\x00", ""); !errors.Is(err, lost) || string(got) != want {
			t.Errorf("%q: got %q, %v", raw, got, err)
		}
	}
}

// checkRepair holds what the kinds promise, one by one and together.
func checkRepair(t *testing.T, raw []byte) {
	t.Helper()
	for _, kinds := range []message.Repairs{message.NUL, message.Header8bit, message.InvalidHeader, message.AllRepairs} {
		text, needed := repaired(t, raw, kinds)
		got := []byte(text)
		if again, more := repaired(t, got, kinds); more != 0 || again != text {
			t.Errorf("%s: repaired again for %s", kinds, more)
		}
		checkKinds(t, got, kinds)
		if id := message.ID(raw); isASCII(id) && !strings.Contains(id, "\x00") && kinds&message.NUL == 0 && message.ID(got) != id {
			t.Errorf("%s: Message-ID %q, want %q", kinds, message.ID(got), id)
		}
		before, after := len(message.Split(raw)), len(message.Split(got))
		if kinds == message.Header8bit && !bytes.Equal(got[after:], raw[before:]) {
			t.Errorf("%s: another body", kinds)
		}
		if kinds == message.InvalidHeader && len(got)-strings.Count(text, "X-Invalid: ")*11-2 > len(raw) {
			t.Errorf("%s: %d octets of %d", kinds, len(got), len(raw))
		}
		if kinds == message.NUL && !bytes.Equal(got, bytes.ReplaceAll(raw, []byte{0}, nil)) {
			t.Errorf("%s: more is changed", needed)
		}
		if len(raw) > 10000 { // an octet at a time takes too long
			continue
		}
		if piecewise, err := io.ReadAll(iotest.OneByteReader(message.Repaired(iotest.HalfReader(bytes.NewReader(raw)), kinds))); err != nil ||
			!bytes.Equal(piecewise, got) {
			t.Errorf("%s: something else in pieces: %v", kinds, err)
		}
	}
}

// checkKinds holds that what the kinds repair is not there any more.
func checkKinds(t *testing.T, got []byte, kinds message.Repairs) {
	t.Helper()
	header := message.Split(got)
	if kinds&message.NUL != 0 && bytes.IndexByte(got, 0) >= 0 {
		t.Errorf("%s: a NUL is left", kinds)
	}
	if kinds&message.Header8bit != 0 && !isASCII(string(header)) {
		t.Errorf("%s: an octet is left in %.300q", kinds, header)
	}
	if kinds&message.InvalidHeader == 0 {
		return
	}
	for line := range bytes.Lines(header) {
		name, _, found := bytes.Cut(line, []byte{':'})
		if len(bytes.TrimRight(line, "\r\n")) > 0 && line[0] != ' ' && line[0] != '\t' &&
			(!found || len(name) == 0 || bytes.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f })) {
			t.Errorf("%s: %.100q is no field", kinds, line)
		}
	}
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(c rune) bool { return c >= 0x80 }) < 0
}

func FuzzRepair(f *testing.F) {
	for _, seed := range append(seeds, "A\xff: \"\xff\x00\" <\xff>\r\n \r\nb", "To: \"ä b\" (ö) =?a?=\r\n") {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { checkRepair(t, raw) })
}

// Whoever writes a header can make nothing take much longer than its length does.
func BenchmarkRepairOfHostileHeaders(b *testing.B) {
	for name, part := range map[string]string{
		"quotes":          `"\`,
		"angle brackets":  `<`,
		"lines of blanks": "\r\nx\r\n ",
		"8-bit":           "\xff ",
	} {
		b.Run(name, func(b *testing.B) {
			raw := []byte("To: \xff" + strings.Repeat(part, 60000/len(part)) + "\r\nMessage-ID: <a@b>\r\n")
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				if _, _, err := message.NeedsRepair(bytes.NewReader(raw), message.AllRepairs); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRepair(b *testing.B) {
	raw := []byte("A: ä\r\n\r\n" + strings.Repeat(strings.Repeat("x", 76)+"\r\n", 100000))
	for _, kinds := range []message.Repairs{0, message.AllRepairs} {
		b.Run(fmt.Sprintf("%q", kinds), func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				if _, _, err := message.NeedsRepair(bytes.NewReader(raw), kinds); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
