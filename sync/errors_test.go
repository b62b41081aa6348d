package sync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/state"
)

func TestClassOf(t *testing.T) {
	full := &Error{Class: Full, Err: io.EOF}
	for _, c := range []struct {
		name string
		err  error
		want Class
	}{
		{"no class", errors.New("x"), Bug},
		{"plain", full, Full},
		{"wrapped", fmt.Errorf("x: %w", full), Full},
		{"the outermost counts", &Error{Class: Temporary, Err: full}, Temporary},
		{"the class Bug outside counts", &Error{Err: full}, Bug},
		{"joined", errors.Join(io.EOF, full), Full},
	} {
		if got := ClassOf(c.err); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestNotStored(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want bool
	}{
		{"no class", errors.New("x"), false},
		{"not said", &Error{Class: Refused, Err: io.EOF}, false},
		{"said", &Error{Err: io.EOF, Unsent: true}, true},
		{"said, wrapped", Doing(&Error{Err: io.EOF, Unsent: true}, "append"), true},
	} {
		if got := NotStored(c.err); got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
	}
}

func TestDoing(t *testing.T) {
	if err := Doing(nil, "nothing"); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	inner := &Error{Class: Full, Err: io.EOF, Code: "OVERQUOTA", Server: "NO full", Remedy: "make room", Unsent: true}
	before := *inner
	err := Doing(inner, "append to %q", "100%")
	e, ok := errors.AsType[*Error](err)
	if !ok || !errors.Is(err, io.EOF) {
		t.Fatalf("got %#v", err)
	}
	if want := `append to "100%": EOF: server said: NO full`; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if e.Class != Full || e.Code != "OVERQUOTA" || e.Server != "NO full" || e.Remedy != "make room" || !e.Unsent {
		t.Errorf("got %+v", e)
	}
	if *inner != before {
		t.Errorf("the error that it was made of changed: %+v", inner)
	}
	if err := Doing(io.EOF, "read"); err.Error() != "read: EOF" || ClassOf(err) != Bug || !errors.Is(err, io.EOF) {
		t.Errorf("an error without a class: got %v of class %d", err, ClassOf(err))
	}
	twice := Doing(Doing(inner, "b"), "a")
	if want := "a: b: EOF: server said: NO full"; twice.Error() != want {
		t.Errorf("got %q, want %q", twice, want)
	}
}

func TestClean(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "NO [X] Größe 漢字", "NO [X] Größe 漢字"},
		{"a forged line", "no\r\nOK really", "no??OK really"},
		{"the terminal's escapes", "\x1b[2Jx\x7f", "?[2Jx?"},
		{"C1", "a\u009b31mb\u0085c", "a?31mb?c"},
		{"bidirectional controls", "a\u202eb\u2066c\u200fd", "a?b?c?d"},
		{"not UTF-8", "a\xff\xfeb\x80", "a?b?"},
		{"NUL and tab", "a\x00b\tc", "a?b?c"},
		{"blanks around", "  x ", "x"},
		{"the line's own end", "* 1 EXPUNGE\r\n", "* 1 EXPUNGE"},
		{"bounded", strings.Repeat("ä", 600), strings.Repeat("ä", 500) + "…"},
		{"not bounded yet", strings.Repeat("ä", 500), strings.Repeat("ä", 500)},
		{"empty", "", ""},
	} {
		if got := Clean(c.in); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestStateError(t *testing.T) {
	if err := StateError(nil); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	for _, c := range []struct {
		err  error
		want Class
	}{
		{state.ErrLocked, Temporary}, {state.ErrNewer, Config}, {state.ErrMove, Bug}, {state.ErrCorrupt, Storage},
		{io.ErrShortWrite, Storage},
	} {
		err := StateError(fmt.Errorf("x: %w", c.err))
		if ClassOf(err) != c.want || !errors.Is(err, c.err) {
			t.Errorf("%v: got %v of class %d, want %d", c.err, err, ClassOf(err), c.want)
		}
	}
}

// That the disk may be full is no help with a file that is damaged.
func TestRemedyForADamagedState(t *testing.T) {
	err := StateError(fmt.Errorf("x: %w", state.ErrCorrupt))
	if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(e.Advice(), "backup") || e.Advice() == remedies[Storage] {
		t.Errorf("got %q", e.Advice())
	}
}

func TestStoppedSaysWhy(t *testing.T) {
	why := errors.New("SIGTERM")
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := stopped(ctx); ClassOf(err) != Stopped || !errors.Is(err, errStopped) {
		t.Errorf("by Stop: got %v", err)
	}
	cancel(why)
	if err := stopped(ctx); ClassOf(err) != Stopped || !errors.Is(err, why) {
		t.Errorf("by the context: got %v", err)
	}
}
