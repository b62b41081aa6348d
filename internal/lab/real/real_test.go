package real

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// A setup is a server as a test can ask for it.
type setup struct {
	name    string
	kind    Kind
	options *Options
}

var setups = []setup{
	{"dovecot maildir", Dovecot, nil},
	{"dovecot mdbox", Dovecot, &Options{Format: "mdbox"}},
	{"dovecot sdbox", Dovecot, &Options{Format: "sdbox"}},
	{"dovecot mbox", Dovecot, &Options{Format: "mbox"}},
	{"cyrus", Cyrus, nil},
	{"courier", Courier, nil},
}

func onEach(t *testing.T, f func(t *testing.T, s *Server)) {
	for _, c := range setups {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, c.kind, c.options)
			f(t, s)
			if t.Failed() {
				t.Log(s.Log())
			}
		})
	}
}

func TestLogin(t *testing.T) {
	onEach(t, func(t *testing.T, s *Server) {
		secure := s.trust()
		for _, c := range []struct {
			name       string
			pop3, imap int
			from       *tls.Config
			password   string
			pop, tag   string
		}{
			{"in plain text", s.POP3, s.IMAP, nil, s.Password, "+OK", "a OK"},
			{"over TLS", s.POP3S, s.IMAPS, secure, s.Password, "+OK", "a OK"},
			{"with a wrong password", s.POP3, s.IMAP, nil, s.Password + "x", "-ERR", "a NO"},
			{"with no password over TLS", s.POP3S, s.IMAPS, secure, "", "-ERR", "a NO"},
		} {
			t.Run("POP3 "+c.name, func(t *testing.T) {
				t.Parallel() // Courier thinks about a wrong password for five seconds
				w := connect(t, c.pop3, c.from)
				w.pop("USER %s", s.User)
				must(t, w.pop("PASS %s", c.password), c.pop)
			})
			t.Run("IMAP "+c.name, func(t *testing.T) {
				t.Parallel()
				must(t, connect(t, c.imap, c.from).imap("LOGIN %q %q", s.User, c.password), c.tag)
			})
		}
	})
}

func TestUpgradeToTLS(t *testing.T) {
	onEach(t, func(t *testing.T, s *Server) {
		secure := s.trust()
		w := connect(t, s.POP3, nil)
		must(t, w.pop("STLS"), "+OK")
		w.secure(secure)
		must(t, w.pop("USER %s", s.User), "+OK")
		must(t, w.pop("PASS %s", s.Password), "+OK")

		w = connect(t, s.IMAP, nil)
		must(t, w.imap("STARTTLS"), "a OK")
		w.secure(secure)
		must(t, w.imap("LOGIN %s %s", s.User, s.Password), "a OK")
	})
}

var sample = [][]byte{
	[]byte("From: a@example.org\nSubject: dots\n\n.\n..two\n.a line\n\n.\n"),
	[]byte("From: b@example.org\nMIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\n" +
		"Content-Transfer-Encoding: 8bit\n\ncaf\xe9 \xff\xfe\n"),
	[]byte("From: c@example.org\nSubject: 300 KB\n\n" + strings.Repeat(strings.Repeat("x", 74)+"\n", 4000)),
}

func TestPutIsWhatPOP3AndIMAPRead(t *testing.T) {
	onEach(t, func(t *testing.T, s *Server) {
		put := slices.Clone(sample)
		for i := range 120 { // more than one digit, and the order of numbers is not that of words
			put = append(put, fmt.Appendf(nil, "Subject: message %d\n\nbody\n", i))
		}
		if refused := s.Put(t, put); len(refused) > 0 {
			t.Fatalf("refused: %v", refused)
		}
		var want [][]byte
		for _, m := range put {
			want = append(want, bytes.ReplaceAll(m, []byte("\n"), []byte("\r\n")))
		}
		compare(t, "POP3", s.maildrop(t), want)
		var got [][]byte
		for i, m := range s.Stored(t, "INBOX") {
			got = append(got, m.Raw)
			if at := s.epoch.Add(time.Duration(i) * time.Second); !m.Date.Equal(at) {
				t.Errorf("message %d arrived at %v, want %v", i, m.Date, at)
			}
		}
		compare(t, "IMAP", got, want)
	})
}

