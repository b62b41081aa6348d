package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// speaks is an IMAP server over TLS that has these answers, beside those that every session needs. It tells what it was asked.
func (w *world) speaks(answers map[string]string) (asked chan string) {
	w.Helper()
	asked = make(chan string, 100)
	usual := map[string]string{"CAPABILITY": "* CAPABILITY IMAP4rev1 UIDPLUS LITERAL+ QUOTA NAMESPACE\r\n", "LOGIN": "", "LOGOUT": "* BYE\r\n",
		"NAMESPACE": "* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n", "EXAMINE": "* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 5]\r\n"}
	s, err := lab.StartScript(func(p *lab.Peer) {
		if p.StartTLS(w.ca.Good.Config) != nil {
			return
		}
		p.Send("* OK ready\r\n")
		for {
			line, err := p.ReadLine()
			if err != nil {
				return
			}
			tag, command, _ := strings.Cut(line, " ")
			verb, _, _ := strings.Cut(command, " ")
			asked <- verb
			answer, ok := answers[verb]
			if !ok {
				answer = usual[verb]
			}
			p.Send(answer + tag + " OK\r\n")
		}
	})
	must(w.T, err)
	w.Cleanup(s.Close)
	w.o.To = at(s, "to", w.ca.Pool)
	return asked
}

