package real

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A Refusal is a message that a server did not take.
type Refusal struct {
	Index int    // in what was given to Put
	Words string // the server's
}

// Put adds messages to the account's inbox, in the order in which POP3 will list them, and returns what the server
// refused. Each has a date of arrival of its own, a second after the one before, from a day ago on.
//
// Dovecot's and Courier's inbox is a Maildir: the bytes of each message are a file there, as they are, and nothing is
// refused. Other inboxes (Cyrus, Dovecot's mdbox and sdbox) are appended to over IMAP, with each LF that has no CR
// before it made CR LF, and alter and refuse what they do for any client: see Stored.
//
// RETR gives a message that does not end with CR LF with CR LF after it, which LIST does not count. Besides,
//   - Dovecot gives LF as CR LF and CR LF as it is. NUL is NUL by POP3, 0x80 by IMAP.
//   - Courier gives LF as CR LF and CR LF as CR CR LF: its Maildir has to have plain LF. IMAP leaves out a CR at the
//     very end. Unless the client has said UTF8 before logging in, a message with 8-bit bytes in a header, of a part
//     too, comes as the attachment of a message from "Mail Delivery Subsystem" that is 734 bytes longer than LIST says.
//     In a message whose parts within parts never end, LIST and IMAP count and give only the beginning, RETR all.
func (s *Server) Put(t testing.TB, raw [][]byte) []Refusal {
	t.Helper()
	if s.maildir == "" {
		return s.appendAll(t, raw)
	}
	for _, m := range raw {
		s.deliver(t, m)
	}
	return nil
}

func (s *Server) makeMaildir(t testing.TB) {
	t.Helper()
	for _, sub := range []string{"", "tmp", "new", "cur"} {
		rel, err := filepath.Rel(s.Dir, filepath.Join(s.maildir, sub))
		if err != nil {
			t.Fatalf("make a Maildir for %s: %v", s.Kind, err)
		}
		s.folder(t, rel)
	}
}

// nextDate gives the date of arrival of the next message.
func (s *Server) nextDate() time.Time {
	s.puts++
	return s.epoch.Add(time.Duration(s.puts-1) * time.Second)
}

// deliver writes one message the way a delivery program does: under tmp, then moved to new. Both servers number new
// files in the order of the seconds that their names begin with.
func (s *Server) deliver(t testing.TB, raw []byte) {
	t.Helper()
	date := s.nextDate()
	name := fmt.Sprintf("%d.M%dP%d.lab", date.Unix(), s.puts, os.Getpid())
	tmp := filepath.Join(s.maildir, "tmp", name)
	err := os.WriteFile(tmp, raw, 0o600)
	if err == nil {
		err = os.Chown(tmp, s.runner.uid, s.runner.gid)
	}
	if err == nil {
		err = os.Chtimes(tmp, date, date)
	}
	if err == nil {
		err = os.Rename(tmp, filepath.Join(s.maildir, "new", name))
	}
	if err != nil {
		t.Fatalf("put a message into the Maildir of %s: %v", s.Kind, err)
	}
}
