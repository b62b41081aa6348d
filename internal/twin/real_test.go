package twin

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/pop2imap/pop2imap/internal/imap"
	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/internal/pop3"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

const many = 1000

// A thousand messages with random flags, keywords and dates, in a mailbox with gaps, and half as many sizes: whatever
// their UIDLs are like, what is said of each is what it has.
func TestRealServers(t *testing.T) {
	for _, kind := range real.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			s := real.Start(t, kind, nil)
			truth := fill(t, s)
			var twins []*Twin
			for range 3 { // before anything is retrieved: that sets \Seen on some
				twins = append(twins, openReal(t, s))
			}
			subjects := retrieve(t, s)
			if len(subjects) != many {
				t.Fatalf("the maildrop has %d messages, want %d", len(subjects), many)
			}
			uidl, headers := ask(t, "as they are", twins[0], subjects, truth)
			if kind != real.Courier && (uidl != many || headers > 50) { // Courier counts UIDs of its own for POP3
				t.Errorf("%d are told by UIDL, and %d headers were fetched; want %d and a few", uidl, headers, many)
			}
			ask(t, "half of the UIDLs changed", twins[1], renamed(subjects, func(i int) string {
				if i%2 == 0 {
					return fmt.Sprintf("%d.M%dP1.changed", i, i)
				}
				return subjects[i].UIDL
			}), truth)
			ask(t, "each with the UIDL of the next", twins[2], renamed(subjects, func(i int) string {
				return subjects[(i+1)%len(subjects)].UIDL
			}), truth)
		})
	}
}

// A fact is what a message was given when it was appended, by Message-ID.
type fact struct {
	flags string
	date  time.Time
}

// ask compares what the twin says of each message with the truth, and logs how it was told.
func ask(t *testing.T, name string, w *Twin, subjects []sync.Subject, truth map[string]fact) (uidl, headers int) {
	t.Helper()
	right := 0
	for i, s := range subjects {
		got, found, err := w.Know(t.Context(), s)
		if err != nil {
			t.Fatalf("%s, message %d: %v", name, i, err)
		}
		want := truth[s.MessageID]
		if flags := spelled(got); !found || flags != want.flags || !got.Date.Equal(want.date) || !got.Whole {
			t.Errorf("%s, message %d, UIDL %q: got %v %q %v, want %q %v", name, i, s.UIDL, found, flags, got.Date, want.flags, want.date)
			continue
		}
		right++
		if strings.HasSuffix(got.Why, byUIDL) {
			uidl++
		}
	}
	for _, e := range w.index.entries {
		if e.fetched {
			headers++
		}
	}
	t.Logf("%s: %d of %d right, %d of them by UIDL (%q), %d headers fetched", name, right, len(subjects), uidl, subjects[1].UIDL, headers)
	return uidl, headers
}

