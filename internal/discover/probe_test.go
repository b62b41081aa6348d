package discover

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
)

func TestProbe(t *testing.T) {
	for _, c := range []struct {
		name string
		kind Kind
		set  func(w *world)
		want string
	}{
		{"two names of POP3", POP3, func(w *world) {
			w.mail(w.ca.Good.Config, "+OK ready\r\n", "mail.example.org:995", "pop.example.org:995")
		}, "pop3s://WHOLE@pop.example.org (it answers at pop.example.org)\n" +
			"pop3s://WHOLE@mail.example.org (it answers at mail.example.org)\n"},
		{"the domain itself", IMAP, func(w *world) {
			w.mail(w.ca.Good.Config, "* OK IMAP4rev1\r\n", "example.org:993")
		}, "imaps://WHOLE@example.org/INBOX (it answers at example.org)\n"},
		{"an expired certificate", IMAP, func(w *world) {
			w.mail(w.ca.Expired.Config, "* OK IMAP4rev1\r\n", "imap.example.org:993")
		}, ""},
		{"another's certificate", IMAP, func(w *world) {
			w.mail(w.ca.WrongName.Config, "* OK IMAP4rev1\r\n", "imap.example.org:993")
		}, ""},
		{"another protocol", POP3, func(w *world) {
			w.mail(w.ca.Good.Config, "* OK IMAP4rev1\r\n", "pop.example.org:995")
		}, ""},
		{"nobody", POP3, func(*world) {}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil, "pop.example.org", "mail.example.org", "imap.example.org", "example.org")
			c.set(w)
			found, err := w.find(c.kind)
			if got := printed(found); got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got\n%s(%v)\nwant\n%s", got, err, c.want)
			}
			if tells := err != nil && strings.Contains(err.Error(), "imap.example.org answers, and its certificate is not trusted: x509: "); tells != strings.HasSuffix(c.name, "certificate") {
				t.Errorf("it says %v", err)
			}
		})
	}
}

// A server that takes the line and is silent does not hold a user who has waited enough.
func TestProbeCancelled(t *testing.T) {
	w := newWorld(t, nil)
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	l := w.lookup()
	l.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr != "pop.example.org:995" {
			return w.dial(ctx, network, addr)
		}
		near, far := net.Pipe()
		t.Cleanup(func() { far.Close() })
		go func() {
			far.Read(make([]byte, 1)) // of the handshake
			cancel(enough)
		}()
		return near, nil
	}
	a, err := ParseAddress("alice@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if found, err := l.Find(ctx, a, POP3); !errors.Is(err, enough) {
		t.Errorf("%s(%v), want %v", printed(found), err, enough)
	}
}
