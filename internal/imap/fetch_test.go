package imap

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// filled is a session and an INBOX with messages in it.
func filled(t *testing.T, raw ...string) (*Session, sync.Folder) {
	t.Helper()
	s := enter(t, startIMAP(t, lab.IMAPOptions{}))
	f, err := s.Open(t.Context(), "INBOX", false)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range s.Append(t.Context(), f, letters(raw...)).Wait(t.Context()) {
		if a.Err != nil {
			t.Fatal(a.Err)
		}
	}
	return s, f
}

func TestSizes(t *testing.T) {
	var raw []string
	for n := range 1000 {
		raw = append(raw, strings.Repeat("x", n))
	}
	s, f := filled(t, raw...)
	for _, uids := range [][]uint32{nil, {0}, {1001}, {5}, {9, 3, 3, 0, 4, 2000, 1000}} {
		got, err := s.Sizes(t.Context(), f, uids)
		want := map[uint32]int64{}
		for _, uid := range uids {
			if uid >= 1 && uid <= 1000 {
				want[uid] = int64(uid) - 1
			}
		}
		check.Equal(t, fmt.Sprint(uids), fmt.Sprint(got, err), fmt.Sprint(want, nil))
	}
	var odd []uint32 // more ranges than one command takes
	for uid := uint32(1); uid <= 1000; uid += 2 {
		odd = append(odd, uid)
	}
	got, err := s.Sizes(t.Context(), f, odd)
	if err != nil || len(got) != 500 {
		t.Fatalf("got %d, %v", len(got), err)
	}
	for uid, size := range got {
		check.Equal(t, "size", size, int64(uid)-1)
	}
}

func TestRanges(t *testing.T) {
	for want, uids := range map[string][]uint32{
		"":                        {},
		"1":                       {1},
		"1:3,5,7:8":               {1, 2, 3, 5, 7, 8},
		"1,4294967294:4294967295": {1, 4294967294, 4294967295},
	} {
		check.Equal(t, want, ranges(uids).String(), want)
	}
}

func TestRead(t *testing.T) {
	var want []string
	for _, c := range bodies {
		want = append(want, c.raw)
	}
	s, f := filled(t, want...)
	got := make([]string, len(want))
	all := []uint32{12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 13, 99, 0}
	err := s.Read(t.Context(), f, all, func(uid uint32, body io.Reader) error {
		raw, err := io.ReadAll(body)
		got[uid-1] += string(raw)
		return err
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, got %.100q", err, got)
	}

	var some []uint32 // of what is not read the rest is skipped
	err = s.Read(t.Context(), f, []uint32{11, 1, 2}, func(uid uint32, body io.Reader) error {
		some = append(some, uid)
		_, err := io.ReadFull(body, make([]byte, 3))
		return err
	})
	slices.Sort(some)
	check.Equal(t, "some", fmt.Sprint(some, err), "[1 2 11] <nil>")

	enough := errors.New("enough")
	err = s.Read(t.Context(), f, all, func(uint32, io.Reader) error { return enough })
	check.Equal(t, "error", err, enough)
	if _, err := s.Sizes(t.Context(), f, []uint32{1}); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

func TestAnswersToBODY(t *testing.T) {
	for _, c := range []struct {
		name, fetch, want string
		class             sync.Class
	}{
		{"as it should be", "* 1 FETCH (UID 3 BODY[] {3}\r\nabc)\r\n% OK\r\n", "3 abc", 0},
		{"quoted", "* 1 FETCH (UID 3 BODY[] \"a\\\"c\")\r\n% OK\r\n", `3 a"c`, 0},
		{"gone", "% OK\r\n", "", 0},
		{"not to be had", "* 1 FETCH (UID 3 BODY[] NIL)\r\n% OK\r\n", "", 0},
		{"another one", "* 1 FETCH (UID 4 BODY[] {3}\r\nabc)\r\n% OK\r\n", "", 0},
		{"twice", "* 1 FETCH (UID 3 BODY[] {3}\r\nabc BODY[] {1}\r\nd)\r\n% OK\r\n", "3 abc", 0},
		{"its header too", "* 1 FETCH (UID 3 BODY[HEADER] {1}\r\nx BODY[] {3}\r\nabc)\r\n% OK\r\n", "3 abc", 0},
		{"its flags before", "* 1 FETCH (UID 3 FLAGS (\\Seen))\r\n* 1 FETCH (UID 3 BODY[] {3}\r\nabc)\r\n% OK\r\n", "3 abc", 0},
		{"without a UID", "* 1 FETCH (BODY[] {3}\r\nabc)\r\n% OK\r\n", "", sync.Protocol},
		{"UID behind it", "* 1 FETCH (BODY[] {3}\r\nabc UID 3)\r\n% OK\r\n", "", sync.Protocol},
		{"huge", "* 1 FETCH (UID 3 BODY[] {4294967295}\r\nabc", "", sync.Protocol},
		{"huge, where none is due", "* 1 FETCH (UID 3 ENVELOPE ({1000000}\r\nabc", "", sync.Protocol},
		{"cut", "* 1 FETCH (UID 3 BODY[] {300000000}\r\nabc", "3 broken", sync.Temporary},
		{"refused", "% NO [SERVERBUG]\r\n", "", sync.Temporary},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := answering(t, "", "UID FETCH", func(p *lab.Peer) {
				p.Send(strings.ReplaceAll(c.fetch, "%", "T3"))
				if c.name != "cut" {
					caps("").answer(p)
				}
			})
			got := ""
			check.Soon(t, "reading", func() {
				err := s.Read(t.Context(), sync.Folder{Name: "INBOX", UIDValidity: 7}, []uint32{3}, func(uid uint32, body io.Reader) error {
					raw, err := io.ReadAll(body)
					if err != nil {
						raw = []byte("broken")
					}
					got += fmt.Sprintf("%d %s", uid, raw)
					return err
				})
				if c.class != 0 {
					check.Class(t, err, c.class)
				} else if err != nil {
					t.Error(err)
				}
			})
			check.Equal(t, "read", got, c.want)
		})
	}
}