func compare(t *testing.T, by string, got, want [][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s gives %d messages, want %d", by, len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("message %d by %s is %.200q, want %.200q", i, by, got[i], want[i])
		}
	}
}

func TestStoredIsWhatWasAppended(t *testing.T) {
	onEach(t, func(t *testing.T, s *Server) {
		w := connect(t, s.IMAP, nil)
		must(t, w.imap("LOGIN %s %s", s.User, s.Password), "a OK")
		raw := []byte("From: a@example.org\r\nSubject: kept\r\n\r\n.\r\ncaf\xe9\r\n")
		must(t, w.appendTo("INBOX", `(\Seen \Flagged) "03-Feb-1999 04:05:06 +0200"`, raw), "a OK")

		got := s.Stored(t, "INBOX")
		if len(got) != 1 {
			t.Fatalf("%d messages, want 1", len(got))
		}
		m := got[0]
		if !bytes.Equal(m.Raw, raw) || m.Size != int64(len(raw)) || m.UID == 0 {
			t.Errorf("UID %d, size %d, %q, want %q", m.UID, m.Size, m.Raw, raw)
		}
		if want := time.Date(1999, 2, 3, 2, 5, 6, 0, time.UTC); !m.Date.Equal(want) {
			t.Errorf("date %v, want %v", m.Date, want)
		}
		for _, f := range []string{`\Seen`, `\Flagged`} {
			if !slices.Contains(m.Flags, f) {
				t.Errorf("flags %v without %s", m.Flags, f)
			}
		}
	})
}

func TestNothingIsLeftAfterTheTest(t *testing.T) {
	for _, c := range setups {
		var s *Server
		t.Run(c.name, func(t *testing.T) {
			s = Start(t, c.kind, c.options)
			must(t, connect(t, s.IMAP, nil).imap("LOGIN %s %s", s.User, s.Password), "a OK") // still open at the end
		})
		if s == nil {
			continue // skipped
		}
		for _, port := range []int{s.POP3, s.POP3S, s.IMAP, s.IMAPS} {
			if c, err := dial(port, nil); err == nil {
				c.Close()
				t.Errorf("%s still listens", c.LocalAddr())
			}
		}
		if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
			t.Errorf("%s of %s: %v, want it gone", s.Dir, c.name, err)
		}
	}
}

// A watcher is a test of which one wants to know how it ends.
type watcher struct {
	testing.TB
	end string
}

func (w *watcher) Skipf(format string, args ...any)  { w.over("skipped: "+format, args...) }
func (w *watcher) Fatalf(format string, args ...any) { w.over("failed: "+format, args...) }
func (w *watcher) over(format string, args ...any) {
	w.end = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestMissingServer(t *testing.T) {
	t.Setenv("POP2IMAP_LAB", t.TempDir())
	for _, c := range []struct {
		name, ci, want string
		kind           Kind
	}{
		{"skips on a desk", "", "skipped: no cyrus: ", Cyrus},
		{"fails in CI", "true", "failed: no courier: ", Courier},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("CI", c.ci)
			w, done := &watcher{TB: t}, make(chan struct{})
			go func() {
				defer close(done)
				Start(w, c.kind, nil)
			}()
			<-done
			if !strings.HasPrefix(w.end, c.want) || strings.Contains(w.end, "\n") {
				t.Errorf("the test has %q, want one line with %q", w.end, c.want)
			}
		})
	}
}

func TestDovecotOptions(t *testing.T) {
	s := Start(t, Dovecot, &Options{Durable: true, Capability: "IMAP4rev1 UIDPLUS"})
	if strings.HasPrefix(s.Dir, "/dev/shm") {
		t.Errorf("%s is in memory", s.Dir)
	}
	w := connect(t, s.IMAP, nil)
	must(t, w.imap("LOGIN %s %s", s.User, s.Password), "a OK")
	fmt.Fprint(w, "a CAPABILITY\r\n")
	if got, want := w.line(), "* CAPABILITY IMAP4rev1 UIDPLUS"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}
