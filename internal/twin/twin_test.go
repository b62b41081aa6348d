package twin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pop2imap/pop2imap/internal/imap"
	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// TestMain fails if anything of a session is still running at the end.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a server that holds these messages.
func start(t *testing.T, o lab.IMAPOptions, letters ...letter) *lab.IMAP {
	t.Helper()
	o.User, o.Password = "alice", "secret"
	s, err := lab.StartIMAP(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	put(t, s, letters...)
	return s
}

func put(t *testing.T, s *lab.IMAP, letters ...letter) {
	t.Helper()
	session, err := dialer(s)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close(t.Context())
	folder, err := session.Open(t.Context(), "INBOX", false)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range letters {
		out := sync.Outgoing{Size: int64(len(l.raw)), Body: func() io.Reader { return strings.NewReader(l.raw) }, Flags: l.flags, Date: l.date}
		if err := session.Append(t.Context(), folder, []sync.Outgoing{out}).Wait(t.Context())[0].Err; err != nil {
			t.Fatal(err)
		}
	}
}

func dialer(s *lab.IMAP) func(context.Context) (*imap.Session, error) {
	host, port := s.Addr()
	server := wire.Server{Host: host, Port: port, Security: wire.Cleartext, Side: "from", Timeout: time.Minute}
	return func(ctx context.Context) (*imap.Session, error) {
		return imap.Dial(ctx, server, imap.Login{User: "alice", Password: "secret"})
	}
}

func open(t *testing.T, s *lab.IMAP) *Twin {
	t.Helper()
	w, err := Open(t.Context(), dialer(s), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close(context.Background()) })
	return w
}

// know asks for a message and gives what is said of it in one line.
func know(t *testing.T, w *Twin, s sync.Subject) string {
	t.Helper()
	said, found, err := w.Know(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if !found {
		return "not found"
	}
	for _, f := range said.Flags {
		if f.Why != byUIDL && f.Why != byHeader {
			t.Errorf("%s has the reason %q", f.Name, f.Why)
		}
	}
	return spelled(said)
}

// mail is ten messages of one size, each with a keyword of its own; then two, three times each, whose copies differ in a
// keyword.
func mail() (letters []letter) {
	for n := range 10 {
		letters = append(letters, letter{fmt.Sprintf("Message-ID: <%d@x>\r\n\r\nbody\r\n", n), []string{fmt.Sprint("own", n)},
			time.Date(2001, 2, 3, 4, 5, n, 0, time.UTC)})
	}
	for n := range 6 {
		letters = append(letters, letter{fmt.Sprintf("Message-ID: <%c@x>\r\n\r\nbody\r\n", 'a'+n%2), []string{fmt.Sprint("copy", n)},
			time.Date(2001, 2, 3, 4, 6, n, 0, time.UTC)})
	}
	return letters
}

// Each form of UIDL tells copies of one message apart if it is what it seems to be, and nothing if it is not.
func TestUIDLs(t *testing.T) {
	letters := mail()
	s := start(t, lab.IMAPOptions{}, letters...)
	for _, c := range []struct {
		name   string
		uidl   func(validity, uid uint32) string
		copies bool // are told apart
	}{
		{"Dovecot", func(v, u uint32) string { return fmt.Sprintf("%08X%08X", u, v) }, true},
		{"Dovecot 2.4", func(v, u uint32) string { return fmt.Sprintf("%08x%08x", u, v) }, true},
		{"UW", func(v, u uint32) string { return fmt.Sprintf("%08x%08x", v, u) }, true},
		{"Cyrus", func(v, u uint32) string { return fmt.Sprintf("%d.%d", v, u) }, true},
		{"Cyrus, as Courier", func(v, u uint32) string { return fmt.Sprintf("%d-%d", v, u) }, true},
		{"Cyrus, UID only", func(_, u uint32) string { return fmt.Sprint(u) }, true},
		{"Courier, second form", func(_, u uint32) string { return fmt.Sprint("UID", u) }, true},
		{"Courier, third form", func(v, u uint32) string { return fmt.Sprintf("UID%d-%d", u, v) }, true},
		{"hMailServer", func(_, u uint32) string { return fmt.Sprint(u) }, true},
		{"Stalwart", func(v, u uint32) string { return fmt.Sprintf("%d%d", v, u) }, true},
		{"name of a file", func(_, u uint32) string { return fmt.Sprintf("98117104%d.M1P2.host", u) }, false},
		{"none", func(_, u uint32) string { return "" }, false},
		{"Dovecot, another UIDVALIDITY", func(v, u uint32) string { return fmt.Sprintf("%08x%08x", u, v+1) }, false},
		{"UW, another UIDVALIDITY", func(v, u uint32) string { return fmt.Sprintf("%08x%08x", v-1, u) }, false},
		{"Cyrus, another UIDVALIDITY", func(v, u uint32) string { return fmt.Sprintf("%d.%d", v+1, u) }, false},
		{"Cyrus, zeros in front", func(v, u uint32) string { return fmt.Sprintf("%d.0%d", v, u) }, false},
		{"numbers that are not UIDs", func(_, u uint32) string { return fmt.Sprint(u + 2) }, false},
		{"numbers that are UIDs at first", func(_, u uint32) string { return fmt.Sprint(u + u/10) }, false},
		{"beyond all UIDs", func(v, u uint32) string { return fmt.Sprintf("%d.%d", v, uint64(u)+1<<32) }, false},
		{"UIDs of another folder", func(v, u uint32) string { return fmt.Sprintf("%d.%d", v, u+3) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, s)
			for i, l := range letters {
				want := l.flags[0]
				if i >= 10 && !c.copies {
					want = "not found"
				}
				got := know(t, w, subject(c.uidl(w.folder.UIDValidity, uint32(i+1)), []byte(l.raw)))
				if got != want {
					t.Errorf("message %d: got %s, want %s", i, got, want)
				}
			}
		})
	}
}

