package imap

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

func TestRealServers(t *testing.T) {
	for _, kind := range real.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			s := real.Start(t, kind, nil)
			for security, port := range map[wire.Security]int{wire.ImplicitTLS: s.IMAPS, wire.StartTLS: s.IMAP} {
				server := wire.Server{Host: "127.0.0.1", Port: port, Security: security, Side: "to", Roots: s.Roots}
				check.Class(t, refused(t, server, Login{User: s.User, Password: password}), sync.Login)
				ss, err := Dial(t.Context(), server, Login{User: s.User, Password: s.Password})
				if err != nil {
					t.Fatal(err)
				}
				appendAndFind(t, ss, []string{"INBOX", "Entwürfe & mehr"}[security])
			}
		})
	}
}

// appendAndFind appends to a folder that is empty or missing, and finds there what was appended.
func appendAndFind(t *testing.T, s *Session, folder string) {
	t.Helper()
	f, err := s.Open(t.Context(), folder, true)
	if err != nil {
		t.Fatal(err)
	}
	check.Equal(t, "created", f.Created, folder != "INBOX")
	m := letter("Message-ID: <a@x>\r\nSubject: Gr\xc3\xbc\xc3\x9fe\r\n\r\nbody\r\n")
	m.Flags, m.Date = []string{`\Seen`}, time.Date(2001, 2, 3, 4, 5, 6, 0, time.FixedZone("", -330*60))
	first := max(f.UIDNext, 1) // Courier does not say it
	for n := range uint32(3) {
		placed, err := appendOne(t.Context(), s, f, m)
		if err != nil {
			t.Fatal(err)
		}
		check.Equal(t, "place", placed, sync.Placed{UIDValidity: f.UIDValidity, UID: n + first})
	}
	got, err := found(t, s, f, first+1)
	if err != nil || len(got) != 2 {
		t.Errorf("found %q, %v", got, err)
	}
	again, err := s.Open(t.Context(), folder, false)
	if err != nil || f.UIDNext != 0 && again.UIDNext != first+3 || again.UIDValidity != f.UIDValidity {
		t.Errorf("afterwards: %+v, %v", again, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// realSession is a session with a real server, and a folder of it.
func realSession(t *testing.T, s *real.Server, folder string) (*Session, sync.Folder) {
	t.Helper()
	server := wire.Server{Host: "127.0.0.1", Port: s.IMAPS, Side: "to", Roots: s.Roots}
	ss, err := Dial(t.Context(), server, Login{User: s.User, Password: s.Password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ss.drop)
	f, err := ss.Open(t.Context(), folder, true)
	if err != nil {
		t.Fatal(err)
	}
	return ss, f
}

// Batches of all sizes, all in flight at once, come to where the server says they are, octet for octet.
func TestBatchesAtRealServers(t *testing.T) {
	for _, kind := range real.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			s, f := realSession(t, real.Start(t, kind, nil), "INBOX")
			var pendings []sync.Pending
			var want []string
			for _, size := range []int{1, 2, 50, 50} {
				var batch []sync.Outgoing
				for range size {
					raw := fmt.Sprintf("Message-ID: <%d@x>\r\n\r\n%s\r\n", len(want), strings.Repeat("0123456789abcde\r\n", len(want)*50))
					want = append(want, raw)
					batch = append(batch, letter(raw))
				}
				pendings = append(pendings, s.Append(t.Context(), f, batch))
			}
			var uids []uint32
			for _, p := range pendings {
				for _, a := range p.Wait(t.Context()) {
					if a.Err != nil || a.UIDValidity != f.UIDValidity || a.UID == 0 {
						t.Fatalf("message %d: %+v", len(uids), a)
					}
					uids = append(uids, a.UID)
				}
			}
			sizes, err := s.Sizes(t.Context(), f, uids)
			if err != nil {
				t.Fatal(err)
			}
			got := map[uint32]string{}
			if err := s.Read(t.Context(), f, uids, func(uid uint32, body io.Reader) error {
				raw, err := io.ReadAll(body)
				got[uid] = string(raw)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			for i, uid := range uids {
				check.Equal(t, "message", got[uid], want[i])
				check.Equal(t, "size", sizes[uid], int64(len(want[i])))
			}
			if _, err := s.Elsewhere(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A message that the server refuses costs those that share its command, and no other.
func TestBadMessageAtRealServers(t *testing.T) {
	refused := outcome(sync.Refused, " unsent")
	alone := "ok|ok|" + refused + "|ok"
	together := strings.Join(slices.Repeat([]string{refused + " together"}, 3), "|")
	for _, c := range []struct {
		kind      real.Kind
		bad, want string
	}{
		{real.Dovecot, "", alone},
		{real.Cyrus, "A: 1\r\n\r\n\x00\r\n", "ok|" + together},
		{real.Courier, "A: 1\r\n\r\n\x00\r\n", "ok|ok|ok|ok"},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			server := real.Start(t, c.kind, nil)
			s, f := realSession(t, server, "INBOX")
			all := s.Append(t.Context(), f, letters("A: 1\r\n\r\n1\r\n", "A: 2\r\n\r\n2\r\n", c.bad, "A: 4\r\n\r\n4\r\n")).Wait(t.Context())
			next := s.Append(t.Context(), f, letters("A: 5\r\n\r\n5\r\n")).Wait(t.Context())
			var got []string
			stored := 0
			for _, a := range append(all, next...) {
				if a.Err == nil {
					stored++
					got = append(got, "ok")
				} else {
					got = append(got, told(a))
				}
			}
			check.Equal(t, "answers", strings.Join(got, "|"), c.want+"|ok")
			check.Equal(t, "stored", len(server.Stored(t, "INBOX")), stored)
		})
	}
}
