package client_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/pop2imap/pop2imap/internal/client"
	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/sync"
)

const many = 1000

// corpus is outside of the repository: mail that nobody here wrote (see its README.md).
const corpus = "../../../shared/corpus"

var keywords = []string{"$Forwarded", "$MDNSent", "$Junk", "$NotJunk", "$label1", "$label5", "work", "holidays-2006"}

// choose draws flags, by their names in order.
func choose(random *rand.Rand, from []string) (flags []string) {
	for _, name := range from {
		if random.IntN(3) == 0 {
			flags = append(flags, name)
		}
	}
	slices.Sort(flags)
	return flags
}

// corpusMail gives the corpus as a maildrop has it, with LF line ends; nothing where it is not.
func corpusMail(t *testing.T) (mail []string) {
	t.Helper()
	if _, err := os.Stat(corpus); errors.Is(err, fs.ErrNotExist) {
		t.Logf("the corpus of test mail is not at %s", corpus)
		return nil
	}
	files, err := filepath.Glob(corpus + "/*/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) > 0 { // Dovecot does not take an empty one
			mail = append(mail, strings.ReplaceAll(string(raw), "\r\n", "\n"))
		}
	}
	return mail
}

// What mail servers themselves wrote of flags that were stored over IMAP.
func TestFilesOfServers(t *testing.T) {
	for _, server := range []struct {
		name    string
		kind    real.Kind
		options *real.Options
		path    string
	}{
		{"Dovecot's mbox", real.Dovecot, &real.Options{Format: "mbox"}, "mail/inbox"},
		{"Dovecot's Maildir", real.Dovecot, nil, "mail"},
		{"Courier's Maildir", real.Courier, nil, "home/Maildir"},
	} {
		t.Run(server.name, func(t *testing.T) {
			s := real.Start(t, server.kind, server.options)
			mail := corpusMail(t)
			others := len(mail)
			for n := range many {
				mail = append(mail, letter(n))
			}
			put(t, s, mail)
			random := rand.New(rand.NewPCG(1, 2))
			want := make([][]string, len(mail))
			for i := range want {
				want[i] = choose(random, append([]string{`\Seen`, `\Answered`, `\Flagged`, `\Draft`}, keywords...))
			}
			store(t, s, want)
			c := open(t, filepath.Join(s.Dir, server.path))
			checkRecovered(t, "its own mail", c, mail[others:], nil, want[others:], 100)
			// Some of the corpus have the same few fields, no Message-ID, and bodies of about the same size.
			checkRecovered(t, "the corpus", c, mail[:others], nil, want[:others], 90)
		})
	}
}

func put(t *testing.T, s *real.Server, mail []string) {
	t.Helper()
	raw := make([][]byte, len(mail))
	for i, text := range mail {
		raw[i] = []byte(text)
	}
	if refused := s.Put(t, raw); len(refused) > 0 {
		t.Fatalf("refused: %v", refused)
	}
}

// store gives flags to the messages of the inbox, and leaves it.
func store(t *testing.T, s *real.Server, flags [][]string) {
	t.Helper()
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.IMAP)))
	if err != nil {
		t.Fatal(err)
	}
	c := imapclient.New(conn, nil)
	defer c.Close()
	if err := c.Login(s.User, s.Password).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	for i, names := range flags {
		op := &imap.StoreFlags{Op: imap.StoreFlagsSet, Silent: true}
		for _, name := range names {
			op.Flags = append(op.Flags, imap.Flag(name))
		}
		if err := c.Store(imap.SeqSetNum(uint32(i+1)), op, nil).Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.UnselectAndExpunge().Wait(); err != nil { // Courier has no UNSELECT
		t.Fatal(err)
	}
	if err := c.Logout().Wait(); err != nil {
		t.Fatal(err)
	}
}

// checkRecovered compares what a client says of mail with the flags that it has there: none may be wrong, and percent of
// the messages must be known. uidls is nil, or has one for each.
func checkRecovered(t *testing.T, what string, c *client.Client, mail, uidls []string, want [][]string, percent int) {
	t.Helper()
	known, wrong := 0, 0
	for i, text := range mail {
		uidl := ""
		if uidls != nil {
			uidl = uidls[i]
		}
		testimony, found, err := c.Know(t.Context(), subject(uidl, text))
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			continue
		}
		known++
		if got := names(testimony); !testimony.Whole || !slices.Equal(got, want[i]) {
			if wrong++; wrong < 10 {
				t.Errorf("%s, message %d: got %q (whole: %t), want %q", what, i, got, testimony.Whole, want[i])
			}
		}
	}
	t.Logf("%s: %d of %d messages are known, of %d are the flags wrong", what, known, len(mail), wrong)
	if 100*known < percent*len(mail) {
		t.Errorf("%s: %d of %d messages are known, want %d %%", what, known, len(mail), percent)
	}
}

func names(t sync.Testimony) (all []string) {
	for _, f := range t.Flags {
		all = append(all, f.Name)
	}
	slices.Sort(all)
	return all
}

// The Maildir of a server says when its messages came.
func TestDovecotMaildirDates(t *testing.T) {
	s := real.Start(t, real.Dovecot, nil)
	mail := []string{letter(1), letter(2), letter(3)}
	put(t, s, mail)
	stored := s.Stored(t, "INBOX")
	c := open(t, filepath.Join(s.Dir, "mail"))
	for i, text := range mail {
		testimony, found, err := c.Know(t.Context(), subject("", text))
		if err != nil || !found || !testimony.Date.Equal(stored[i].Date) {
			t.Errorf("message %d: got %v, %t, %v, want %v", i, testimony.Date, found, err, stored[i].Date)
		}
	}
}

// The same for dates that its mbox has in the lines above messages that never travelled.
func TestDovecotMboxDates(t *testing.T) {
	s := real.Start(t, real.Dovecot, &real.Options{Format: "mbox"})
	var mail []string
	for n := range 3 {
		_, unsent, _ := strings.Cut(letter(n), "\n")
		mail = append(mail, unsent)
	}
	put(t, s, mail)
	store(t, s, [][]string{{`\Seen`}, {`\Draft`}, {}})
	stored := s.Stored(t, "INBOX")
	c := open(t, filepath.Join(s.Dir, "mail", "inbox"))
	for i, text := range mail {
		testimony, found, err := c.Know(t.Context(), subject("", text))
		if err != nil || !found || !testimony.Date.Equal(stored[i].Date) {
			t.Errorf("message %d: got %v, %t, %v, want %v", i, testimony.Date, found, err, stored[i].Date)
		}
	}
}