func TestFolderThatWasReplaced(t *testing.T) {
	s := enter(t, script(t, caps("")))
	old := sync.Folder{Name: "INBOX", UIDValidity: 6}
	_, err := s.Sizes(t.Context(), old, []uint32{1})
	check.Says(t, check.Class(t, err, sync.Temporary), "was replaced")
	err = s.Read(t.Context(), old, []uint32{1}, func(uint32, io.Reader) error { panic("called") })
	check.Says(t, check.Class(t, err, sync.Temporary), "was replaced")
}

func TestElsewhere(t *testing.T) {
	const list = `* LIST (\HasNoChildren \All) "." "INBOX.All Mail"` + "\r\n" +
		`* LIST (\Junk) "." INBOX.Junk` + "\r\n" + `* LIST (\trash) "." "INBOX.Gel&APY-scht.Alt"` + "\r\n" +
		`* LIST (\Archive \Noselect) "." "INBOX.No"` + "\r\n" + `* LIST (\Sent) "." "INBOX.Sent"` + "\r\n" +
		`* LIST (\Trash) "." "INBOX.a/b"` + "\r\n" + `* LIST (\Junk) "." "INBOX.a&"` + "\r\n" + `* LIST (\Junk) "." {2}` + "\r\nzz\r\n" +
		`* LIST (\Archive) "." INBOX` + "\r\n"
	namespace := []string{"NAMESPACE", `* NAMESPACE (("INBOX." ".")) NIL NIL` + "\r\n% OK\r\n"}
	for _, c := range []struct{ name, caps, reply, want string }{
		{"some", "NAMESPACE SPECIAL-USE", list + "% OK\r\n", "All Mail|Junk|Gelöscht/Alt|INBOX"},
		{"none", "NAMESPACE SPECIAL-USE", "% OK\r\n", ""},
		{"refused", "NAMESPACE SPECIAL-USE", "% BAD what\r\n", ""},
		{"not asked for", "NAMESPACE", list + "% OK\r\n", ""},
	} {
		s := enter(t, check.Script(t, loginless(caps(c.caps).with(append(namespace, "LIST (SPECIAL-USE)", c.reply)...).answer)))
		got, err := s.Elsewhere(t.Context())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		check.Equal(t, c.name, strings.Join(got, "|"), c.want)
	}
}