// spelled gives the flags in one line.
func spelled(s sync.Testimony) string {
	var names []string
	for _, f := range s.Flags {
		names = append(names, f.Name)
	}
	if s.Deleted != "" {
		names = append(names, `\Deleted`)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func renamed(subjects []sync.Subject, name func(int) string) []sync.Subject {
	subjects = slices.Clone(subjects)
	other := make([]string, len(subjects))
	for i := range subjects {
		other[i] = name(i)
	}
	for i := range subjects {
		subjects[i].UIDL = other[i]
	}
	return subjects
}

// A letter is a message and what the server is to know of it.
type letter struct {
	raw   string
	flags []string
	date  time.Time
}

// fill stores messages and takes some away again, so that UIDs have gaps.
func fill(t *testing.T, s *real.Server) map[string]fact {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	truth := map[string]fact{}
	var letters []letter
	for n := range many + 100 {
		id := fmt.Sprintf("<%04d@example.org>", n)
		l := letter{flags: randomFlags(random),
			raw: fmt.Sprintf("From: a@example.org\r\nMessage-ID: %s\r\nSubject: Gr\xc3\xbc\xc3\x9fe\r\n\r\n%s\r\n", id,
				strings.Repeat("x", random.IntN(many/2))),
			date: time.Unix(1e9+random.Int64N(7e8), 0).In(time.FixedZone("", 60*(random.IntN(24*60)-12*60)))}
		letters, truth[id] = append(letters, l), fact{strings.Join(l.flags, " "), l.date}
	}
	if s.Kind == real.Courier { // it takes 40 ms to append one
		deliver(t, s, letters)
	} else {
		appendAll(t, s, letters)
	}
	client := selected(t, s)
	if s.Kind == real.Courier {
		for _, name := range keywords {
			store(t, client, name, func(n int) bool { return slices.Contains(letters[n].flags, name) })
		}
	}
	gone := random.Perm(many + 100)[:100]
	store(t, client, `\Deleted`, func(n int) bool { return slices.Contains(gone, n) })
	if err := client.Expunge().Close(); err != nil {
		t.Fatal(err)
	}
	return truth
}

var keywords = []string{"$Forwarded", "$Junk", "$label1", `\Answered`, `\Draft`, `\Flagged`, `\Seen`, "work"}

func randomFlags(random *rand.Rand) (flags []string) {
	for _, name := range keywords {
		if random.IntN(3) == 0 {
			flags = append(flags, name)
		}
	}
	return flags
}

func appendAll(t *testing.T, s *real.Server, letters []letter) {
	t.Helper()
	session, err := dialReal(t, s)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close(t.Context())
	folder, err := session.Open(t.Context(), "INBOX", false)
	if err != nil {
		t.Fatal(err)
	}
	var batch []sync.Outgoing
	for _, l := range letters {
		batch = append(batch, sync.Outgoing{Size: int64(len(l.raw)), Body: func() io.Reader { return strings.NewReader(l.raw) },
			Flags: l.flags, Date: l.date})
	}
	for some := range slices.Chunk(batch, 100) {
		for _, a := range session.Append(t.Context(), folder, some).Wait(t.Context()) {
			if a.Err != nil {
				t.Fatal(a.Err)
			}
		}
	}
}

// deliver writes files into Courier's Maildir, whose times are the messages' dates.
func deliver(t *testing.T, s *real.Server, letters []letter) {
	t.Helper()
	var raw [][]byte
	dates := map[string]time.Time{}
	for _, l := range letters {
		file := strings.ReplaceAll(l.raw, "\r\n", "\n")
		raw, dates[file] = append(raw, []byte(file)), l.date
	}
	s.Put(t, raw)
	files, err := filepath.Glob(filepath.Join(s.Dir, "home/Maildir/new/*"))
	if err != nil || len(files) != len(letters) {
		t.Fatalf("%d files, want %d; %v", len(files), len(letters), err)
	}
	for _, name := range files {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, dates[string(file)], dates[string(file)]); err != nil {
			t.Fatal(err)
		}
	}
}

// selected is a client that may write into the maildrop.
func selected(t *testing.T, s *real.Server) *imapclient.Client {
	t.Helper()
	client, err := imapclient.DialInsecure(fmt.Sprintf("127.0.0.1:%d", s.IMAP), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if err := client.Login(s.User, s.Password).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	return client
}

// store sets a flag of the messages of which it is true.
func store(t *testing.T, client *imapclient.Client, flag string, of func(n int) bool) {
	t.Helper()
	var numbers goimap.SeqSet
	for n := range many + 100 {
		if of(n) {
			numbers.AddNum(uint32(n + 1))
		}
	}
	if err := client.Store(numbers, &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Silent: true,
		Flags: []goimap.Flag{goimap.Flag(flag)}}, nil).Close(); err != nil {
		t.Fatal(err)
	}
}

func serverOf(t *testing.T, s *real.Server) wire.Server {
	t.Helper()
	return wire.Server{Host: "127.0.0.1", Port: s.IMAPS, Side: "from", Roots: s.Roots}
}

func dialReal(t *testing.T, s *real.Server) func(context.Context) (*imap.Session, error) {
	t.Helper()
	server := serverOf(t, s)
	return func(ctx context.Context) (*imap.Session, error) {
		return imap.Dial(ctx, server, imap.Login{User: s.User, Password: s.Password})
	}
}

func openReal(t *testing.T, s *real.Server) *Twin {
	t.Helper()
	w, err := Open(t.Context(), dialReal(t, s), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return w
}

// retrieve gives what a run knows of each message of the maildrop.
func retrieve(t *testing.T, s *real.Server) (subjects []sync.Subject) {
	t.Helper()
	session, err := pop3.Dial(t.Context(), wire.Server{Host: "127.0.0.1", Port: s.POP3S, Side: "from", Roots: s.Roots},
		pop3.Login{User: s.User, Password: s.Password})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Abandon()
	list, err := session.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = session.Retrieve(t.Context(), list.Messages, func(_ int, body io.Reader, err error) error {
		if err != nil {
			return err
		}
		raw, err := io.ReadAll(body)
		subjects = append(subjects, subject(list.Messages[len(subjects)].UIDL, raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return subjects
}

func subject(uidl string, raw []byte) sync.Subject {
	header := message.Split(raw)
	return sync.Subject{UIDL: uidl, Size: int64(len(raw)), Fingerprint: message.Fingerprint(header),
		MessageID: message.ID(header), Header: header}
}
