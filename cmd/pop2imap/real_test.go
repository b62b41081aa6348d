package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/discover"
	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/internal/message"
)

const corpus = "../../../shared/corpus"

// TestRealServers sends torture mail from each server to each: as many messages as files, in order, octet for octet,
// with their dates; what a server refuses as it is gets the least repair; and the second run copies nothing.
func TestRealServers(t *testing.T) {
	names, mail := letters(t)
	for _, from := range real.Kinds {
		for _, to := range real.Kinds {
			t.Run(fmt.Sprintf("%s to %s", from, to), func(t *testing.T) { move(t, from, to, names, mail) })
		}
	}
}

// letters gives the corpus where it is, and the program's own sample mail.
func letters(t *testing.T) (names []string, mail [][]byte) {
	for i, m := range lab.Sample() {
		names, mail = append(names, fmt.Sprintf("sample %d", i+1)), append(mail, m.Raw)
	}
	err := filepath.WalkDir(corpus, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Dir(path) == corpus {
			return err
		}
		raw, err := os.ReadFile(path)
		names, mail = append(names, strings.TrimPrefix(path, corpus+"/")), append(mail, raw)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	t.Logf("%d messages", len(mail))
	return names, mail
}

func move(t *testing.T, fromKind, toKind real.Kind, names []string, mail [][]byte) {
	from, to := real.Start(t, fromKind, nil), real.Start(t, toKind, nil)
	names, mail = put(t, from, names, mail)
	args := []string{"sync", "--json", "--state", filepath.Join(t.TempDir(), "state.db"),
		"--from", fmt.Sprintf("pop3s://%s@127.0.0.1:%d", from.User, from.POP3S), "--from-tls-ca", from.CA,
		"--to", fmt.Sprintf("imap://%s@127.0.0.1:%d/Moved/Äpfel & Birnen", to.User, to.IMAP), "--to-tls-ca", to.CA}
	first := syncJSON(t, args, from.Password, to.Password)
	if first.Listed != len(mail) || first.Copied+first.Refused != len(mail) || (first.Exit != 0) != (first.Refused > 0) {
		t.Fatalf("listed %d, copied %d, refused %d of %d, exit %d, error %v\n%s", first.Listed, first.Copied, first.Refused,
			len(mail), first.Exit, first.Error, to.Log())
	}
	slices.SortStableFunc(first.messages, func(a, b messageJSON) int { return cmp.Compare(a.UID, b.UID) })
	var want []int // those that were copied, by number
	var repairs []string
	number := numbers(fromKind, mail)
	for _, m := range first.messages {
		if m.Result == "changed" { // one more line of a message that was copied
			continue
		}
		i, ok := number(m.Digest)
		if !ok {
			t.Fatalf("nobody sent %+v", m)
		}
		if m.Result != "copied" {
			t.Errorf("%s was refused: %s", names[i], m.Server)
			continue
		}
		want = append(want, i)
		repair := strings.TrimPrefix(m.Keep, "repaired: ")
		if toKind == real.Cyrus && repair != cyrusWants[names[i]] || toKind != real.Cyrus && repair != "" {
			t.Errorf("%s was stored with repair %q", names[i], m.Keep)
		}
		repairs = append(repairs, repair)
	}
	if toKind != real.Cyrus && !slices.IsSorted(want) { // around a refusal it is not kept
		t.Errorf("the messages are not in the order of the maildrop: %v", want)
	}
	check(t, to, want, repairs, names, mail, fromKind)
	if second := syncJSON(t, args, from.Password, to.Password); second.Copied != 0 || second.Known != first.Copied ||
		second.Quarantined != first.Refused || second.Exit != 0 {
		t.Errorf("second run: copied %d, known %d, quarantined %d, exit %d", second.Copied, second.Known, second.Quarantined, second.Exit)
	}
}

// numbers tells by a digest which message it was: of equal ones the first that was not told yet.
func numbers(from real.Kind, mail [][]byte) func(digest string) (i int, ok bool) {
	by := map[string][]int{}
	for i, raw := range mail {
		d := digest(sha256.Sum256(given(from, raw)))
		by[d] = append(by[d], i)
	}
	return func(digest string) (i int, ok bool) {
		if ok = len(by[digest]) > 0; ok {
			i, by[digest] = by[digest][0], by[digest][1:]
		}
		return i, ok
	}
}

// put fills the maildrop, and gives what it took.
func put(t *testing.T, s *real.Server, names []string, mail [][]byte) (taken []string, raw [][]byte) {
	skip := map[int]bool{}
	for _, r := range s.Put(t, mail) {
		skip[r.Index] = true
		t.Logf("%s does not take %s: %s", s.Kind, names[r.Index], r.Words)
	}
	for i := range mail {
		if !skip[i] {
			taken, raw = append(taken, names[i]), append(raw, mail[i])
		}
	}
	return taken, raw
}

// check compares what the destination holds with the files.
func check(t *testing.T, to *real.Server, want []int, repairs, names []string, mail [][]byte, from real.Kind) {
	stored := to.Stored(t, ours(to.Kind))
	if len(stored) != len(want) {
		t.Fatalf("%d messages at the destination, want %d", len(stored), len(want))
	}
	wrong, dates := 0, arrivals(mail, from)
	for k, i := range want {
		raw := kept(to.Kind, repaired(t, given(from, mail[i]), repairs[k]))
		if names[i] == courierCuts && to.Kind == real.Courier && isFile(t, to.Dir, raw) {
			continue
		}
		if !bytes.Equal(stored[k].Raw, raw) && wrong < 10 {
			wrong++
			at := differ(stored[k].Raw, raw)
			t.Errorf("%s: %d octets, want %d; they differ at %d: got %q, want %q", names[i], len(stored[k].Raw), len(raw), at,
				window(stored[k].Raw, at), window(raw, at))
		}
		if date := dates[i]; date.IsZero() {
			if age := time.Since(stored[k].Date); age < -time.Minute || age > 10*time.Minute {
				t.Errorf("%s has no date: got %v, want now", names[i], stored[k].Date)
			}
		} else if !stored[k].Date.Equal(date) {
			t.Errorf("%s: INTERNALDATE %v, want %v", names[i], stored[k].Date, date)
		}
	}
}

// arrivals are the dates of messages, of which one without any has that of the one before it.
func arrivals(mail [][]byte, from real.Kind) []time.Time {
	dates := make([]time.Time, len(mail))
	for i, raw := range mail {
		if dates[i], _ = message.Arrival(message.Split(given(from, raw)), "", time.Now()); dates[i].IsZero() && i > 0 {
			dates[i] = dates[i-1]
		}
	}
	return dates
}

// repaired is a message with a repair.
func repaired(t *testing.T, raw []byte, repair string) []byte {
	var kinds message.Repairs
	for _, k := range []message.Repairs{message.NUL, message.Header8bit, message.InvalidHeader} {
		if strings.Contains(repair, k.String()) {
			kinds |= k
		}
	}
	raw, err := io.ReadAll(message.Repaired(bytes.NewReader(raw), kinds))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// ours is the name of the folder as the server has it.
func ours(k real.Kind) string {
	switch k {
	case real.Dovecot:
		return "Moved.Äpfel & Birnen"
	case real.Courier:
		return "INBOX.Moved.Äpfel & Birnen"
	}
	return "Moved/Äpfel & Birnen"
}

func differ(a, b []byte) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return i
}

func window(b []byte, at int) []byte { return b[max(0, min(at, len(b))-30):min(len(b), at+30)] }

// syncJSON runs the command and gives its summary. The exit code must be the one that it says.
func syncJSON(t *testing.T, args []string, fromPassword, toPassword string) (s runSummary) {
	t.Helper()
	var out, talk bytes.Buffer
	env := map[string]string{"POP2IMAP_FROM_PASSWORD": fromPassword, "POP2IMAP_TO_PASSWORD": toPassword}
	exit := run(context.Background(), args, func(name string) string { return env[name] }, drawer(""), discover.Lookup{}, stdio{os.Stdin, &out, &talk})
	for line := range bytes.Lines(out.Bytes()) {
		var m messageJSON
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if m.Type == "message" {
			s.messages = append(s.messages, m)
			continue
		}
		var sum struct{ Accounts []accountJSON }
		if err := json.Unmarshal(line, &sum); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		s.accountJSON = sum.Accounts[0]
	}
	if exit != s.Exit || s.Listed == 0 {
		t.Fatalf("exit %d, the summary says %d, %d listed\n%s\n%s", exit, s.Exit, s.Listed, talk.String(), out.String())
	}
	return s
}

type runSummary struct {
	accountJSON
	messages []messageJSON
}

// cyrusWants is the repair without which Cyrus does not store a message (imap/message.c, message_copy_strict).
var cyrusWants = map[string]string{
	"mail-gem/038-multiple_references_with_one_invalid.eml": "invalid-header",
	"mail-gem/076-raw_email_incorrect_header.eml":           "invalid-header",
	"mail-gem/097-example13.eml":                            "invalid-header",
	"mail-parser/073-019.eml":                               "invalid-header",
	"mail-parser/092-005.eml":                               "nul",
	"mime4j/017-hdr-fakeout.eml":                            "invalid-header",
	"mime4j/053-basic-plain-with-bad-header-separator.eml":  "invalid-header",
	"mime4j/059-malformedHeader-nocrlfcrlf.eml":             "invalid-header",
	"mime4j/060-malformedHeader-noheader.eml":               "invalid-header",
	"mime4j/070-obsolete.eml":                               "invalid-header",
	"rspamd/089-fws_fn.eml":                                 "invalid-header",
	"rspamd/118-phish_sender2.eml":                          "invalid-header",
	"rspamd/120-phish_sender4.eml":                          "invalid-header",
}

// given is what a server's POP3 makes of a file in its maildrop.
func given(k real.Kind, raw []byte) []byte {
	switch k {
	case real.Courier: // a CR before the LF is an octet like others to it
		raw = bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
		if !bytes.HasSuffix(raw, []byte("\n")) {
			return canonical(raw)
		}
		return raw
	case real.Cyrus:
		return kept(k, canonical(raw)) // it was appended there
	}
	return canonical(raw)
}

// courierCuts has parts in parts without end. Courier stores all of it, and shows the first 300 KB over IMAP.
const courierCuts = "flanker/022-enclosed-endless.eml"

// isFile says whether a message is a file somewhere in a folder, its lines ended by LF.
func isFile(t *testing.T, dir string, raw []byte) (found bool) {
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if info, err := d.Info(); err != nil || info.Size() != int64(len(raw)) {
			return err
		}
		file, err := os.ReadFile(path)
		found = found || bytes.Equal(file, raw)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return found
}

var loneCR = regexp.MustCompile("\r+\n?")

// kept is what a server makes of a message that is appended to it: its own rewrites, known, and nothing else.
func kept(k real.Kind, raw []byte) []byte {
	switch k {
	case real.Dovecot: // lines are kept without the CR; NUL has no place in IMAP
		raw = bytes.ReplaceAll(raw, []byte("\r\r\n"), []byte("\r\n"))
		return bytes.ReplaceAll(raw, []byte{0}, []byte{0x80})
	case real.Courier:
		return loneCR.ReplaceAllFunc(raw, func(cr []byte) []byte { // every CR that no LF follows goes
			if bytes.HasSuffix(cr, []byte("\n")) {
				return []byte("\r\n")
			}
			return nil
		})
	}
	raw = bytes.Clone(raw) // munge8bit
	for i, c := range message.Split(raw) {
		if c >= 0x80 {
			raw[i] = 'X'
		}
	}
	return raw
}
