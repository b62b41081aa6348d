package imap

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/sync"
)

// compressors are the servers that can.
var compressors = []real.Kind{real.Dovecot, real.Cyrus}

func startCompressor(t *testing.T, k real.Kind) *real.Server {
	t.Helper()
	return real.Start(t, k, &real.Options{Compress: true})
}

// corpus is outside of the repository: mail that nobody here wrote.
const corpus = "../../../shared/corpus"

// mail is what the servers are to keep: every message that can be had, as it is sent, and what is hard to compress.
func mail(t *testing.T) (all []string) {
	t.Helper()
	for _, b := range bodies {
		all = append(all, b.raw)
	}
	for _, n := range []int{1, 65535, 65536, 65537, 200_000} {
		all = append(all, "A: 1\r\n\r\n"+noise(n)+"\r\n")
	}
	files, err := filepath.Glob(corpus + "/*/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))))
	}
	return all
}

// Each message is stored as it is without compression, octet for octet, and each refusal is the same.
func TestCompressionAtRealServers(t *testing.T) {
	for _, kind := range compressors {
		t.Run(string(kind), func(t *testing.T) {
			server := startCompressor(t, kind)
			all := mail(t)
			var told [2][]string
			for i, folder := range []string{"Plain", "Compressed"} {
				s, f := realSession(t, server, folder)
				if folder == "Compressed" {
					s.out.line = slowest
				}
				var pendings []sync.Pending
				for _, one := range all {
					pendings = append(pendings, s.Append(t.Context(), f, letters(one)))
				}
				pendings = append(pendings, s.Append(t.Context(), f, letters(slices.Repeat([]string{"A: 1\r\n\r\ntogether\r\n"}, 100)...)))
				for _, p := range pendings {
					for _, a := range p.Wait(t.Context()) {
						told[i] = append(told[i], fmt.Sprint(a.UID, sync.ClassOf(a.Err), a.Err != nil))
					}
				}
				if folder == "Compressed" {
					readBack(t, s, f, server)
				}
				check.Equal(t, folder+": asked for compression", s.asked, folder == "Compressed")
				if err := s.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}
			check.Equal(t, "answers", strings.Join(told[1], "|"), strings.Join(told[0], "|"))
			plain, compressed := server.Stored(t, "Plain"), server.Stored(t, "Compressed")
			if len(plain) != len(compressed) || len(plain) < 100 {
				t.Fatalf("%d messages are stored, and %d without compression", len(compressed), len(plain))
			}
			for i := range plain {
				if !bytes.Equal(plain[i].Raw, compressed[i].Raw) {
					t.Errorf("message %d of %d octets is another than without compression", i, len(plain[i].Raw))
				}
			}
			t.Logf("%d of %d messages stored, the same with and without", len(plain), len(all)+100)
		})
	}
}

// readBack reads a whole folder over the compressed line.
func readBack(t *testing.T, s *Session, f sync.Folder, server *real.Server) {
	t.Helper()
	stored := map[uint32][]byte{}
	var uids []uint32
	for _, m := range server.Stored(t, f.Name) {
		stored[m.UID] = m.Raw
		uids = append(uids, m.UID)
	}
	if err := s.Read(t.Context(), f, uids, func(uid uint32, body io.Reader) error {
		raw, err := io.ReadAll(body)
		if err == nil && bytes.Equal(raw, stored[uid]) {
			delete(stored, uid)
		}
		return err
	}); err != nil || len(stored) > 0 {
		t.Errorf("%d of %d messages were read as others or not at all, %v", len(stored), len(uids), err)
	}
}

// Wherever the line is cut in a session that compresses: what is said to be stored is, and what is said not to be is not.
func TestCutWhileCompressing(t *testing.T) {
	for _, kind := range compressors {
		t.Run(string(kind), func(t *testing.T) {
			server := startCompressor(t, kind)
			up, down, _ := cutAt(t, server, "folder000", lab.Break{After: 1 << 40})
			var claims []claim
			if n := up.end - up.begin; n > 300_000 {
				t.Fatalf("%d octets went over the line for 600,000: it is not compressed", n)
			}
			seen := map[string]int{}
			const cuts = 12
			for i := range int64(cuts) {
				for way, b := range []lab.Break{
					{Way: lab.Up, After: up.end - i}, // the last octets are the ones that matter
					{Way: lab.Up, After: up.begin + (up.end-up.begin)*i/cuts},
					{Way: lab.Up, After: up.begin + (up.end-up.begin)*i/cuts, Drain: true},
					{Way: lab.Down, After: down.begin + (down.end-down.begin)*i/cuts},
				} {
					_, _, said := cutAt(t, server, fmt.Sprintf("folder%d%02d", way+1, i), b)
					claims = append(claims, said)
					seen[said.String()]++
				}
			}
			for _, c := range claims { // again, when the servers have come to an end with what they had
				c.check(t, server)
			}
			for _, outcome := range []string{"stored", "unsent", "in doubt"} {
				if seen[outcome] == 0 {
					t.Errorf("no cut left messages %s: %v", outcome, seen)
				}
			}
			t.Log(seen)
		})
	}
}

// A stretch of what went over a line.
type stretch struct{ begin, end int64 }

// A claim is what was said of the messages that were appended to a folder.
type claim struct {
	folder                  string // "" if the line was cut before
	stored, doubted, unsent int
}

func (c claim) check(t *testing.T, server *real.Server) {
	t.Helper()
	if c.folder == "" {
		return
	}
	if got := len(server.Stored(t, c.folder)); got < c.stored || got > c.stored+c.doubted {
		t.Errorf("%s: there are %d messages, where it was said: %+v", c.folder, got, c)
	}
}

func (c claim) String() string {
	switch {
	case c.folder == "":
		return "cut too early"
	case c.doubted > 0:
		return "in doubt"
	case c.unsent > 0:
		return "unsent"
	}
	return "stored"
}

// cutAt appends three commands in a session that compresses, over a line that breaks, and compares what is said with what is
// stored. It gives where on the line the appending was.
func cutAt(t *testing.T, server *real.Server, folder string, b lab.Break) (up, down stretch, said claim) {
	t.Helper()
	p, err := lab.StartProxy(fmt.Sprintf("127.0.0.1:%d", server.IMAP), lab.ProxyOptions{Break: &b})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	s, err := Dial(t.Context(), at(p), Login{User: server.User, Password: server.Password})
	if err != nil {
		return up, down, said
	}
	defer s.drop()
	f, err := s.Open(t.Context(), folder, true)
	if err != nil {
		return up, down, said
	}
	said.folder = folder
	up.begin, down.begin = p.Bytes(1)
	s.out.line = slowest
	var list []sync.Pending
	for _, n := range []int{100, 200_000, 3_000} {
		body := strings.Repeat("0123456789abcde\r\n", n/34) + fmt.Sprintf("%x\r\n", noise(n/4))
		list = append(list, s.Append(t.Context(), f, letters("A: 1\r\n\r\n"+body, "A: 2\r\n\r\n"+body)))
	}
	for _, pending := range list {
		for _, a := range pending.Wait(t.Context()) {
			switch {
			case a.Err == nil:
				said.stored++
			case sync.NotStored(a.Err):
				said.unsent++
			default:
				said.doubted++
			}
		}
	}
	up.end, down.end = p.Bytes(1)
	s.drop()
	p.Close()
	said.check(t, server)
	return up, down, said
}
