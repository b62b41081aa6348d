package cuts

import (
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
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
	w.fails(w.Run())
	w.ends(w.Run())
	w.Holds(three...)
	w.POP.SetMail(append(three[:3:3], trial.As(mail("a"), "d")))
	w.ends(w.Run())
	w.Holds(append(three[:3:3], mail("a"))...)
	w.changesNothing()
}
