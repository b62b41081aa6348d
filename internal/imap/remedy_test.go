package imap

import (
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// TestRemediesOfRefusals: a code that says what it is about says what to do.
func TestRemediesOfRefusals(t *testing.T) {
	for text, want := range map[string]string{
		"[UNAVAILABLE] later": "the server is busy or wants less at a time: run it again later",
		"[INUSE] later":       "the server is busy or wants less at a time: run it again later",
		"[LIMIT] too many":    "the server is busy or wants less at a time: run it again later",
		"Request is throttled. Suggested Backoff Time: 1000 milliseconds": "the server is busy or wants less at a time: run it again later",
		"[OVERQUOTA] full":      "make room in the account, or have its quota raised, and run it again; what waits stays at the source",
		"[PRIVACYREQUIRED] TLS": "the server wants TLS: use imaps:// or imap://",
		"[NOPERM] no":           "the account may not write to that folder: choose another with --folder",
		"no":                    "",
	} {
		check.Equal(t, text, refusal(sync.Refused, "NO", text).Remedy, want)
	}
	e, _ := classed(replaced(sync.Folder{Name: "x"}))
	check.Equal(t, "a folder that was replaced", e.Remedy, "run it again: it works on the new one")
}
