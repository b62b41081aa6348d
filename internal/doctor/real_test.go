package doctor

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
	"github.com/pop2imap/pop2imap/internal/wire"
)

// What real servers say is understood, nothing is wrong with them, and afterwards they have what they had before.
func TestRealServers(t *testing.T) {
	for _, kind := range real.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			s := real.Start(t, kind, nil)
			if refusals := s.Put(t, [][]byte{[]byte("Subject: a\n\na\n"), []byte("Subject: b\n\nb\n")}); len(refusals) > 0 {
				t.Fatalf("not taken: %v", refusals)
			}
			end := func(side string, port int, security wire.Security) End {
				return End{User: s.User, Secret: s.Password,
					Server: wire.Server{Host: "localhost", Port: port, Security: security, Side: side, Roots: s.Roots}}
			}
			before := s.Stored(t, "INBOX")
			marks := func(m real.Message) []string { // to log in to the maildrop is enough for Dovecot to take \Recent off
				return slices.DeleteFunc(m.Flags, func(f string) bool { return f == `\Recent` })
			}
			findings := Examine(t.Context(), Options{From: end("from", s.POP3S, wire.ImplicitTLS), To: end("to", s.IMAP, wire.StartTLS),
				Folder: "New", Key: trial.Key, State: filepath.Join(t.TempDir(), "state.db"), TwinPort: s.IMAPS})
			var checks []string
			for _, f := range findings {
				t.Logf("%s %s %s: %s", f.Level, f.End, f.Check, f.Text)
				checks = append(checks, f.End+" "+f.Check)
				if f.Level == Failure {
					t.Errorf("%s: %s", f.Check, f.Text)
				}
			}
			for _, want := range []string{" state", "from dns", "from tls", "from login", "from uidl", "from maildrop", "from twin",
				"to tls", "to login", "to folder", "to namespace", "to quota", " estimate"} {
				if !slices.Contains(checks, want) {
					t.Errorf("nothing is said of %q", want)
				}
			}
			if after := s.Stored(t, "INBOX"); len(after) != len(before) || len(after) != 2 {
				t.Errorf("%d messages, before %d", len(after), len(before))
			} else {
				for i := range after {
					if !slices.Equal(marks(after[i]), marks(before[i])) {
						t.Errorf("message %d has flags %q, before %q", i, after[i].Flags, before[i].Flags)
					}
				}
			}
		})
	}
}
