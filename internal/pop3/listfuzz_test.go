package pop3

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/sync"
)

func FuzzListingLine(f *testing.F) {
	f.Add("1 a", uint32(0))
	f.Add("007  b c\t", uint32(6))
	f.Add("99999999999999999999 x", uint32(0))
	f.Fuzz(func(t *testing.T, line string, before uint32) {
		after := int(before)
		e, ok := parseEntry(line, after)
		if !ok {
			return
		}
		if e.number <= after || e.number < 1 || e.number > 1<<31-1 {
			t.Fatalf("%q after %d: got number %d", line, after, e.number)
		}
		number, rest, _ := strings.Cut(line, " ")
		if strings.TrimLeft(number, "0") != fmt.Sprint(e.number) || strings.Trim(rest, " \t") != e.text {
			t.Fatalf("%q: got %+v", line, e)
		}
	})
}

// textLines gives the lines of a text, and then the end of the line.
func textLines(text string) lineFunc {
	return func() (string, error) {
		line, rest, ended := strings.Cut(text, "\n")
		if !ended {
			return "", io.ErrUnexpectedEOF
		}
		text = rest
		return line + "\n", nil
	}
}

var numberAndText = regexp.MustCompile(`^0*([1-9][0-9]{0,9})(?: ((?s:.*)))?$`)

// plainListing is readEntries, written for a text that is all there.
func plainListing(text string) (list map[int]string, ok bool) {
	list = map[int]string{}
	last := 0
	for _, line := range strings.SplitAfter(text, "\n") {
		if !strings.HasSuffix(line, "\n") {
			return nil, false
		}
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if line == "." {
			return list, true
		}
		m := numberAndText.FindStringSubmatch(strings.TrimPrefix(line, "."))
		if m == nil {
			return nil, false
		}
		n, err := strconv.ParseInt(m[1], 10, 32)
		if err != nil || int(n) <= last {
			return nil, false
		}
		last = int(n)
		list[last] = strings.Trim(m[2], " \t")
	}
	return nil, false
}

// What is listed is what both listings have, in order and with the octets that were sent; anything else is an error.
func FuzzListing(f *testing.F) {
	for _, s := range []string{".\r\n", "1 a\r\n.\r\n", "1 10\n2 20 x\n.\n", "2 b\r\n1 a\r\n.\r\n", "1 a\r\n1 b\r\n.\r\n", "1\r\n.\r\n",
		"..1 a\r\n.\r\n", ".1 10\r\n.\r\n", "2147483648 1\r\n.\r\n", "1 -1\r\n.\r\n", "1 ENOMEM-1-2-3\r\n.\r\n", "1 a"} {
		f.Add(s, "1 10\r\n2 20\r\n.\r\n")
		f.Add("1 a b\r\n3 c\r\n.\r\n", s)
	}
	f.Fuzz(func(t *testing.T, uidl, list string) {
		wantUIDLs, ok1 := plainListing(uidl)
		wantSizes, ok2 := plainListing(list)
		uidls, err1 := readEntries(textLines(uidl), "UIDL")
		sizes, err2 := readEntries(textLines(list), "LIST")
		if (err1 == nil) != ok1 || (err2 == nil) != ok2 {
			t.Fatalf("%q: %v, want %v; %q: %v, want %v", uidl, err1, ok1, list, err2, ok2)
		}
		if !ok1 || !ok2 {
			return
		}
		var want []sync.Listed
		good := true
		for _, n := range slices.Sorted(maps.Keys(wantSizes)) {
			first, _, _ := strings.Cut(wantSizes[n], " ")
			size, err := strconv.ParseUint(first, 10, 63)
			id, both := wantUIDLs[n]
			good = good && err == nil && !strings.HasPrefix(id, "ENOMEM-")
			if both {
				want = append(want, sync.Listed{Number: n, UIDL: id, Size: int64(size)})
			}
		}
		got, err := joined("lab", uidls, sizes)
		if (err == nil) != good || good && !slices.Equal(got, want) {
			t.Fatalf("%q and %q: got %+v and %v, want %+v", uidl, list, got, err, want)
		}
	})
}
