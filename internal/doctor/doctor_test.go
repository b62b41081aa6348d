package doctor

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

func TestAllIsWell(t *testing.T) {
	w := create(t, setting{})
	w.golden(OK, `
ok state: there is none yet: the first run makes DIR/state.db
ok from connect: port POP3 answers in TIME
ok from tls: TLS 1.3; the certificate is good for 365 days, until DATE; --from-tls-fingerprint sha256:GOOD pins it
ok from login: alice is let in
ok from abilities: AUTH-RESP-CODE, PIPELINING, RESP-CODES, TOP, UIDL, USER
ok from uidl: each message has its own
ok from maildrop: 5 messages listed, 2.9 KiB; 5 to be copied, 2.9 KiB
ok to connect: port IMAP answers in TIME
ok to tls: TLS 1.3; the certificate is good for 365 days, until DATE; --to-tls-fingerprint sha256:GOOD pins it
ok to login: alice is let in
ok to abilities: ENABLE, ESEARCH, IDLE, IMAP4REV1, LIST-EXTENDED, LIST-STATUS, LITERAL+, LITERAL-, MULTIAPPEND, NAMESPACE, SASL-IR, STATUS=SIZE, UIDPLUS, UNSELECT, UTF8=ACCEPT; of these only after the login: ENABLE, ESEARCH, IDLE, LIST-EXTENDED, LIST-STATUS, LITERAL+, MULTIAPPEND, NAMESPACE, STATUS=SIZE, UIDPLUS, UNSELECT, UTF8=ACCEPT
ok to uidplus: the server says where it stored a message (UIDPLUS)
ok to literal: messages are sent without waiting, and stored many at a time (LITERAL+, MULTIAPPEND)
ok to folder: "INBOX" is there (UIDVALIDITY N)
ok to flags: what flags the folder keeps, the server tells only when it is opened for writing, which doctor does not do
ok to namespace: levels are divided by "/"
ok to quota: the server tells of no limit
ok estimate: about 1s for 5 messages of 2.9 KiB, if a second moves 1.0 MiB, the destination stores a message in 5ms, and each round trip takes as long as the first (TIME and TIME)
`)
}

// mail is so many messages with these UIDLs.
func mail(uidls ...string) (list []lab.Mail) {
	for _, u := range uidls {
		list = append(list, lab.Mail{UIDL: u, Raw: []byte("Subject: x\r\n\r\nbody\r\n")})
	}
	return list
}

