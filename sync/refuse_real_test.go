package sync_test

import (
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/sync"
)

// TestTooLargeForDovecot: it says LIMIT of a message that is too large, the code of what passes by itself elsewhere. The others
// must not wait for it for ever.
func TestTooLargeForDovecot(t *testing.T) {
	s := real.Start(t, real.Dovecot, &real.Options{MaxMail: 2000})
	large := mail("b")
	large.Raw = append(large.Raw, strings.Repeat("more of it\r\n", 300)...)
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"), large, mail("c"), mail("d"))
	r := w.run(into(t, s))
	w.wants(r, "4 listed, 4 new, 3 copied, 1 refused")
	if len(r.Refusals) != 1 || r.Refusals[0].UIDL != "b" || !strings.Contains(r.Refusals[0].Server, "larger than the maximum size") {
		t.Errorf("refused: %+v", r.Refusals)
	}
	if got := len(s.Stored(t, "INBOX")); got != 3 {
		t.Errorf("got %d messages, want 3", got)
	}
	w.wants(w.run(into(t, s)), counts(sync.Report{Listed: 4, Known: 3, Quarantined: 1}))
}
