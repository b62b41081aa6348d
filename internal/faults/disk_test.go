package faults

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// small mounts a disk of so many KiB, or skips.
func small(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("NOT SHOWN: a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes all room that is left on a disk.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	f.Close()
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

// A message that does not fit into memory is kept on the disk, and that is full: nothing of it is appended.
func TestSpoolDiskIsFull(t *testing.T) {
	w := create(t, mail("a"), large(), mail("c"))
	w.env = []string{"TMPDIR=" + small(t, "512k")}
	exit, said := w.sync()
	if exit != 74 || !strings.Contains(said, "TMPDIR") {
		t.Errorf("exit code %d, want 74 and a remedy\n%s", exit, said)
	}
	w.env = nil
	w.recovers(said)
}

func TestStateDiskIsFull(t *testing.T) {
	for name, before := range map[string]func(w *world){
		"from the start": func(*world) {},
		"when the state is there": func(w *world) {
			w.POP.SetMail(nil)
			if exit, said := w.sync(); exit != 0 {
				t.Fatalf("exit code %d: %s", exit, said)
			}
			w.POP.SetMail(three)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := create(t, three...)
			w.Dir = small(t, "1m")
			before(w)
			free := fill(t, w.Dir)
			exit, said := w.sync()
			if exit != 74 || !strings.Contains(said, "disk") {
				t.Errorf("exit code %d, want 74 and a remedy\n%s", exit, said)
			}
			if n := len(w.There()); n != 0 {
				t.Errorf("%d messages are in the mailbox, and nothing could be remembered", n)
			}
			free()
			w.recovers(said)
		})
	}
}

// Root may write everywhere, so the folder is on a disk that is read-only.
func TestStateDiskIsReadOnly(t *testing.T) {
	for name, first := range map[string]bool{"no state yet": false, "a state": true} {
		t.Run(name, func(t *testing.T) {
			w := create(t, three...)
			w.Dir = small(t, "4m")
			if first {
				w.POP.SetMail(nil)
				if exit, said := w.sync(); exit != 0 {
					t.Fatalf("exit code %d: %s", exit, said)
				}
				w.POP.SetMail(three)
			}
			remount := func(flags uintptr) {
				if err := syscall.Mount("tmpfs", w.Dir, "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
					t.Fatal(err)
				}
			}
			remount(syscall.MS_RDONLY)
			exit, said := w.sync()
			if exit != 74 || !strings.Contains(said, "read-only") {
				t.Errorf("exit code %d, want 74 and a remedy\n%s", exit, said)
			}
			if n := len(w.There()); n != 0 {
				t.Errorf("%d messages are in the mailbox, and nothing could be remembered", n)
			}
			remount(0)
			w.recovers(said)
		})
	}
}
