package message_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/internal/message"
)

// Each message that Cyrus refuses as it is it takes after repair, and keeps it as it was repaired.
func TestCyrusTakesWhatIsRepaired(t *testing.T) {
	files, err := filepath.Glob(corpus + "/*/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var mail [][]byte
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names, mail = append(names, filepath.Base(file)), append(mail, canonical(raw))
	}
	for _, m := range lab.Sample() {
		names, mail = append(names, "sample "+m.UIDL), append(mail, canonical(m.Raw))
	}
	verbatim, second := real.Start(t, real.Cyrus, nil), real.Start(t, real.Cyrus, nil)
	var mended [][]byte
	for _, r := range verbatim.Put(t, mail) {
		raw, needed := repaired(t, mail[r.Index], message.AllRepairs)
		t.Logf("%s: %s: %s", names[r.Index], r.Words, needed)
		mended = append(mended, []byte(raw))
	}
	t.Logf("of %d messages %d are refused as they are", len(mail), len(mended))
	for _, r := range second.Put(t, mended) {
		t.Errorf("refused after repair: %s: %.300q", r.Words, mended[r.Index])
	}
	stored := second.Stored(t, "INBOX")
	if len(stored) != len(mended) {
		t.Fatalf("stored %d of %d", len(stored), len(mended))
	}
	for i, m := range stored {
		if !bytes.Equal(m.Raw, mended[i]) {
			t.Errorf("stored %.300q, sent %.300q", m.Raw, mended[i])
		}
	}
}
