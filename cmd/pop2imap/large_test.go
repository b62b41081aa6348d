package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// TestLargeMaildrop takes a listing of 100,000 messages, with UIDLs as odd as they come, and copies three a run.
func TestLargeMaildrop(t *testing.T) {
	mail := make([]lab.Mail, 100_000)
	for i := range mail {
		mail[i] = lab.Mail{UIDL: fmt.Sprintf("\xff\"%%s' %d\x01é", i), Raw: []byte("\r\n")}
	}
	command, mailbox := prepared(t, mail, nil)
	for _, want := range []string{"100,000 messages listed, 3 copied (6 B), 99,997 left", "3 known, 3 copied (6 B), 99,994 left"} {
		cmd := command()
		cmd.Args = append(cmd.Args, "--max-messages", "3")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("%v\n%s\nwant %s", err, out, want)
		}
	}
	if stored, err := mailbox.Messages("INBOX"); err != nil || len(stored) != 6 {
		t.Errorf("%d messages, %v", len(stored), err)
	}
}
