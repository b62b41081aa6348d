package message_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/mail"
	"os"
	"path/filepath"
	"testing"

	"github.com/pop2imap/pop2imap/internal/message"
)

// corpus is outside of the repository, beside it or beside a folder around it: mail that nobody here wrote (see its
// README.md).
var corpus = findCorpus("../../../shared/corpus", "../../../../shared/corpus")

// findCorpus is the first of the folders that is there, or the first.
func findCorpus(folders ...string) string {
	for _, folder := range folders {
		if _, err := os.Stat(folder); err == nil {
			return folder
		}
	}
	return folders[0]
}

// What was counted in the corpus. More is progress: look at what came to it, and raise the number.
const (
	corpusFiles    = 571
	corpusDates    = 365
	corpusReceived = 135
	corpusIDs      = 317
)

func TestCorpus(t *testing.T) {
	if _, err := os.Stat(corpus); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the corpus of test mail is not at %s", corpus)
	}
	files, err := filepath.Glob(corpus + "/*/*.eml")
	if err != nil || len(files) != corpusFiles {
		t.Fatalf("got %d files, want %d: %v", len(files), corpusFiles, err)
	}
	count := map[string]int{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) { checkMessage(t, raw, count) })
	}
	for why, want := range map[string]int{"Received": corpusReceived, "date": corpusDates, "ID": corpusIDs} {
		if count[why] < want {
			t.Errorf("%s: got %d messages, want %d", why, count[why], want)
		}
	}
	t.Logf("of %d messages: %v", len(files), count)
}

// checkMessage holds what every message must, and counts what it has.
func checkMessage(t *testing.T, raw []byte, count map[string]int) {
	t.Helper()
	header := message.Split(raw)
	if !bytes.HasPrefix(raw, header) {
		t.Error("the header is no prefix of the message")
	}
	checkFields(t, raw, header)
	checkFingerprint(t, raw)
	checkRewrites(t, raw)
	checkRepair(t, raw)
	checkInference(t, header, "", 0)
	if err := checkArrival(header); err != nil {
		t.Error(err)
	}
	compareDates(t, header)
	if message.ID(header) != "" {
		count["ID"]++
	}
	if at, why := message.Arrival(header, "", now); !at.IsZero() {
		count["date"]++
		count[why]++
	}
}

// compareDates reads the date of a message as net/mail does, where net/mail gets that far.
func compareDates(t *testing.T, header []byte) {
	t.Helper()
	if m, err := mail.ReadMessage(bytes.NewReader(header)); err == nil {
		compareWithNetMail(t, m.Header.Get("Date"))
	}
}
