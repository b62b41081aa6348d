package cuts

import (
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// A line breaks while the UIDs of what was stored are learned. One more message with the same octets is one more message.
func TestIdenticalMessageAfterUIDsWereNotLearned(t *testing.T) {
	cuts := 0
	k := kind{imap: lab.IMAPOptions{Without: []imap.Cap{imap.CapUIDPlus},
		Hook: func(_ int, command string) lab.Fate {
			if command[:3] == "UID" && cuts == 0 {
				cuts++
				return lab.Cut
			}
			return lab.Execute
		}}}
	w := create(t, k.pop, k.imap, three...)
	w.fails(w.run())
	w.ends(w.run())
	w.holds(three...)
	w.pop.SetMail(append(three[:3:3], as(mail("a"), "d")))
	w.ends(w.run())
	w.holds(append(three[:3:3], mail("a"))...)
	w.changesNothing()
}
