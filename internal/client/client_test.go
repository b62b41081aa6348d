package client_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/client"
	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

// letter is a message as a maildrop has it, with LF line ends.
func letter(n int) string {
	return fmt.Sprintf("Received: by mx.example; Mon, 2 Jan 2006 15:04:05 -0700\nFrom: ann@example.org\n"+
		"Date: Mon, 2 Jan 2006 15:04:%02d -0700\nSubject: letter %d\nMessage-ID: <%d@example.org>\n\nText %d.\nMore.\n",
		n%60, n, n, n)
}

// subject is what a run asks about a message.
func subject(uidl, raw string) sync.Subject {
	raw = strings.ReplaceAll(raw, "\n", "\r\n")
	header := message.Split([]byte(raw))
	return sync.Subject{UIDL: uidl, Size: int64(len(raw)), Fingerprint: message.Fingerprint(header),
		MessageID: message.ID(header), Header: header}
}

// write makes files in a new folder, by their paths in it. One whose path ends with "/" is a folder.
func write(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for path, text := range files {
		full := filepath.Join(dir, path)
		parent := full
		if !strings.HasSuffix(path, "/") {
			parent = filepath.Dir(full)
		}
		if err := os.MkdirAll(parent, 0o700); err != nil {
			t.Fatal(err)
		}
		if parent != full {
			if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func open(t *testing.T, path string) *client.Client {
	t.Helper()
	c, err := client.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// said is what a client says of a message, in one line: "unknown", or the flags, sorted, and what else there is.
func said(t *testing.T, c *client.Client, s sync.Subject) string {
	t.Helper()
	testimony, found, err := c.Know(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if !found {
		return "unknown"
	}
	var words []string
	for _, f := range testimony.Flags {
		if f.Why == "" {
			t.Errorf("%s has no reason", f.Name)
		}
		words = append(words, f.Name)
	}
	slices.Sort(words)
	if !testimony.Whole {
		words = append(words, "and perhaps others")
	}
	if testimony.Deleted != "" {
		words = append(words, "deleted")
	}
	return strings.Join(words, " ")
}

func TestOpenFindsOutWhatItIs(t *testing.T) {
	const seen = "X-Mozilla-Status: 0001\nX-Mozilla-Status2: 00000000\n"
	mbox := "From - Mon Jan  2 15:04:05 2006\n" + seen + letter(1) + "\n"
	for name, c := range map[string]struct {
		files map[string]string
		path  string
	}{
		"Thunderbird profile": {map[string]string{"prefs.js": "", "Mail/pop.example.org/Inbox": mbox,
			"Mail/pop.example.org/Inbox.msf": "// <!-- <mdb:mork:z v=\"1.4\"/> -->", "ImapMail/x/INBOX": "From - \n" + letter(1)}, ""},
		"its Mail folder":         {map[string]string{"Mail/Local Folders/Archives.sbd/2006": mbox}, "Mail"},
		"folder of an account":    {map[string]string{"pop.example.org/Inbox": mbox, "pop.example.org/popstate.dat": ""}, "pop.example.org"},
		"Maildir of Thunderbird":  {map[string]string{"Inbox.msf": "", "Inbox/cur/1.eml": seen + letter(1), "Inbox/new/": ""}, ""},
		"mbox file":               {map[string]string{"mbox": mbox}, "mbox"},
		"mbox with CRLF":          {map[string]string{"mbox": strings.ReplaceAll(mbox, "\n", "\r\n")}, "mbox"},
		"Maildir":                 {map[string]string{"cur/1.a.b:2,S": letter(1), "new/": "", "tmp/2.a.b": "half a let"}, ""},
		"Maildir++":               {map[string]string{"cur/": "", "new/": "", ".Sent/cur/1.a.b:2,S": letter(1), ".Sent/new/": ""}, ""},
		"Maildirs in a folder":    {map[string]string{"a/b/cur/1.a.b:2,S": letter(1), "a/b/new/": "", "a/notes.txt": "From me"}, "a"},
		"Maildir made on Windows": {map[string]string{"cur/1.a.b;2,S": letter(1), "new/": ""}, ""},
		"with an exclamation":     {map[string]string{"cur/1.a.b!2,S": letter(1), "new/": ""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := said(t, open(t, filepath.Join(write(t, c.files), c.path)), subject("", letter(1)))
			if got != `\Seen` {
				t.Errorf(`got %q, want \Seen`, got)
			}
		})
	}
}

func TestOpenRefusesWhatIsNoMail(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"empty folder":                      {"x/": ""},
		"folder of other files":             {"x/a.txt": "text", "x/b": "Frominent"},
		"a file":                            {"x": "Subject: no mbox\n\ntext\n"},
		"profile without local mail":        {"x/prefs.js": "", "x/ImapMail/a/INBOX": "From - \n" + letter(1)},
		"a Maildir of which only cur is":    {"x/cur/1:2,S": letter(1)},
		"offline copies of mail over IMAP":  {"x/ImapMail/a/INBOX": "From - \n" + letter(1)},
		"a message that is in no Maildir":   {"x/1.eml": letter(1)},
		"profile with an empty Mail folder": {"x/prefs.js": "", "x/Mail/": ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.Open(t.Context(), filepath.Join(write(t, files), "x"))
			if err == nil || !strings.Contains(err.Error(), "expected a Thunderbird profile") {
				t.Errorf("got %v, want what was expected", err)
			}
		})
	}
	if _, err := client.Open(t.Context(), filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing there: got %v", err)
	}
	if _, err := client.Open(t.Context(), os.DevNull); err == nil {
		t.Error("a device was opened")
	}
}

func TestOpenTakesAnEmptyInbox(t *testing.T) {
	if got := said(t, open(t, filepath.Join(write(t, map[string]string{"Inbox": ""}), "Inbox")), subject("1", letter(1))); got != "unknown" {
		t.Errorf("got %q, want unknown", got)
	}
}

func TestOpenEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, files := range []map[string]string{
		{"x": "From - \n" + letter(1)}, {"x/Inbox": "From - \n" + letter(1)}, {"x/cur/1:2,": letter(1), "x/new/": ""},
	} {
		if _, err := client.Open(ctx, filepath.Join(write(t, files), "x")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	}
}

// Files that may not be written and a folder in which nothing may be made are enough, and nothing is changed.
func TestOpenOnlyReads(t *testing.T) {
	dir := write(t, map[string]string{"prefs.js": "", "Mail/a/Inbox": "From - \n" + letter(1), "Mail/a/popstate.dat": "*a b\nk 1 1\n",
		"Mail/b/cur/1:2,S": letter(2), "Mail/b/new/1": letter(3)})
	list := func() (all []string) {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			all = append(all, fmt.Sprint(path, info.Mode(), info.Size(), info.ModTime()))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	for _, path := range []string{"Mail/a/Inbox", "Mail/a/popstate.dat", "Mail/b/cur/1:2,S", "Mail/b/new/1"} {
		if err := os.Chmod(filepath.Join(dir, path), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	before := list()
	open(t, dir)
	if after := list(); !slices.Equal(before, after) {
		t.Errorf("got %q, want %q", after, before)
	}
}
