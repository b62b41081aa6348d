package message_test

import (
	"bytes"
	"testing"

	"github.com/pop2imap/pop2imap/internal/message"
	"pgregory.net/rapid"
)

func TestTrailingStatus(t *testing.T) {
	for name, c := range map[string]struct {
		header, value, rest string
		ok                  bool
	}{
		"read":                    {"A: 1\r\nStatus: RO\r\n\r\n", "RO", "A: 1\r\n\r\n", true},
		"old":                     {"A: 1\r\nStatus:  O\r\n\r\n", "O", "A: 1\r\n\r\n", true},
		"read, not old":           {"A: 1\r\nStatus: R \r\n\r\n", "R", "A: 1\r\n\r\n", true},
		"new":                     {"A: 1\r\nStatus:   \r\n\r\n", "", "A: 1\r\n\r\n", true},
		"the only field":          {"Status: RO\r\n\r\n", "RO", "\r\n", true},
		"by TOP, no blank line":   {"A: 1\r\nStatus: RO\r\n", "RO", "A: 1\r\n", true},
		"no line end":             {"A: 1\nStatus: RO", "RO", "A: 1\n", true},
		"LF":                      {"A: 1\nStatus: RO\n\n", "RO", "A: 1\n\n", true},
		"with a body":             {"A: 1\r\nStatus: RO\r\n\r\nbody", "RO", "A: 1\r\n\r\n", true},
		"one of the sender, too":  {"Status: R\r\nStatus: O\r\n\r\n", "O", "Status: R\r\n\r\n", true},
		"behind a folded field":   {"A: 1\r\n 2\r\nStatus: RO\r\n\r\n", "RO", "A: 1\r\n 2\r\n\r\n", true},
		"nothing":                 {"", "", "", false},
		"blank line":              {"\r\n", "", "", false},
		"not the last":            {"Status: RO\r\nA: 1\r\n\r\n", "", "", false},
		"another last":            {"A: 1\r\n\r\n", "", "", false},
		"other letters":           {"A: 1\r\nStatus: ROD\r\n\r\n", "", "", false},
		"a delivery status":       {"A: 1\r\nStatus: 5.1.1\r\n\r\n", "", "", false},
		"folded":                  {"A: 1\r\nStatus:\r\n RO\r\n\r\n", "", "", false},
		"a line that is no field": {"A: 1\r\nStatus: RO\r\nx\r\n\r\n", "", "", false},
		"in the body":             {"A: 1\r\n\r\nStatus: RO\r\n", "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			before := []byte(c.header)
			value, rest, ok := message.TrailingStatus(before)
			if value != c.value || string(rest) != c.rest || ok != c.ok {
				t.Errorf("got %q %q %v, want %q %q %v", value, rest, ok, c.value, c.rest, c.ok)
			}
			if string(before) != c.header {
				t.Errorf("the header became %q", before)
			}
		})
	}
}

// Whatever the header: with the line of the server it gives itself back, and has the same fingerprint.
func TestTrailingStatusComesOffAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		header := []byte(foreignHeader(t))
		status := rapid.SampledFrom([]string{"RO", " O", "R ", "  "}).Draw(t, "status")
		served := append(bytes.Clone(header), "Status: "+status+"\r\n\r\n"...)
		_, rest, ok := message.TrailingStatus(served)
		if want := append(bytes.Clone(header), "\r\n"...); !ok || !bytes.Equal(rest, want) {
			t.Fatalf("got %q %v, want %q", rest, ok, want)
		}
		if message.Fingerprint(served) != message.Fingerprint(rest) {
			t.Fatal("the fingerprints differ")
		}
	})
}

func TestServerStatus(t *testing.T) {
	const seen = `\Seen by Status: R, by the server`
	check(t, message.Facts{ServerStatus: true, Accessed: true}, map[string]golden{
		"read":                        {received + "Status: RO\n\n", says{seen}},
		"unread, though LAST says so": {received + "Status: O\n\n", says{`not \Seen by LAST: Status says that it was not read`}},
		"new, though LAST says so":    {received + "Status:  \n\n", says{`not \Seen by LAST: Status says that it was not read`}},
		"the sender's stands above":   {received + "Status: R\nStatus: O\n\n", says{`not \Seen by Status: R: ` + forgeable, `not \Seen by LAST: Status says that it was not read`}},
		"it is not the last":          {received + "Status: R\nX: 1\n\n", says{`not \Seen by Status: R: ` + forgeable, `\Seen by LAST`}},
		"other letters":               {received + "Status: ROD\n\n", says{`not \Seen by Status: R: ` + forgeable, `not \Deleted by Status: D: ` + forgeable, `\Seen by LAST`}},
	})
	check(t, message.Facts{}, map[string]golden{
		"the maildrop does no such thing": {received + "Status: RO\n\n", says{`not \Seen by Status: R: ` + forgeable}},
	})
}