// The header decides where there is no UIDL to go by.
func TestHeaders(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2001, 2, n, 4, 5, 6, 0, time.FixedZone("", -90*60)) }
	s := start(t, lab.IMAPOptions{},
		letter{"Message-ID: <deleted@x>\r\n\r\n1\r\n", []string{`\Deleted`, `\Seen`, "work"}, day(1)},
		letter{"Message-ID: <cut@x>\r\n\r\nno line end", []string{`\Seen`}, day(2)},
		letter{"Message-ID: <twin@x>\r\n\r\n3\r\n", []string{`\Flagged`}, day(3)},
		letter{"Message-ID: <twin@x>\r\n\r\n3\r\n", []string{`\Flagged`}, day(4)},
		letter{"Message-ID: <other@x>\r\n\r\n3\r\n", []string{`\Flagged`}, day(5)},
		letter{"Message-ID: <other@x>\r\n\r\n3\r\n", []string{`\Answered`}, day(5)},
		letter{"\r\nno header\r\n", []string{`\Draft`}, day(6)},
		letter{"Message-ID: <long@x>\r\n\r\n" + strings.Repeat("x", 5000), nil, day(7)},
		letter{"Subject: \x00 \xe4\r\nStatus: RO\r\nMessage-ID: <odd@x>\r\n\r\n", []string{`\Answered`}, day(8)},
	)
	w := open(t, s)
	for _, c := range []struct {
		name, raw, want string
		date            time.Time
	}{
		{"marked as deleted", "Message-ID: <deleted@x>\r\n\r\n1\r\n", `\Deleted \Seen work`, day(1)},
		{"RETR adds a line end", "Message-ID: <cut@x>\r\n\r\nno line end\r\n", `\Seen`, day(2)},
		{"two that differ in the date", "Message-ID: <twin@x>\r\n\r\n3\r\n", `\Flagged`, time.Time{}},
		{"two that differ in a flag", "Message-ID: <other@x>\r\n\r\n3\r\n", "not found", time.Time{}},
		{"no header", "\r\nno header\r\n", "not found", time.Time{}},
		{"nothing is set", "Message-ID: <long@x>\r\n\r\n" + strings.Repeat("x", 5000), "", day(7)},
		{"far from its size", "Message-ID: <long@x>\r\n\r\n" + strings.Repeat("x", 500), "not found", time.Time{}},
		{"a Status line less", "Subject: \x80 \xe4\r\nMessage-ID: <odd@x>\r\n\r\n", `\Answered`, day(8)},
		{"unknown", "Message-ID: <unknown@x>\r\n\r\n3\r\n", "not found", time.Time{}},
		{"the same again", "Message-ID: <deleted@x>\r\n\r\n1\r\n", `\Deleted \Seen work`, day(1)},
	} {
		said, found, err := w.Know(t.Context(), subject("", []byte(c.raw)))
		got := "not found"
		if found {
			got = spelled(said)
		}
		if err != nil || got != c.want || !said.Date.Equal(c.date) || (said.Why == "") != c.date.IsZero() {
			t.Errorf("%s: got %s, %v (%s), %v, want %s, %v", c.name, got, said.Date, said.Why, err, c.want, c.date)
		}
		if _, got := said.Date.Zone(); !c.date.IsZero() && got != -90*60 {
			t.Errorf("%s: the offset is %d s, want that of INTERNALDATE", c.name, got)
		}
	}
	for _, command := range s.Commands() {
		if strings.HasPrefix(command, "SELECT") || strings.Contains(command, "STORE") || strings.Contains(command, "EXPUNGE") ||
			strings.Contains(command, "BODY[") {
			t.Errorf("it changes the mailbox: %s", command)
		}
	}
}

// A message without a header is told by a UIDL alone, once that has proved itself.
func TestNoHeader(t *testing.T) {
	letters := append(mail()[:proofs], letter{raw: "\r\nno header\r\n", flags: []string{"bare"}},
		letter{raw: "\r\nanother\r\n", flags: []string{"other"}})
	w := open(t, start(t, lab.IMAPOptions{}, letters...))
	for i, l := range letters {
		got := know(t, w, subject(fmt.Sprintf("%d.%d", w.folder.UIDValidity, i+1), []byte(l.raw)))
		if got != l.flags[0] {
			t.Errorf("message %d: got %s, want %s", i, got, l.flags[0])
		}
	}
	if got := know(t, w, subject(fmt.Sprintf("%d.%d", w.folder.UIDValidity, 6), []byte("\r\nof another size\r\n"))); got != "not found" {
		t.Errorf("of another size: got %s", got)
	}
}

