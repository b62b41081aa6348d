package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/internal/message"
)

// Mail with random flags, keywords and dates in a mailbox of each server, moved by POP3: with --flags-from its IMAP side
// all of them arrive.
func TestTwinOfRealServers(t *testing.T) {
	for kind, n := range map[real.Kind]int{real.Dovecot: 1000, real.Cyrus: 200, real.Courier: 200} {
		t.Run(string(kind), func(t *testing.T) {
			from, to := real.Start(t, kind, nil), real.Start(t, real.Dovecot, nil)
			strew(t, from, n)
			want := known(t, from, "INBOX")
			if len(want) != n {
				t.Fatalf("the mailbox has %d messages, want %d", len(want), n)
			}
			r := syncJSON(t, []string{"sync", "--json", "--state", filepath.Join(t.TempDir(), "state.db"),
				"--from", fmt.Sprintf("pop3s://%s@127.0.0.1:%d", from.User, from.POP3S), "--from-tls-ca", from.CA,
				"--to", fmt.Sprintf("imaps://%s@127.0.0.1:%d/Moved", to.User, to.IMAPS), "--to-tls-ca", to.CA,
				"--flags-from", fmt.Sprintf("imaps://%s@127.0.0.1:%d", from.User, from.IMAPS)}, from.Password, to.Password)
			if r.Exit != 0 || r.Copied != n {
				t.Fatalf("got exit %d, %d copied, want %d; %v", r.Exit, r.Copied, n, r.Error)
			}
			got, right := known(t, to, "Moved"), 0
			for id, w := range want {
				if g := got[id]; g.flags != w.flags || !g.date.Equal(w.date) {
					t.Errorf("%s: got %q %v, want %q %v", id, g.flags, g.date, w.flags, w.date)
					continue
				}
				right++
			}
			t.Logf("flags and dates of %d of %d messages arrived; %v", right, n, r.Flags)
		})
	}
}

// A fact is what a mailbox knows of a message.
type fact struct {
	flags string
	date  time.Time
}

// known gives the facts of a folder, by Message-ID.
func known(t *testing.T, s *real.Server, folder string) map[string]fact {
	t.Helper()
	facts := map[string]fact{}
	for _, m := range s.Stored(t, folder) {
		flags := slices.DeleteFunc(m.Flags, func(name string) bool { return name == `\Recent` })
		slices.Sort(flags)
		facts[message.ID(m.Raw)] = fact{strings.Join(flags, " "), m.Date}
	}
	return facts
}

// strew fills the inbox with n messages.
func strew(t *testing.T, s *real.Server, n int) {
	t.Helper()
	client, err := imapclient.DialInsecure(fmt.Sprintf("127.0.0.1:%d", s.IMAP), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(client.Login(s.User, s.Password).Wait())
	random := rand.New(rand.NewPCG(5, uint64(n)))
	for i := range n {
		raw := fmt.Sprintf("Received: from x by y; Mon, 3 Mar 2025 10:00:00 +0100\r\nMessage-ID: <%04d@example.org>\r\n\r\n%s\r\n",
			i, strings.Repeat("x", random.IntN(n)))
		date := time.Unix(1e9+random.Int64N(7e8), 0).In(time.FixedZone("", 60*(random.IntN(24*60)-12*60)))
		cmd := client.Append("INBOX", int64(len(raw)), &imap.AppendOptions{Time: date})
		_, err := cmd.Write([]byte(raw))
		do(err)
		do(cmd.Close())
		_, err = cmd.Wait()
		do(err)
	}
	_, err = client.Select("INBOX", nil).Wait()
	do(err)
	for _, name := range []imap.Flag{`\Seen`, `\Answered`, `\Flagged`, `\Draft`, "$Forwarded", "$label1", "work"} {
		var some imap.SeqSet
		for i := range n {
			if random.IntN(3) == 0 {
				some.AddNum(uint32(i + 1))
			}
		}
		do(client.Store(some, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{name}}, nil).Close())
	}
}
