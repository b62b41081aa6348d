package message_test

import (
	"slices"
	"testing"

	"github.com/pop2imap/pop2imap/internal/message"
)

func TestFlags(t *testing.T) {
	seen := message.Flag{Name: `\Seen`, Why: "Status: R"}
	answered := message.Flag{Name: `\Answered`, Why: "X-Status: A"}
	flagged := message.Flag{Name: `\Flagged`, Why: "X-Status: F"}
	draft := message.Flag{Name: `\Draft`, Why: "X-Status: T"}
	type flags = []message.Flag
	both, allThree := flags{seen, answered}, flags{draft, flagged, answered}
	const received = "Received: by mx.example; Mon, 2 Jan 2006 15:04:05 -0700\n"
	for name, c := range map[string]struct {
		header    string
		want      flags // without trust
		whenTrust flags
	}{
		"nothing":                       {"", nil, nil},
		"no such field":                 {received + "Subject: x\n", nil, nil},
		"forged below Received":         {received + "Status: RO\nX-Status: AF\n", nil, flags{seen, answered, flagged}},
		"added above Received":          {"Status: RO\n" + received, flags{seen}, flags{seen}},
		"between two Received":          {received + "Status: R\n" + received, nil, flags{seen}},
		"one added, one forged":         {"Status: R\n" + received + "X-Status: F", flags{seen}, flags{seen, flagged}},
		"never travelled":               {"Subject: x\nStatus: RO\nX-Status: A\n", both, both},
		"Received without a date":       {"Received: x\nStatus: R\n", nil, flags{seen}},
		"Received in the body only":     {"Status: R\n\n" + received, flags{seen}, flags{seen}},
		"Status in the body only":       {"Subject: x\n\nStatus: R\n", nil, nil},
		"old, not read":                 {"Status: O\n", nil, nil},
		"new":                           {"Status: N\n", nil, nil},
		"unread":                        {"Status: U\n", nil, nil},
		"letters in another order":      {"Status: OR\n", flags{seen}, flags{seen}},
		"blanks between the letters":    {"Status: R O\n", flags{seen}, flags{seen}},
		"the empty Status of UW":        {"Status:   \n", nil, nil},
		"deleted is never taken over":   {"Status: RD\nX-Status: D\n", flags{seen}, flags{seen}},
		"replied as mutt wrote it":      {"Status: r\n", nil, nil},
		"a delivery status (RFC 3464)":  {"Status: 5.1.1\n", nil, nil},
		"a word that has the letters":   {"Status: Read\nX-Status: AFFECTED\n", nil, nil},
		"a word between the letters":    {"Status: R x R\n", nil, nil},
		"letter of the other field":     {"Status: A\nX-Status: R\n", nil, nil},
		"X-Status of KMail":             {"X-Status: RT\n", nil, nil},
		"all of X-Status":               {"X-Status: TFA\n", allThree, allThree},
		"X-Status in small letters":     {"X-Status: f\n", nil, nil},
		"name in small letters":         {"x-status: F\n", flags{flagged}, flags{flagged}},
		"the same letter twice":         {"Status: RR\n", flags{seen}, flags{seen}},
		"the same field twice":          {"Status: R\nStatus: RO\n", flags{seen}, flags{seen}},
		"two fields that disagree":      {"Status: O\nStatus: R\n", flags{seen}, flags{seen}},
		"8-bit octets":                  {"Status: R\xff\n", nil, nil},
		"the line ends with CRLF":       {"Status: RO\r\nX-Status: F\r\n", flags{seen, flagged}, flags{seen, flagged}},
		"after a line that is no field": {"From me Mon Jan\nStatus: R\n", flags{seen}, flags{seen}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := message.Flags([]byte(c.header), false); !slices.Equal(got, c.want) {
				t.Errorf("without trust: got %q, want %q", got, c.want)
			}
			if got := message.Flags([]byte(c.header), true); !slices.Equal(got, c.whenTrust) {
				t.Errorf("with trust: got %q, want %q", got, c.whenTrust)
			}
		})
	}
}

// checkFlags holds that each flag comes once, that trust only adds, and that a Received on top leaves none.
func checkFlags(t *testing.T, raw []byte) {
	t.Helper()
	believed, all := message.Flags(raw, false), message.Flags(raw, true)
	if len(believed) > len(all) || !slices.Equal(believed, all[:len(believed)]) {
		t.Errorf("without trust %q, with it %q", believed, all)
	}
	names := map[string]bool{}
	for _, flag := range all {
		names[flag.Name] = true
	}
	if len(names) != len(all) {
		t.Errorf("a flag comes twice: %q", all)
	}
	if forged := message.Flags(append([]byte("Received: x\r\n"), raw...), false); len(forged) > 0 {
		t.Errorf("believed below a Received: %q", forged)
	}
}
