package client_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// Any number of octets that are no mail take the time to read them and little memory.
func TestHostileFilesTakeLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a gigabyte")
	}
	for name, start := range map[string]string{
		"a header without an end":  "From - \nX: ",
		"a body without an end":    "From - \nSubject: x\n\n",
		"a line above without one": "From - ",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mbox")
			if err := os.WriteFile(path, []byte(start), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, 1<<30); err != nil { // NULs to the end; it takes no room on disk
				t.Fatal(err)
			}
			before := allocated()
			open(t, path)
			if grew := allocated() - before; grew > 16<<20 {
				t.Errorf("%d octets were allocated", grew)
			}
		})
	}
}

func TestManyMessagesTakeLittleMemory(t *testing.T) {
	const count = 50_000
	path := filepath.Join(t.TempDir(), "mbox")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range count {
		if _, err := f.WriteString(kept(strconv.Itoa(n), "0001", letter(n))); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	before, start := held(), time.Now()
	c := open(t, path)
	took := time.Since(start)
	each := (held() - before) / count
	if got := said(t, c, subject("7", letter(7))); got != `\Seen` {
		t.Errorf(`got %q, want \Seen`, got)
	}
	t.Logf("%d octets a message, %v for %d", each, took.Round(time.Millisecond), count)
	if each > 800 {
		t.Errorf("%d octets a message, want a few hundred", each)
	}
}

// allocated is how many octets were allocated up to now, garbage as well.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// held is how many octets are in use.
func held() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
