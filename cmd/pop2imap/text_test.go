package main

import (
	"errors"
	"testing"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

func TestLineOfAMessage(t *testing.T) {
	for want, o := range map[string]sync.Outcome{
		`copied      "a" 5 octets (listed as 6) to INBOX without a date \Seen (Status) (stays at the source: repaired)`: {
			Result: sync.Copied, UIDL: "a", Listed: 6, Size: 5, Folder: "INBOX", Keep: "repaired",
			Flags: []message.Flag{{Name: `\Seen`, Why: "Status"}}},
		`recognised  "a\x1b" 5 octets in Old`: {Result: sync.Recognised, UIDL: "a\x1b", Listed: 5, Size: 5, Folder: "Old"},
		`marked      "a" 5 octets in INBOX \Answered (answered by a later message of yours)`: {
			Result: sync.Marked, UIDL: "a", Listed: 5, Size: 5, Folder: "INBOX",
			Flags: []message.Flag{{Name: `\Answered`, Why: "answered by a later message of yours"}}},
		`would match "a" 5 octets`:                    {Result: sync.WouldKnow, UIDL: "a", Listed: 5, Folder: "Old"},
		`deleted     "a" 5 octets`:                    {Result: sync.Removed, UIDL: "a", Listed: 5, Size: 5},
		`refused     "a" 5 octets NO [TOOBIG] not me`: {Result: sync.RefusedOne, UIDL: "a", Listed: 5, Server: "NO [TOOBIG] not me"},
	} {
		if got := describe(o); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestAftermath(t *testing.T) {
	for want, r := range map[string]sync.Report{
		"nothing was changed at either end":                                             {},
		"nothing was changed at either end; 2 messages wait for the next run":           {Known: 3, Left: 2},
		"2 messages copied; 1 message deleted at the source":                            {Copied: 2, Deleted: 1},
		"3 messages in doubt: the next run finds out; 1 message waits for the next run": {InDoubt: 2, Missing: 1, Left: 1},
	} {
		if got := aftermath(r); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	login := &sync.Error{Class: sync.Login, Err: errors.New("no")}
	later := &sync.Error{Class: sync.Temporary, Err: errors.New("later")}
	for _, c := range []struct {
		name string
		got  int
		want int
	}{
		{"all is well", reportExit(sync.Report{Copied: 2, Recognised: 1, Deleted: 3, Quarantined: 1}), 0},
		{"refused", reportExit(sync.Report{Refused: 1}), 3},
		{"vanished, and a line that was lost", reportExit(sync.Report{Vanished: 1, Err: later}), 3},
		{"in doubt", reportExit(sync.Report{Refused: 1, InDoubt: 1}), 4},
		{"in doubt, and not listed any more", reportExit(sync.Report{Missing: 1}), 4},
		{"no login", reportExit(sync.Report{Missing: 1, Err: login}), 77},
		{"a bug", reportExit(sync.Report{Err: errors.New("what?")}), 70},
		{"all verified", verifyExit(sync.Verification{Proved: 2, Changed: 1}), 0},
		{"not there", verifyExit(sync.Verification{Proved: 2, Absent: 1}), 4},
		{"unsure", verifyExit(sync.Verification{Unsure: 1}), 4},
		{"not verified", verifyExit(sync.Verification{Err: later}), 75},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, c.got, c.want)
		}
	}
}
