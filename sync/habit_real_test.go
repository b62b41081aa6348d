package sync_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/real"
)

// TestKeywordsAtRealServers: Cyrus takes 100 keywords in a folder, Dovecot none of 60 letters, Courier none that is called
// NIL; and a MULTIAPPEND of more than it takes makes Cyrus drop the line. All messages arrive, octet for octet and with their
// system flags and date; only what cannot be kept is missing, and one notice says so.
func TestKeywordsAtRealServers(t *testing.T) {
	const most = 130
	all := []lab.Mail{mail(`long \Seen ` + strings.Repeat("x", 60)), mail(`nil \Seen NIL`)}
	for i := range most {
		all = append(all, mail(fmt.Sprintf(`%03d \Seen \Flagged kw%03d`, i, i)))
	}
	for kind, lost := range map[real.Kind]int{real.Dovecot: 1, real.Cyrus: len(all) - 100, real.Courier: 1} {
		t.Run(string(kind), func(t *testing.T) {
			s := real.Start(t, kind, nil)
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, all...)
			var watch watcher
			r := w.run(flagged(&watch), into(t, s))
			w.wants(r, fmt.Sprintf("%[1]d listed, %[1]d new, %[1]d copied", len(all)))
			if r.DatesIgnored {
				t.Error("its dates should be those that were given")
			}
			stored := s.Stored(t, "INBOX")
			if len(stored) != len(all) {
				t.Fatalf("%d messages, want %d", len(stored), len(all))
			}
			bare := 0
			for _, m := range stored {
				i := slices.IndexFunc(all, func(a lab.Mail) bool { return bytes.Equal(a.Raw, m.Raw) })
				if i < 0 {
					t.Fatalf("nobody sent %q", m.Raw)
				}
				want := strings.Fields(all[i].UIDL)[1:]
				if !slices.Contains(m.Flags, want[len(want)-1]) {
					want = want[:len(want)-1]
					bare++
				}
				got := slices.DeleteFunc(m.Flags, func(f string) bool { return f == `\Recent` })
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) || m.Date.Unix() != day("2025-03-03").Unix()+9*3600 {
					t.Errorf("%s: flags %q, want %q; date %v", all[i].UIDL, got, want, m.Date)
				}
			}
			if bare != lost {
				t.Errorf("%d keywords are missing, want %d", bare, lost)
			}
			said := slices.DeleteFunc(watch.Notices, func(text string) bool { return strings.Contains(text, "trying again in") })
			if len(said) != 1 || !strings.Contains(said[0], fmt.Sprintf(": %d message", lost)) {
				t.Errorf("notices: %q", said)
			}
			w.wants(w.run(flagged(&watch), into(t, s)), fmt.Sprintf("%[1]d listed, %[1]d known", len(all)))
		})
	}
}