func TestWhatIsNotWell(t *testing.T) {
	for _, c := range []struct {
		name string
		set  setting
		o    func(*world)
		want string
	}{
		{"the server has no UIDL", setting{pop: lab.POP3Options{NoUIDL: true}}, nil, `
warning from uidl: the server has no UIDL
  do: nothing: such messages are told apart by header and content, which takes each run longer; they are not deleted at the source
`},
		{"no UIDL, and no mail", setting{pop: lab.POP3Options{NoUIDL: true}, mail: []lab.Mail{}}, nil, `
warning from uidl: the server does not announce UIDL
  do: nothing: such messages are told apart by header and content, which takes each run longer; they are not deleted at the source
`},
		{"UIDLs twice, empty and too long", setting{mail: mail("a", "b", "a", "", strings.Repeat("x", 71))}, nil, `
warning from uidl: 1 message without a UIDL
  do: nothing: such messages are told apart by header and content, which takes each run longer; they are not deleted at the source
warning from uidl: 2 messages share their UIDL with another
  do: nothing: each is copied as often as it is listed; ask whoever runs the server, for other programs will lose some of them
`},
		{"EXPIRE 0 and a long LOGIN-DELAY", setting{pop: lab.POP3Options{Expires: true, ExtraCapa: []string{"LOGIN-DELAY 300"}}}, nil, `
warning from login-delay: the server wants 5m0s between two logins
  do: let at least 5m0s pass between two runs, and before the first one now
warning from expire: EXPIRE 0: the server may delete by itself what was retrieved, or hide it, also with --delete never
  do: if the mail shall stay there too, have the server keep what POP3 retrieves, in the settings of the account
`},
		{"EXPIRE 31, and a short LOGIN-DELAY", setting{pop: lab.POP3Options{ExtraCapa: []string{"EXPIRE 31 USER", "LOGIN-DELAY 10"}}}, nil, `
warning from expire: EXPIRE 31: the server may delete by itself what is older than so many days
  do: run sync more often than every 31 days
`},
		{"EXPIRE NEVER, or nonsense", setting{pop: lab.POP3Options{ExtraCapa: []string{"EXPIRE soon", "EXPIRE NEVER"}}}, nil, ``},
		{"no TOP", setting{pop: lab.POP3Options{NoTOP: true}}, nil, `
warning from top: the server has no TOP: what the folder has already can be recognised only when it has been retrieved
  do: nothing; if the folder is empty, --no-dedup saves the looking
`},
		{"wrong password at the source", setting{}, func(w *world) { w.o.From.Secret = "wrong" }, `
failure from login: cannot log in to 127.0.0.1 as alice
  said: -ERR [AUTH] *** user name, password or token
  do: check user name and password; some providers want an app password; tried with ?auth=user; --from can name another way
`},
		{"wrong password at the destination", setting{}, func(w *world) { w.o.To.Secret = "wrong" }, `
failure to login: cannot log in to 127.0.0.1 as alice
  said: NO [AUTHENTICATIONFAILED] Authentication failed
  do: check user name and password; some providers want an app password; tried with ?auth=login; --to can name another way
`},
		{"no password", setting{}, func(w *world) {
			w.o.From.Err = &sync.Error{Class: sync.Config, Err: errors.New("others can read FILE"), Remedy: "chmod 600 FILE"}
		}, `
failure from secret: others can read FILE
  do: chmod 600 FILE
`},
		{"an unusable option", setting{}, func(w *world) {
			w.o.To = End{Server: wire.Server{Side: "to"}, Err: &sync.Error{Class: sync.Config, Err: errors.New("no such file")}}
		}, `
failure to config: no such file
  do: mend it, and run it again
`},
		{"small APPENDLIMIT", setting{imap: lab.IMAPOptions{AppendLimit: 600}}, nil, `
warning to appendlimit: 3 messages are too large of those that wait: the server takes none of more than 600 B
  do: have the limit raised; or leave them with --max-size 600, or they are listed as refused, and stay at the source
`},
		{"small APPENDLIMIT, and the folder is not there", setting{imap: lab.IMAPOptions{AppendLimit: 600}},
			func(w *world) { w.o.Folder = "Old/Mail" }, `
warning to appendlimit: 3 messages are too large of those that wait: the server takes none of more than 600 B
  do: have the limit raised; or leave them with --max-size 600, or they are listed as refused, and stay at the source
`},
		{"APPENDLIMIT, and --max-size below it", setting{imap: lab.IMAPOptions{AppendLimit: 600}},
			func(w *world) { w.o.MaxSize = 600 }, ``},
		{"no UIDPLUS, no LITERAL+", setting{imap: lab.IMAPOptions{Without: []imap.Cap{imap.CapUIDPlus, imap.CapLiteralPlus}}}, nil, `
warning to uidplus: the server does not say where it stored a message (no UIDPLUS)
  do: nothing: what was stored is looked up afterwards, which takes longer
warning to literal: each message has to wait for the server (no LITERAL+)
  do: --imap-connections 4 is faster, and messages then arrive out of order
`},
		{"a folder that cannot be", setting{}, func(w *world) { w.o.Folder = "a//b" }, `
failure to folder: folder "a//b": a level of it has no name
  do: choose another name with --folder
`},
		{"a host that nobody knows", setting{}, func(w *world) {
			w.o.From.Server.Host = "pop.old.example"
			w.o.Lookup = func(_ context.Context, host string) ([]net.IPAddr, error) {
				if host == "pop.old.example" {
					return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
				}
				return []net.IPAddr{{IP: net.IPv4(127, 0, 0, 1)}}, nil
			}
		}, `
failure from dns: cannot find pop.old.example: no such host
  do: check the host name in --from, and that this machine has a network
`},
		{"a host without addresses", setting{}, func(w *world) {
			w.o.Lookup = func(context.Context, string) ([]net.IPAddr, error) { return nil, nil }
		}, `
failure from dns: cannot find 127.0.0.1: no addresses
  do: check the host name in --from, and that this machine has a network
failure to dns: cannot find 127.0.0.1: no addresses
  do: check the host name in --to, and that this machine has a network
`},
		{"nobody listens", setting{}, func(w *world) { w.IMAP.Close() }, `
failure to connect: cannot connect to 127.0.0.1:IMAP: connection refused
  do: check the host and the port; the server may be down
`},
		{"cleartext", setting{pop: lab.POP3Options{TLS: &tls.Config{}}}, func(w *world) { w.o.From.Server.Security = wire.Cleartext }, `
warning from tls: password and mail go in cleartext, as the URL asks for
  do: if the server knows TLS, take it: --from without "+insecure"
`},
		{"STLS is not offered", setting{pop: lab.POP3Options{TLS: &tls.Config{}, NoSTLS: true}},
			func(w *world) { w.o.From.Server.Security = wire.StartTLS }, `
failure from tls: 127.0.0.1 does not offer STLS, and pop3:// does not go on in cleartext
  do: use pop3s:// (port 995) if the server has it; pop3+insecure:// sends the password and all mail in cleartext
`},
		{"the state lies in memory", setting{}, func(w *world) { w.o.FileSystem = func(string) string { return "tmpfs" } }, `
warning disk: the state lies in memory (tmpfs): after a restart nothing is remembered, and all has to be recognised again
  do: keep it on a disk with --state FILE; in a container, on a volume
`},
		{"the state lies on a network file system", setting{}, func(w *world) { w.o.FileSystem = func(string) string { return "nfs" } }, `
warning disk: the state lies on a network file system (nfs), whose locks may not keep two runs apart
  do: keep it on a local disk with --state FILE
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := create(t, c.set)
			if c.o != nil {
				c.o(w)
			}
			w.golden(Warning, c.want)
		})
	}
}

func TestExpiredCertificate(t *testing.T) {
	ca, err := lab.NewTLS()
	if err != nil {
		t.Fatal(err)
	}
	w := create(t, setting{pop: lab.POP3Options{TLS: ca.Expired.Config, Implicit: true},
		imap: lab.IMAPOptions{TLS: ca.Expired.Config, Implicit: true}})
	w.ca, w.o.From.Server.Roots, w.o.To.Server.Roots = ca, ca.Pool, ca.Pool
	if w.o.To.Server.Fingerprint, err = hex.DecodeString(ca.Expired.Fingerprint); err != nil {
		t.Fatal(err)
	}
	w.golden(Warning, `
failure from tls: the certificate of 127.0.0.1 is not trusted: it is valid from DATE to DATE only; its fingerprint is sha256:EXPIRED
  do: this machine's clock says DATE: if that is right, the server needs a new certificate; if it is your own server, --from-tls-ca FILE names its authority; if you know this very certificate, pin it: --from-tls-fingerprint sha256:EXPIRED
warning to tls: TLS 1.3; the certificate ended on DATE, and is trusted only because it is pinned: --to-tls-fingerprint sha256:EXPIRED
  do: have the server's certificate renewed, and pin the new one
`)
}

func TestSizesThatLie(t *testing.T) {
	w := create(t, setting{mail: []lab.Mail{{UIDL: "a", Size: 1<<63 - 1}, {UIDL: "b", Size: 1<<63 - 1}}})
	findings := w.examine(t.Context())
	for check, want := range map[string]string{"maildrop": "2 to be copied, 8.0 EiB", "estimate": "about 277777h 46m for 2 messages of 8.0 EiB"} {
		end := map[string]string{"maildrop": "from"}[check]
		if f := find(findings, end, check); !strings.Contains(f.Text, want) {
			t.Errorf("%s: got %+v, want %q in it", check, f, want)
		}
	}
}

// TestFlagsThatAFolderKeeps: the lab tells them only after SELECT, and doctor does EXAMINE.
func TestFlagsThatAFolderKeeps(t *testing.T) {
	x := &examination{}
	x.lookAtFlags([]string{`\Seen`, `\Answered`})
	want := Finding{Check: "flags", End: "to", Level: Warning, Text: `the folder keeps these flags only: \Seen \Answered`,
		Remedy: "nothing: the others, such as $Forwarded, may get lost there"}
	if len(x.findings) != 1 || x.findings[0] != want {
		t.Errorf("got %+v, want %+v", x.findings, want)
	}
}
