package trial

import (
	"bytes"
	"testing"
)

// What is not a whole line a server would end in its own way.
func TestSized(t *testing.T) {
	m := Mail("a")
	for n := len(m.Raw) + 2; n < len(m.Raw)+300; n++ {
		raw := Sized(m, n).Raw
		if len(raw) != n || !bytes.HasPrefix(raw, m.Raw) || !bytes.HasSuffix(raw, []byte("\r\n")) {
			t.Fatalf("of %d octets: %d, %q", n, len(raw), raw)
		}
	}
	if raw := Sized(m, len(m.Raw)).Raw; !bytes.Equal(raw, m.Raw) {
		t.Errorf("as it is: %q", raw)
	}
}
