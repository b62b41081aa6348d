package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/discover"
	"github.com/pop2imap/pop2imap/internal/lab"
)

// A line leads to a server as long as it is up. When it is down it is still there, and hangs up on everybody.
type line struct {
	*lab.Script
	down atomic.Bool
}

func newLine(t *testing.T, host string, port int) *line {
	t.Helper()
	l := &line{}
	var err error
	l.Script, err = lab.StartScript(func(p *lab.Peer) {
		if l.down.Load() {
			p.Conn.Read(make([]byte, 1<<16)) // the whole ClientHello: with octets unread, Close would be a reset
			return
		}
		server, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			t.Error(err)
			return
		}
		done := make(chan bool)
		go func() {
			io.Copy(server, p.Conn)
			server.Close()
			close(done)
		}()
		io.Copy(p.Conn, server)
		p.Conn.Close()
		<-done
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// A cronJob is the line of a crontab, and what it leads to.
type cronJob struct {
	maildrop *lab.POP3
	mailbox  *lab.IMAP
	from, to *line
	args     []string
}

func newCronJob(t *testing.T) *cronJob {
	t.Helper()
	ca, err := lab.NewTLS()
	if err != nil {
		t.Fatal(err)
	}
	c := &cronJob{}
	if c.maildrop, err = lab.StartPOP3(lab.POP3Options{User: "alice", Password: password, TLS: ca.Good.Config, Implicit: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.maildrop.Close)
	if c.mailbox, err = lab.StartIMAP(lab.IMAPOptions{User: "alice", Password: password, TLS: ca.Good.Config, Implicit: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.mailbox.Close)
	host, port := c.maildrop.Addr()
	c.from = newLine(t, host, port)
	host, port = c.mailbox.Addr()
	c.to = newLine(t, host, port)
	_, from := c.from.Addr()
	_, to := c.to.Addr()
	c.args = []string{"sync", "--quiet", "--patience", "0s", "--state", filepath.Join(t.TempDir(), "state.db"),
		"--from", fmt.Sprintf("pop3s://alice@127.0.0.1:%d", from), "--from-tls-fingerprint", "sha256:" + ca.Good.Fingerprint,
		"--to", fmt.Sprintf("imaps://alice@127.0.0.1:%d", to), "--to-tls-fingerprint", "sha256:" + ca.Good.Fingerprint}
	return c
}

// run is one run, at that time: what cron would mail, and the exit code.
func (c *cronJob) run(t *testing.T, now time.Time) (said string, exit int) {
	env := func(name string) string {
		return map[string]string{"POP2IMAP_FROM_PASSWORD": password, "POP2IMAP_TO_PASSWORD": password}[name]
	}
	var out bytes.Buffer
	p := &program{getenv: env, keyring: drawer(""), lookup: discover.Lookup{}, stdio: stdio{nil, &out, &out},
		now: func() time.Time { return now }}
	exit = p.run(t.Context(), c.args)
	return out.String(), exit
}

// TestThreeDaysOfCron runs every 15 minutes, with a mail each hour. One of the servers is away for eight hours from the first
// evening on, the other one for five hours of the third day: cron has something to mail only of what lasts, and every message
// is there in the end, once.
func TestThreeDaysOfCron(t *testing.T) {
	const hour = 4 // runs
	for _, c := range []struct {
		name        string
		long, short func(*cronJob) *line
		waiting     string // when the long one is told
	}{
		{"the maildrop is long away", maildropLine, mailboxLine, ""},
		{"the destination is long away", mailboxLine, maildropLine, "7 messages waiting; "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			job, said := newCronJob(t), map[int]string{}
			var mail []lab.Mail
			for i := range 3 * 24 * hour {
				if i%hour == 0 {
					mail = append(mail, hourly(i/hour))
					job.maildrop.SetMail(mail)
				}
				long, short := i >= 20*hour && i < 28*hour, i >= 60*hour && i < 65*hour
				c.long(job).down.Store(long)
				c.short(job).down.Store(short)
				want := 0
				if long || short {
					want = 75
				}
				text, exit := job.run(t, time.Date(2026, 11, 25, 0, 15*i, 0, 0, time.Local))
				if text != "" {
					said[i] = text
				}
				if exit != want {
					t.Fatalf("run %d: exit %d, want %d; it says %q", i, exit, want, text)
				}
			}
			_, port := c.long(job).Addr()
			want := map[int]string{
				26 * hour: fmt.Sprintf("alice  no run got through since 2026-11-25 20:00 (6 h, 25 runs): 127.0.0.1:%d closed the connection: "+
					"unexpected EOF; %swhat to do: try again later; if it stays so, ask whoever runs the server; nothing more is said until it is over\n", port, c.waiting),
				28 * hour: "alice  a run got through: the trouble since 2026-11-25 20:00 is over (8 h, 32 runs)\n",
			}
			if !maps.Equal(said, want) {
				t.Errorf("it says\n%v\nwant\n%v", said, want)
			}
			allThere(t, job, mail)
		})
	}
}

func maildropLine(c *cronJob) *line { return c.from }
func mailboxLine(c *cronJob) *line  { return c.to }

// hourly is the mail that comes in an hour.
func hourly(n int) lab.Mail {
	return lab.Mail{UIDL: fmt.Sprintf("hour-%d", n), Raw: []byte(strings.ReplaceAll(fmt.Sprintf("Received: from there by here; Wed, 25 Nov 2026 00:%02d:%02d +0000\n"+
		"From: clock@example.org\nMessage-ID: <%d@example.org>\nSubject: hour\n\nIt strikes %[3]d.\n", n/60, n%60, n), "\n", "\r\n"))}
}

func allThere(t *testing.T, job *cronJob, mail []lab.Mail) {
	t.Helper()
	stored, err := job.mailbox.Messages("INBOX")
	if err != nil {
		t.Fatal(err)
	}
	if len(stored) != len(mail) {
		t.Fatalf("%d messages are there, want %d", len(stored), len(mail))
	}
	for i := range mail {
		if !bytes.Equal(stored[i].Raw, mail[i].Raw) {
			t.Errorf("message %d is not that of hour %d", i+1, i)
		}
	}
}