// Each header is fetched once, and together with those of the messages that follow.
func TestFewCommands(t *testing.T) {
	var letters []letter
	for n := range 300 {
		letters = append(letters, letter{raw: fmt.Sprintf("Message-ID: <%d@x>\r\n\r\n%s\r\n", n, strings.Repeat("x", n%7*1000))})
	}
	s := start(t, lab.IMAPOptions{}, letters...)
	w := open(t, s)
	for _, l := range append(letters, letters...) {
		if got := know(t, w, subject("", []byte(l.raw))); got != "" {
			t.Fatalf("got %s", got)
		}
	}
	fetches := 0
	for _, command := range s.Commands() {
		if strings.Contains(command, "FETCH") {
			fetches++
		}
	}
	if fetches > 20 {
		t.Errorf("%d commands for %d messages", fetches, len(letters))
	}
}

// A line that is lost is made again, once; a mailbox that was replaced meanwhile is none to be asked.
func TestLostLine(t *testing.T) {
	fate := make(chan lab.Fate, 10)
	s := start(t, lab.IMAPOptions{Hook: func(_ int, command string) lab.Fate {
		if strings.Contains(command, "BODY.PEEK[HEADER]") {
			return <-fate
		}
		return lab.Execute
	}}, mail()...)
	w := open(t, s)
	fate <- lab.Cut
	fate <- lab.Execute
	if got := know(t, w, subject("", []byte(mail()[3].raw))); got != "own3" {
		t.Errorf("after one cut: got %s", got)
	}
	w = open(t, s)
	fate <- lab.Cut
	fate <- lab.Cut
	_, found, err := w.Know(t.Context(), subject("", []byte(mail()[3].raw)))
	if found || err == nil || sync.ClassOf(err) != sync.Temporary {
		t.Errorf("after two cuts: got %v, %v", found, err)
	}
	w = open(t, s)
	close(fate) // all is executed
	w.folder.UIDValidity++
	_, found, err = w.Know(t.Context(), subject("", []byte(mail()[3].raw)))
	if found || err == nil || !strings.Contains(err.Error(), "was replaced") {
		t.Errorf("replaced: got %v, %v", found, err)
	}
}

func TestOpenThatFails(t *testing.T) {
	s := start(t, lab.IMAPOptions{})
	if _, err := Open(t.Context(), dialer(s), "Nowhere"); err == nil || sync.ClassOf(err) != sync.Missing {
		t.Errorf("no such folder: got %v", err)
	}
	refused := errors.New("refused")
	dial := func(context.Context) (*imap.Session, error) { return nil, refused }
	if _, err := Open(t.Context(), dial, "INBOX"); err != refused {
		t.Errorf("no login: got %v", err)
	}
	w := open(t, s)
	if got := know(t, w, subject("1", []byte("Subject: x\r\n\r\n"))); got != "not found" || w.Len() != 0 {
		t.Errorf("an empty folder of %d messages: got %s", w.Len(), got)
	}
}

// What a folder may be is bounded.
func TestTooMuch(t *testing.T) {
	x := newIndex()
	x.entries = make([]entry, entriesMax)
	if err := x.add(imap.Mark{}); err == nil {
		t.Error("more messages than a maildrop lists are taken")
	}
	x = newIndex()
	for n := range entriesMax {
		if err := x.add(imap.Mark{UID: uint32(n), Flags: []string{fmt.Sprint("keyword", n)}}); err != nil {
			return
		}
	}
	t.Error("there is no end of flags")
}

// Half a million messages, with the fingerprints of all, fit into 64 MiB, also while they are taken in.
func TestMemory(t *testing.T) {
	const messages = 500_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	x := newIndex()
	for n := range messages {
		m := imap.Mark{UID: uint32(2*n + 1), Size: int64(n * 7919 % 100_000), Flags: []string{`\Seen`, fmt.Sprint("k", n%50)}, Date: time.Unix(int64(n), 0)}
		if err := x.add(m); err != nil {
			t.Fatal(err)
		}
	}
	held := 2 * cap(x.entries) * 32 // while it grows: the old one, and the new one, which is larger by a quarter
	x.finish()
	x.prints = make([][32]byte, len(x.entries))
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := float64(after.HeapAlloc-before.HeapAlloc) / messages
	t.Logf("%.1f octets a message, %.1f MiB at the most while it grows", each, float64(held)/(1<<20))
	if each > 100 || max(held, int(each*messages)) > 64<<20 {
		t.Errorf("%.1f octets a message, %d while it grows", each, held)
	}
	if e := x.find(999_999); e == nil || !slices.Equal(x.sets[e.flags], []string{`\Seen`, "k49"}) {
		t.Errorf("the last message is %+v", e)
	}
}
