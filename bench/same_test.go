package bench

import (
	"bytes"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab/real"
)

// What is measured has to be a move: each program stores the same octets, in the same order.
func TestProgramsMoveEveryOctet(t *testing.T) {
	from := startSource(t, mixed(30))
	want := from.Stored(t, "INBOX")
	for _, c := range []struct {
		program
		way
	}{
		{theNaive, way{real.Options{}, 0}},
		{theFloor, way{real.Options{}, 10 * ms}},
		{theFloor, way{real.Options{Format: "mdbox", Capability: noMulti}, 0}},
	} {
		t.Run(c.name+" "+c.way.String(), func(t *testing.T) {
			r := lay(t, from, c.options, c.roundTrip)
			u := c.run(t, r)
			if u.Wall <= 0 || u.CPU <= 0 || u.Peak <= 0 {
				t.Errorf("usage is %+v", u)
			}
			got := r.to.Stored(t, r.Folder)
			if len(got) != len(want) {
				t.Fatalf("%d messages, want %d", len(got), len(want))
			}
			for i := range want {
				if !bytes.Equal(got[i].Raw, want[i].Raw) {
					t.Errorf("message %d has %d octets, want %d (or other ones)", i, len(got[i].Raw), len(want[i].Raw))
				}
			}
		})
	}
}
