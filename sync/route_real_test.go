package sync_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/imap"
	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// into makes a real server the destination.
func into(t *testing.T, s *real.Server) func(*sync.Options) {
	at := wire.Server{Host: "127.0.0.1", Port: s.IMAPS, Side: "to", Roots: s.Roots}
	return func(o *sync.Options) {
		o.To = func(ctx context.Context) (sync.Destination, error) {
			d, err := imap.Dial(ctx, at, imap.Login{User: s.User, Password: s.Password})
			if err != nil {
				return nil, err
			}
			return d, nil
		}
	}
}

// inTheServersWords are the three folders as each server writes them.
var inTheServersWords = map[real.Kind]map[string]string{
	real.Dovecot: {"INBOX": "a", "Sent": "s", "Lists.Go": "l"},
	real.Cyrus:   {"INBOX": "a", "Sent": "s", "Lists/Go": "l"},
	real.Courier: {"INBOX": "a", "INBOX.Sent": "s", "INBOX.Lists.Go": "l"},
}

// TestSeveralFoldersAtRealServers routes messages to three folders, in order and octet for octet; the second run and
// one whose state was lost copy nothing, and what is proved is deleted.
func TestSeveralFoldersAtRealServers(t *testing.T) {
	for _, kind := range real.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			all := three(300)
			if kind == real.Courier { // each message has to be asked for
				all = three(15)
			}
			s := real.Start(t, kind, nil)
			to := into(t, s)
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, all...)
			says := func(format string) string { return fmt.Sprintf(strings.ReplaceAll(format, "#", "%[1]d"), len(all)) }
			w.wants(w.run(routed, to), says("# listed, # new, # copied"))
			w.wants(w.run(routed, to), says("# listed, # known"))
			memory := w.Dir
			w.Dir += "2"
			w.wants(w.run(routed, to), says("# listed, # new, # recognised"))
			w.Dir = memory
			w.wants(w.run(routed, to, func(o *sync.Options) { o.Delete.On = true }), says("# listed, # known"))
			if left := w.POP.Mail(); len(left) != 0 {
				t.Errorf("%d are left in the maildrop", len(left))
			}
			for folder, prefix := range inTheServersWords[kind] {
				got, want := s.Stored(t, folder), of(all, prefix)
				if len(got) != len(want) {
					t.Errorf("%s has %d messages, want %d", folder, len(got), len(want))
					continue
				}
				for i := range got {
					if !bytes.Equal(got[i].Raw, want[i].Raw) {
						t.Errorf("%s, message %d: got %.60q, want %.60q", folder, i, got[i].Raw, want[i].Raw)
					}
				}
			}
		})
	}
}

// Where all names begin with "INBOX." a folder has two of them, and is one folder to the memory: a copy does not count for
// two messages, whichever name a rule or an old state has.
func TestTwoNamesOfOneFolder(t *testing.T) {
	s := real.Start(t, real.Courier, nil)
	a, again := mail("a"), as(mail("a"), "again")
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, a)
	under := func(folder string) func(*sync.Options) {
		return func(o *sync.Options) {
			o.Place = func([]byte, int64, message.Inference) sync.Placement { return sync.Placement{Folder: folder} }
		}
	}
	w.wants(w.run(under("INBOX/Lists"), into(t, s)), "1 listed, 1 new, 1 copied")
	w.Edit("UPDATE record SET folder = 'INBOX/Lists'") // as versions did that took a name as it came
	w.POP.SetMail([]lab.Mail{a, again})
	w.wants(w.run(under("Lists"), into(t, s)), "2 listed, 1 known, 1 new, 1 copied")
	w.POP.SetMail([]lab.Mail{a, again, as(mail("a"), "once more")})
	w.wants(w.run(under("INBOX/Lists"), into(t, s)), "3 listed, 2 known, 1 new, 1 copied")
	if got := len(s.Stored(t, "INBOX.Lists")); got != 3 {
		t.Errorf("got %d messages, want 3", got)
	}
	for _, rec := range w.Records() {
		if rec.Folder != "INBOX/Lists" {
			t.Errorf("%s is in %q, want the name that the folder has had", rec.UIDL, rec.Folder)
		}
	}
}

// So it is when the account itself is given the other name of its folder, also if it is not known where a copy is.
func TestAnAccountCallsItsFolderByAnotherName(t *testing.T) {
	for name, memory := range map[string]string{"known UID": "", "unknown UID": "UPDATE record SET uid = 0, phase = 'stored'",
		"UIDVALIDITY of before": "UPDATE record SET uidvalidity = uidvalidity + 1"} {
		t.Run(name, func(t *testing.T) {
			s := real.Start(t, real.Courier, nil)
			a, again := mail("a"), as(mail("a"), "again")
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, a)
			called := func(folder string) func(*sync.Options) { return func(o *sync.Options) { o.Folder = folder } }
			w.wants(w.run(called("INBOX/Lists"), into(t, s)), "1 listed, 1 new, 1 copied")
			w.Edit(memory)
			w.POP.SetMail([]lab.Mail{a, again})
			w.wants(w.run(called("Lists"), into(t, s)), "2 listed, 1 known, 1 new, 1 copied")
			if got := len(s.Stored(t, "INBOX.Lists")); got != 2 {
				t.Errorf("got %d messages, want 2", got)
			}
		})
	}
}
