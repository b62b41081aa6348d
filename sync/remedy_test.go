package sync

import (
	"errors"
	"testing"
)

func TestAdvice(t *testing.T) {
	for class, want := range map[Class]string{
		Bug:         "report it; what was recorded is safe",
		Refused:     "",
		Vanished:    "",
		Temporary:   "try again later; if it stays so, ask whoever runs the server",
		Unavailable: "ask whoever runs the server",
		Missing:     "choose another folder with --folder",
		Protocol:    "check that host and port are those of a mail server, and ask whoever runs it",
		Login:       "check user name and password",
		Storage:     "look at the disk: is it full, read-only, or another user's?",
		Config:      "mend it, and run it again",
		Stopped:     "run it again: it goes on from there",
	} {
		if got := (&Error{Class: class, Err: errors.New("x")}).Advice(); got != want {
			t.Errorf("class %d: got %q, want %q", class, got, want)
		}
		if got := (&Error{Class: class, Remedy: "mend it"}).Advice(); got != "mend it" {
			t.Errorf("class %d with a remedy of its own: got %q", class, got)
		}
	}
}

func TestSpoolSaysWhereThereIsNoRoom(t *testing.T) {
	t.Setenv("TMPDIR", "/somewhere")
	e, ok := errors.AsType[*Error](onDisk(errors.New("full")))
	if want := "make room in /somewhere, or set TMPDIR to a folder with more"; !ok || e.Remedy != want {
		t.Errorf("got %v, want %q", e, want)
	}
}
