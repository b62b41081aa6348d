package real

import (
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// A Message is what a server keeps.
type Message struct {
	UID   uint32
	Raw   []byte
	Date  time.Time // INTERNALDATE
	Flags []string
	Size  int64 // RFC822.SIZE, which is not always the length of Raw
}

// Stored reads a folder of the account back over IMAP, in the order of UIDs, and changes nothing in it. The folder has
// to exist. What has become of a message that a client appended:
//   - Dovecot (all formats): NUL is 0x80; LF is CR LF; one CR before CR LF is gone, and so is a CR at the very end.
//     An empty message: "NO Can't save a zero byte message". From a literal8, binary parts are base64.
//   - Cyrus: 8-bit bytes before the first empty line are X. Refused are "NO Message contains NUL characters",
//     "NO Message contains bare newlines" (LF without CR), "NO Message contains invalid header" (a line that is no
//     field and no continuation, or has a space before the colon; a header that does not end with CR LF) and
//     "NO Zero-length message literal".
//   - Courier: every CR is gone that is not before LF, and all but one of those that are; LF is CR LF, and a message
//     that does not end with CR LF does. Nothing is refused, an empty message is one CR LF. Of a message whose parts
//     within parts never end the file has all, IMAP only the beginning.
func (s *Server) Stored(t testing.TB, folder string) []Message {
	t.Helper()
	c, err := dial(s.IMAP, nil)
	if err != nil {
		t.Fatalf("connect to %s: %v", s.Kind, err)
	}
	client := imapclient.New(c, nil)
	defer client.Close()
	if err := client.Login(s.User, s.Password).Wait(); err != nil {
		t.Fatalf("log in to %s: %v", s.Kind, err)
	}
	if _, err := client.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		t.Fatalf("open %q on %s: %v", folder, s.Kind, err)
	}
	got, err := fetchAll(client)
	if err != nil {
		t.Fatalf("read %q on %s: %v", folder, s.Kind, err)
	}
	return got
}

func fetchAll(client *imapclient.Client) ([]Message, error) {
	all := imap.UIDSet{imap.UIDRange{Start: 1, Stop: 0}} // 1:*
	cmd := client.Fetch(all, &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true,
		BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
	var got []Message
	for {
		m := cmd.Next()
		if m == nil {
			break
		}
		b, err := m.Collect()
		if err != nil {
			return nil, err
		}
		got = append(got, message(b))
	}
	slices.SortFunc(got, func(a, b Message) int { return int(int64(a.UID) - int64(b.UID)) })
	return got, cmd.Close()
}

func message(b *imapclient.FetchMessageBuffer) Message {
	m := Message{UID: uint32(b.UID), Date: b.InternalDate, Size: b.RFC822Size}
	for _, f := range b.Flags {
		m.Flags = append(m.Flags, string(f))
	}
	if len(b.BodySection) > 0 {
		m.Raw = b.BodySection[0].Bytes
	}
	return m
}
