package sync

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

// text is a message of n octets in which no two parts look alike.
func text(n int) []byte {
	b := []byte("Subject: x\r\n\r\n")
	for i := 0; len(b) < n; i++ {
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16)})
		b = append(b, sum[:]...)
	}
	return b[:n]
}

func TestSpoolGivesBackWhatItTook(t *testing.T) {
	for _, n := range []int{0, 1, 13, inMemory - 1, inMemory, inMemory + 1, 3*inMemory + 7, inMemory + 2, 100, 0} {
		want := text(n)
		var s spool
		if err := s.fill(iotest.HalfReader(bytes.NewReader(want)), inMemory); err != nil {
			t.Fatalf("%d octets: %v", n, err)
		}
		for range 2 { // a body can be read again
			got, err := io.ReadAll(s.body())
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d octets: got %d other ones (%v)", n, len(got), err)
			}
		}
		if s.size() != int64(n) || s.digests.Whole != sha256.Sum256(want) {
			t.Errorf("%d octets: got size %d, digest %x", n, s.size(), s.digests.Whole)
		}
		if head := s.header(); !bytes.HasPrefix(want, head) || len(head) != min(n, len("Subject: x\r\n\r\n")) {
			t.Errorf("%d octets: got the header %q", n, head)
		}
		if s.held > inMemory {
			t.Errorf("%d octets: %d of them in memory", n, s.held)
		}
		s.release()
	}
}

func TestSpoolSaysThatTheSourceFailed(t *testing.T) {
	for _, n := range []int{0, 5, inMemory, inMemory + 5} {
		var s spool
		broken := errors.New("the line is cut")
		err := s.fill(io.MultiReader(bytes.NewReader(text(n)), iotest.ErrReader(broken)), inMemory)
		if !errors.Is(err, broken) {
			t.Errorf("after %d octets: got %v, want %v", n, err, broken)
		}
		var inner *Error
		if errors.As(err, &inner) {
			t.Errorf("after %d octets: the source's error became one of class %d", n, inner.Class)
		}
		s.release()
	}
}

func TestSpoolSaysThatOurDiskIsFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip("this system has no /dev/full:", err)
	}
	_, err = io.Copy(disk{full}, bytes.NewReader(text(inMemory+1)))
	if err == nil || ClassOf(err) != Storage {
		t.Errorf("got %v of class %d, want class Storage", err, ClassOf(err))
	}
}

func TestSpoolSaysThatThereIsNoTemporaryFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/nowhere")
	var s spool
	defer s.release()
	err := s.fill(bytes.NewReader(text(inMemory+1)), inMemory)
	if err == nil || ClassOf(err) != Storage || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want class Storage", err)
	}
	var small spool
	if err := small.fill(bytes.NewReader(text(100)), inMemory); err != nil || small.size() != 100 {
		t.Errorf("a small message after that: %v, %d octets", err, small.size())
	}
}

func TestSpoolLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	var s spool
	defer s.release()
	if err := s.fill(bytes.NewReader(text(inMemory+1)), inMemory); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("got %v (%v), want an empty folder", entries, err)
	}
}

func TestSpoolHeaderIsBounded(t *testing.T) {
	var s spool
	defer s.release()
	if err := s.fill(strings.NewReader(strings.Repeat("no blank line\r\n", 200_000)), inMemory); err != nil {
		t.Fatal(err)
	}
	if n := len(s.header()); n != headerMax {
		t.Errorf("got %d octets, want %d", n, headerMax)
	}
}
