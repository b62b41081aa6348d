package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

func TestReportLineOfMarksThatAreNotFlags(t *testing.T) {
	o := sync.Outcome{Result: sync.Copied, UIDL: "a", Size: 7, Folder: "INBOX", Deleted: "X-Mozilla-Status: 0008",
		Keep: "repaired: NUL", Doubted: []message.Doubt{{What: `\Seen`, Said: "Status: R", Why: "stands where a sender can write"}}}
	got, err := json.Marshal(messageLine("alice", o))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"message","account":"alice","result":"copied","uidl":"a","size":7,"folder":"INBOX",` +
		`"deleted_mark":"X-Mozilla-Status: 0008","not_believed":[{"what":"\\Seen","said":"Status: R",` +
		`"why":"stands where a sender can write"}],"keep":"repaired: NUL"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What is there stays, if it is not a report.
func TestReportFile(t *testing.T) {
	const line = `{"type":"message","account":"x"}` + "\n"
	for _, c := range []struct {
		name, before string
		refused      bool
	}{
		{"empty", "", false},
		{"a report", line, false},
		{"text", "dear diary, this is longer than the beginning of a report", true},
		{"one octet", "{", true},
		{"other JSON", `{"type":"summary","exit":0}`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "report.json")
			if err := os.WriteFile(path, []byte(c.before), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := openReport(path, func(err error) { t.Error(err) })
			if (err != nil) != c.refused || err != nil && exitCode(err) != exitUsage {
				t.Fatalf("got %v, refused should be %v", err, c.refused)
			}
			f.line(messageJSON{Type: "message", Account: "alice", Result: sync.Gone, UIDL: "a"})
			if err := f.close(); err != nil {
				t.Error(err)
			}
			want := c.before
			if !c.refused {
				want = `{"type":"message","account":"alice","result":"vanished","uidl":"a","size":0}` + "\n"
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		})
	}
}
