package imap

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

func TestMarks(t *testing.T) {
	const date = `INTERNALDATE "17-Jul-1996 02:44:25 -0700"`
	for _, c := range []struct {
		name, fetch, want string
		class             sync.Class
	}{
		{"as it should be", "* 1 FETCH (UID 3 FLAGS (\\Seen work) " + date + " RFC822.SIZE 44)\r\n% OK\r\n",
			`3 44 [\Seen work] 1996-07-17 02:44:25 -0700`, 0},
		{"UID last", "* 1 FETCH (FLAGS () " + date + " RFC822.SIZE 44 UID 3)\r\n% OK\r\n", "3 44 [] 1996-07-17 02:44:25 -0700", 0},
		{"in capitals", "* 1 FETCH (UID 3 FLAGS (\\SEEN \\recent $JUNK) " + date + " RFC822.SIZE 0)\r\n% OK\r\n",
			`3 0 [\Seen \recent $Junk] 1996-07-17 02:44:25 -0700`, 0},
		{"without a date", "* 1 FETCH (UID 3 FLAGS () RFC822.SIZE 44)\r\n% OK\r\n", "3 44 [] 0001-01-01 00:00:00 +0000", 0},
		{"without flags", "* 1 FETCH (UID 3 " + date + " RFC822.SIZE 44)\r\n% OK\r\n", "", 0},
		{"without a size", "* 1 FETCH (UID 3 FLAGS () " + date + ")\r\n% OK\r\n", "", 0},
		{"without a UID", "* 1 FETCH (FLAGS () " + date + " RFC822.SIZE 44)\r\n% OK\r\n", "", 0},
		{"twice", strings.Repeat("* 1 FETCH (UID 3 FLAGS () RFC822.SIZE 44)\r\n", 2) + "% OK\r\n", "3 44 [] 0001-01-01 00:00:00 +0000", 0},
		{"what another client does", "* 1 FETCH (FLAGS (\\Deleted))\r\n* 1 FETCH (UID 3 FLAGS () RFC822.SIZE 44)\r\n% OK\r\n",
			"3 44 [] 0001-01-01 00:00:00 +0000", 0},
		{"nothing", "% OK\r\n", "", 0},
		{"refused", "% NO no\r\n", "", sync.Unavailable},
		{"no date", "* 1 FETCH (UID 3 FLAGS () INTERNALDATE \"yesterday\" RFC822.SIZE 44)\r\n% OK\r\n", "", sync.Protocol},
		{"cut", "* 1 FETCH (UID 3 FLAGS (", "", sync.Temporary},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := answering(t, "", "UID FETCH", func(p *lab.Peer) { p.Send(strings.ReplaceAll(c.fetch, "%", "T3")) })
			var got []string
			check.Soon(t, "reading", func() {
				err := s.Marks(t.Context(), sync.Folder{Name: "INBOX", UIDValidity: 7}, func(m Mark) error {
					got = append(got, fmt.Sprint(m.UID, m.Size, m.Flags, m.Date.Format(" 2006-01-02 15:04:05 -0700")))
					return nil
				})
				if c.class != 0 {
					check.Class(t, err, c.class)
				} else if err != nil {
					t.Error(err)
				}
			})
			check.Equal(t, "marks", strings.Join(got, "|"), c.want)
		})
	}
}

// A folder without end is read no further than the caller wants.
func TestMarksWithoutEnd(t *testing.T) {
	s := answering(t, "", "UID FETCH", func(p *lab.Peer) {
		for n := 1; p.Send(fmt.Sprintf("* 1 FETCH (UID %d FLAGS () RFC822.SIZE 44)\r\n", n)) == nil; n++ {
		}
	})
	count := 0
	check.Soon(t, "reading", func() {
		err := s.Marks(t.Context(), sync.Folder{Name: "INBOX", UIDValidity: 7}, func(Mark) error {
			if count++; count == 1000 {
				return errors.New("enough")
			}
			return nil
		})
		check.Says(t, check.Class(t, err, sync.Protocol), "enough")
	})
	check.Equal(t, "marks", count, 1000)
}

func TestHeaders(t *testing.T) {
	s, f := filled(t, "A: 1\r\nB: 2\r\n\r\nbody\r\n", "A: 3\r\n\r\n", "\r\nbody\r\n")
	got := map[uint32]string{}
	err := s.Headers(t.Context(), f, []uint32{3, 1, 2, 9}, func(uid uint32, header io.Reader) error {
		raw, err := io.ReadAll(header)
		got[uid] = string(raw)
		return err
	})
	want := map[uint32]string{1: "A: 1\r\nB: 2\r\n\r\n", 2: "A: 3\r\n\r\n", 3: "\r\n"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}
