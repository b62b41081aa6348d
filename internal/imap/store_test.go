package imap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

func TestMark(t *testing.T) {
	server := startIMAP(t, lab.IMAPOptions{})
	for i, flags := range [][]string{nil, {`\Flagged`, "work"}, {`\Deleted`}, {`\Seen`}} {
		if _, err := server.Put("INBOX", fmt.Appendf(nil, "Subject: %d\r\n\r\n", i), flags, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	s := enter(t, server)
	f, err := s.Open(t.Context(), "INBOX", false)
	if err != nil {
		t.Fatal(err)
	}
	forwarded := func(uids ...uint32) sync.Marking {
		return sync.Marking{Flags: []string{`\Answered`, "$Forwarded"}, UIDs: uids}
	}
	for _, list := range [][]sync.Marking{{forwarded(2, 4, 99, 2), forwarded(99)}, nil, {forwarded(2)}} {
		if err := errors.Join(s.Mark(t.Context(), f, list)...); err != nil {
			t.Errorf("%v: %v", list, err)
		}
	}
	// What comes next may leave the folder by CLOSE, which must not remove what has \Deleted.
	if err := s.deselect(); err != nil {
		t.Error(err)
	}
	got, err := server.Messages("INBOX")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"[]", `[$Forwarded \Answered \Flagged work]`, `[\Deleted]`, `[$Forwarded \Answered \Seen]`}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || fmt.Sprint(got[i].Flags) != want[i] {
			t.Errorf("message %d: got %+v, want flags %s", i+1, got[i:], want[i])
		}
	}
	f.UIDValidity++
	check.Says(t, check.Class(t, s.Mark(t.Context(), f, []sync.Marking{forwarded(1)})[0], sync.Temporary), "replaced")
	f.Name = "nowhere"
	check.Class(t, s.Mark(t.Context(), f, []sync.Marking{forwarded(1)})[0], sync.Missing)
}

func TestAnswersToSTORE(t *testing.T) {
	const opened = "* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 9] x\r\n"
	for _, c := range []struct {
		name, selected, store string
		want                  string
		class                 sync.Class
	}{
		{"as it should be", "* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n", "% OK\r\n", `UID STORE 3 +FLAGS.SILENT (\Answered $Forwarded)`, 0},
		{"it tells of it all the same", "", "* 2 FETCH (UID 3 FLAGS (\\Answered))\r\n* 1 FETCH (FLAGS ())\r\n% OK\r\n",
			`UID STORE 3 +FLAGS.SILENT (\Answered $Forwarded)`, 0},
		{"refused", "", "% NO [NOPERM] no\r\n", `UID STORE 3 +FLAGS.SILENT (\Answered $Forwarded)`, sync.Unavailable},
		{"bad", "", "% BAD what?\r\n", `UID STORE 3 +FLAGS.SILENT (\Answered $Forwarded)`, sync.Unavailable},
		{"busy", "", "% NO [INUSE] later\r\n", `UID STORE 3 +FLAGS.SILENT (\Answered $Forwarded)`, sync.Temporary},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, heard := listening(t, caps("").with("SELECT", opened+c.selected+"% OK [READ-WRITE]\r\n", "UID STORE", c.store))
			s := enter(t, server)
			err := s.Mark(t.Context(), sync.Folder{Name: "INBOX", UIDValidity: 7},
				[]sync.Marking{{Flags: []string{`\Answered`, "$Forwarded"}, UIDs: []uint32{3}}})[0]
			if c.class != 0 {
				check.Class(t, err, c.class)
			} else if err != nil {
				t.Error(err)
			}
			check.Equal(t, "STORE", strings.Join(storing(heard()), "|"), c.want)
		})
	}
}

func TestMarkOnALineThatDies(t *testing.T) {
	s := enter(t, check.Script(t, loginless(func(p *lab.Peer) {
		caps("").with("SELECT", "* OK [UIDVALIDITY 7] x\r\n% OK\r\n", "UID STORE", "").answer(p)
	})))
	check.Soon(t, "marking", func() {
		one := sync.Marking{Flags: []string{`\Answered`}, UIDs: []uint32{3}}
		for _, err := range s.Mark(t.Context(), sync.Folder{Name: "INBOX", UIDValidity: 7}, []sync.Marking{one, one}) {
			check.Class(t, err, sync.Temporary)
		}
	})
}

// However many messages there are, each command is one that servers take (RFC 7162 §4), and none is left out.
func TestMarkMany(t *testing.T) {
	server, heard := listening(t, caps("").with("SELECT", "* OK [UIDVALIDITY 7] x\r\n% OK\r\n", "UID STORE", "% OK\r\n"))
	var uids []uint32
	for n := range uint32(1000) {
		uids = append(uids, 4_000_000_000+3*n, 4_000_000_001+3*n) // the longest ranges
	}
	s := enter(t, server)
	list := []sync.Marking{{Flags: []string{`\Answered`}, UIDs: uids}}
	if err := s.Mark(t.Context(), sync.Folder{Name: "INBOX", UIDValidity: 7}, list)[0]; err != nil {
		t.Error(err)
	}
	ranges := 0
	for _, command := range storing(heard()) {
		if len(command) > 7990 {
			t.Errorf("a command of %d octets", len(command))
		}
		ranges += strings.Count(command, ":")
	}
	check.Equal(t, "ranges", ranges, 1000)
}

// listening is a script that needs no login, and what it has heard: commands without their tags.
func listening(t *testing.T, r replies) (*lab.Script, func() []string) {
	t.Helper()
	var mu stdsync.Mutex
	var all []string
	s := check.Script(t, loginless(func(p *lab.Peer) {
		for line, err := p.ReadLine(); err == nil; line, err = p.ReadLine() {
			mu.Lock()
			_, command, _ := strings.Cut(line, " ")
			all = append(all, strings.TrimRight(command, "\r\n"))
			mu.Unlock()
			if p.Send(r.to(line)) != nil {
				return
			}
		}
	}))
	return s, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// storing gives the STOREs among commands.
func storing(commands []string) []string {
	return slices.DeleteFunc(slices.Clone(commands), func(c string) bool { return !strings.HasPrefix(c, "UID STORE") })
}
