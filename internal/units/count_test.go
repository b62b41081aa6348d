package units

import "testing"

func TestPlural(t *testing.T) {
	for n, want := range map[int]string{0: "0 messages", 1: "1 message", 2: "2 messages", 4812: "4,812 messages"} {
		if got := Plural(n, "message"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
