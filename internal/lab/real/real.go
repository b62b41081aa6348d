// Package real runs the mail servers of other makers for tests: Dovecot, Cyrus and Courier, from Debian, each with POP3
// and IMAP on ports of 127.0.0.1 above 20000, its own configuration, one account, and a folder that goes away with the
// test. Nothing of the system is touched: no service, no file in /etc or /var. Started by root, the servers run as
// nobody; otherwise as who runs the test.
//
// install.sh beside this file gets the servers. A server that is not there skips the test, or fails it when CI is set.
//
// No server gives back every byte that it is given. What each alters and refuses, measured with 571 files of torture
// mail on Dovecot 2.3.19, Cyrus 3.6.1 and Courier 5.0.13: of a message that Put has put, at Put; of one that was
// appended, at Stored.
package real

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A Kind is a maker's server.
type Kind string

const (
	Dovecot Kind = "dovecot"
	Cyrus   Kind = "cyrus"
	Courier Kind = "courier"
)

// Kinds is all of them.
var Kinds = []Kind{Dovecot, Cyrus, Courier}

// Options change how a server is set up. Nil is the same as zero.
type Options struct {
	Format string // of Dovecot's mailboxes: "maildir" (zero), "mdbox", "sdbox" or "mbox" (the inbox is mail/inbox)

	// Durable is for measuring: a folder on a disk ($TMPDIR, else /var/tmp), and Dovecot syncs what it stores as it does
	// unless told otherwise. Zero: nothing is synced that the server can be kept from syncing.
	Durable bool

	Capability string // what Dovecot's IMAP says that it can do, all of it ("IMAP4rev1 UIDPLUS"); "": what it can
	Compress   bool   // Dovecot's IMAP has COMPRESS=DEFLATE (Cyrus always has)
	MaxMail    int    // octets of the largest message that Dovecot's IMAP takes; 0: it takes all
}

// A Server is one running server with one account. POP3 and IMAP take a password with and without STARTTLS; POP3S and
// IMAPS speak TLS from the first byte. The certificate is for 127.0.0.1 and localhost.
type Server struct {
	Kind                     Kind
	User, Password           string
	POP3, POP3S, IMAP, IMAPS int            // ports on 127.0.0.1
	CA                       string         // file with the certificate of the authority to trust, PEM, readable by all
	Roots                    *x509.CertPool // the same, alone
	Dir                      string         // all that the server keeps

	maildir string    // where Put writes files; "" when it has to append
	epoch   time.Time // the date of the first message that Put puts; each next one is a second later
	puts    int
	runner  account
	gone    []<-chan struct{} // closed when a process that should run has ended
}

// Missing says in one line why a server of kind k cannot be run here; "" when it can.
func Missing(k Kind) string {
	for _, f := range needs(k) {
		if _, err := os.Stat(f); err != nil {
			return f + " is not there; internal/lab/real/install.sh gets it"
		}
	}
	return ""
}

// needs gives files without which a server does not run. install.sh writes "complete" last.
func needs(k Kind) []string {
	if k == Dovecot {
		return []string{dovecot, "/usr/lib/dovecot/imap", "/usr/lib/dovecot/pop3"}
	}
	return []string{filepath.Join(prefix(k), "complete")}
}

// Start runs a server of kind k until the test ends, and returns when all four ports have greeted. Any number of
// them can run at a time.
func Start(t testing.TB, k Kind, o *Options) *Server {
	t.Helper()
	if why := Missing(k); why != "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("no %s: %s", k, why)
		}
		t.Skipf("no %s: %s", k, why)
	}
	if o == nil {
		o = &Options{}
	}
	s := &Server{Kind: k, User: "alice", Password: "wonder-4-land", runner: whoRuns(t),
		epoch: time.Now().Add(-24 * time.Hour).Truncate(time.Second)}
	parent := quickFolder()
	if o.Durable {
		parent = cmp.Or(os.Getenv("TMPDIR"), "/var/tmp")
	}
	s.makeDir(t, parent)
	s.makeTLS(t)
	ports := freePorts(t, 4)
	s.POP3, s.POP3S, s.IMAP, s.IMAPS = ports[0], ports[1], ports[2], ports[3]
	switch k {
	case Dovecot:
		s.startDovecot(t, o)
	case Cyrus:
		s.startCyrus(t)
	default:
		s.startCourier(t)
	}
	return s
}

// makeDir makes the server's folder. t.TempDir is not it: only its owner may enter that, which need not be who runs
// the server, and the name of a long test would not leave room for the path of a Unix socket (108 bytes).
func (s *Server) makeDir(t testing.TB, parent string) {
	t.Helper()
	dir, err := os.MkdirTemp(parent, "pop2imap-")
	if err != nil {
		t.Fatalf("make a folder for %s: %v", s.Kind, err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the folder of %s: %v", s.Kind, err)
		}
	})
	s.Dir = dir
	s.own(t, dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatalf("make a folder for %s: %v", s.Kind, err)
	}
}

// quickFolder is where to keep mail: in memory when there is plenty and nobody has said otherwise by TMPDIR. Cyrus
// syncs every message that is appended, which takes a disk up to 10 ms; in memory 10,000 messages take 7 s.
func quickFolder() string {
	const memory, plenty = "/dev/shm", 2 << 30
	var fs syscall.Statfs_t
	if os.Getenv("TMPDIR") != "" || syscall.Statfs(memory, &fs) != nil || fs.Bavail*uint64(fs.Bsize) < plenty {
		return ""
	}
	return memory
}

// Log gives what the server has said so far, without the password.
func (s *Server) Log() string {
	b, err := os.ReadFile(s.path("log"))
	if err != nil {
		return err.Error()
	}
	return string(bytes.ReplaceAll(b, []byte(s.Password), []byte("***")))
}

func (s *Server) path(name string) string { return filepath.Join(s.Dir, name) }

// folder makes a folder in the server's own, and gives its path.
func (s *Server) folder(t testing.TB, name string) string {
	t.Helper()
	p := s.path(name)
	if err := os.MkdirAll(p, 0o700); err != nil {
		t.Fatalf("set up %s: %v", s.Kind, err)
	}
	s.own(t, p)
	return p
}

// file writes a file that only the server's user may read, and gives its path.
func (s *Server) file(t testing.TB, name, content string) string {
	t.Helper()
	p := s.path(name)
	if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
		t.Fatalf("set up %s: %v", s.Kind, err)
	}
	s.own(t, p)
	return p
}

func (s *Server) own(t testing.TB, path string) {
	t.Helper()
	if err := os.Lchown(path, s.runner.uid, s.runner.gid); err != nil {
		t.Fatalf("set up %s: %v", s.Kind, err)
	}
}