func TestRoom(t *testing.T) {
	for _, c := range []struct {
		name, quota string
		want        string
	}{
		{"enough", "* QUOTAROOT INBOX r\r\n* QUOTA r (STORAGE 100 1000)\r\n", `
ok to quota: room for 900 KiB (100 KiB of 1000 KiB used)
`},
		{"too little", "* QUOTAROOT INBOX r\r\n* QUOTA r (STORAGE 999 1000)\r\n", `
warning to quota: room for 1.0 KiB (999 KiB of 1000 KiB used), and 2.9 KiB wait
  do: make room in the account, or have its quota raised: what does not fit stays at the source
`},
		{"more used than allowed", "* QUOTAROOT INBOX r\r\n* QUOTA r (STORAGE 2000 1000)\r\n", `
warning to quota: room for 0 B (2.0 MiB of 1000 KiB used), and 2.9 KiB wait
  do: make room in the account, or have its quota raised: what does not fit stays at the source
`},
		{"too few messages", "* QUOTAROOT INBOX r\r\n* QUOTA r (STORAGE 1 1000 MESSAGE 96 100)\r\n", `
warning to quota: room for 4 messages (96 of 100 used), and 5 messages wait
  do: make room in the account, or have its quota raised: what does not fit stays at the source
ok to quota: room for 999 KiB (1.0 KiB of 1000 KiB used)
`},
		{"a limit on something else", "* QUOTAROOT INBOX r\r\n* QUOTA r (MAILBOX 1 10)\r\n", ``},
		{"none", "* QUOTAROOT INBOX\r\n", `
ok to quota: the server tells of no limit
`},
		{"nonsense", "* QUOTAROOT INBOX r\r\n* QUOTA r (STORAGE a lot)\r\n", `
ok to quota: the server tells of no limit
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := create(t, setting{})
			asked := w.speaks(map[string]string{"GETQUOTAROOT": c.quota})
			var quota []Finding
			for _, f := range w.examine(t.Context()) {
				if f.Check == "quota" {
					quota = append(quota, f)
				}
			}
			if got, want := w.print(quota, OK), strings.TrimPrefix(c.want, "\n"); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			for len(asked) > 0 {
				w.onlyVerbs("IMAP", []string{<-asked}, imapVerbs)
			}
		})
	}
}

// find gives what the first finding of a check says.
func find(findings []Finding, end, check string) Finding {
	for _, f := range findings {
		if f.End == end && f.Check == check {
			return f
		}
	}
	return Finding{}
}

func TestMailbox(t *testing.T) {
	w := create(t, setting{})
	w.speaks(map[string]string{"EXAMINE": "* OK [PERMANENTFLAGS (\\Seen \\Answered)]\r\n* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 5]\r\n"})
	findings := w.examine(t.Context())
	for _, c := range []struct {
		check, want string
		level       Level
	}{
		{"flags", `these flags only: \Seen \Answered`, Warning},
		{"namespace", `levels are divided by ".", names begin with "INBOX."`, OK},
		{"literal", "one at a time (no MULTIAPPEND)", OK},
	} {
		if f := find(findings, "to", c.check); !strings.Contains(f.Text, c.want) || f.Level != c.level {
			t.Errorf("%s: got %+v, want %q", c.check, f, c.want)
		}
	}
	w = create(t, setting{imap: lab.IMAPOptions{SpecialUse: map[string]imap.MailboxAttr{"Out": imap.MailboxAttrSent}}})
	if f := find(w.examine(t.Context()), "to", "special-use"); f.Text != `\Sent "Out"` {
		t.Errorf("special use: got %+v", f)
	}
	w = create(t, setting{})
	w.o.Folder = "Old/Mail"
	if f := find(w.examine(t.Context()), "to", "folder"); f.Level != OK || !strings.Contains(f.Text, "the first run makes it") {
		t.Errorf("a folder that is not there: got %+v", f)
	}
}

func TestCertificateThatEndsSoon(t *testing.T) {
	for _, c := range []struct {
		name  string
		left  time.Duration
		level Level
		text  string
	}{
		{"in ten days", 241 * time.Hour, Warning, "ends in 10 days"},
		{"in an hour", time.Hour, Warning, "ends in 0 days"},
		{"in a month", 30*24*time.Hour + time.Hour, OK, "good for 30 days"},
		{"yesterday, and it is pinned", -24 * time.Hour, Warning, "trusted only because it is pinned"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := &examination{}
			cert := &x509.Certificate{Raw: []byte("x"), NotAfter: time.Now().Add(c.left)}
			x.lookAtTLS(&wire.Server{Side: "to"}, &tls.ConnectionState{Version: tls.VersionTLS12, PeerCertificates: []*x509.Certificate{cert}})
			const pin = "--to-tls-fingerprint sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
			if f := x.findings[0]; f.Level != c.level || !strings.Contains(f.Text, c.text) || !strings.Contains(f.Text, pin) ||
				!strings.HasPrefix(f.Text, "TLS 1.2; ") || (f.Remedy == "") != (c.level == OK) {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestTwin(t *testing.T) {
	w := create(t, setting{})
	_, w.o.TwinPort = w.IMAP.Addr()
	f := find(w.examine(t.Context()), "from", "twin")
	if want := "--flags-from imaps://alice@" + addr(w.IMAP) + " takes over"; f.Level != OK || !strings.Contains(f.Text, want) {
		t.Errorf("got %+v, want %q in it", f, want)
	}
	w = create(t, setting{})
	_, w.o.TwinPort = w.POP.Addr()
	w.o.From.Server.Roots = nil // by now only the system's authorities are believed
	if f := find(w.examine(t.Context()), "from", "twin"); f.Check != "" {
		t.Errorf("asked a host at which nobody is let in: %+v", f)
	}
	dead, err := lab.StartScript(func(*lab.Peer) {})
	must(t, err)
	_, port := dead.Addr()
	dead.Close()
	w = create(t, setting{})
	w.o.TwinPort = port
	if f := find(w.examine(t.Context()), "from", "twin"); f.Level != OK || !strings.Contains(f.Text, "flags and dates are inferred") {
		t.Errorf("got %+v", f)
	}
}

func TestStopped(t *testing.T) {
	stopped := errors.New("by the user")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	w := create(t, setting{pop: lab.POP3Options{Hook: func(_ int, line string) (string, bool) {
		if line == "UIDL" {
			cancel(stopped)
			return "\r\n", true
		}
		return "", false
	}}})
	findings := w.examine(ctx)
	last := findings[len(findings)-1]
	if last.Check != "stopped" || sync.ClassOf(last.Err) != sync.Stopped || !errors.Is(last.Err, stopped) {
		t.Errorf("got %+v", last)
	}
	if n := w.IMAP.Connections(); n != 0 {
		t.Errorf("%d connections to the destination afterwards", n)
	}
}

func TestEstimate(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name        string
		way         way
		messages    int
		octets      int64
		rate        int64
		connections int
		want        time.Duration
	}{
		{"the destination's time for a message counts", way{pipelined: true, literals: true}, 1000, 0, 1, 1, 5 * time.Second},
		{"octets count beside it", way{pipelined: true, literals: true}, 1000, 1 << 20, 1 << 20, 1, 6 * time.Second},
		{"a round trip for each message that has to wait", way{to: 20 * ms, pipelined: true}, 1000, 0, 1, 1, 25*time.Second + 200*ms},
		{"shared by connections", way{to: 20 * ms, pipelined: true}, 1000, 0, 1, 4, 10*time.Second + 200*ms},
		{"a round trip for each message that is asked for", way{from: 20 * ms, literals: true}, 1000, 0, 1, 1, 20*time.Second + 200*ms},
		{"a listing that lies has an end", way{}, 1, 1 << 62, 1, 1, 1e18 + 5*ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.way.estimate(c.messages, c.octets, c.rate, c.connections); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
