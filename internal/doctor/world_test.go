package doctor

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
	"github.com/pop2imap/pop2imap/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is one of package trial, and what the doctor is told of it.
type world struct {
	*trial.World
	ca *lab.Authority
	o  Options
}

// A setting changes what a world begins with.
type setting struct {
	pop  lab.POP3Options
	imap lab.IMAPOptions
	mail []lab.Mail // nil: the first five of the sample
}

// create starts both servers, with TLS from the first byte unless the setting has another TLS.
func create(t *testing.T, set setting) *world {
	t.Helper()
	ca, err := lab.NewTLS()
	if err != nil {
		t.Fatal(err)
	}
	if set.pop.TLS == nil {
		set.pop.TLS, set.pop.Implicit = ca.Good.Config, true
	}
	if set.imap.TLS == nil {
		set.imap.TLS, set.imap.Implicit = ca.Good.Config, true
	}
	if set.mail == nil {
		set.mail = lab.Sample()[:5]
	}
	w := &world{ca: ca, World: trial.Start(t, t.TempDir(), set.pop, set.imap, set.mail...)}
	w.o = Options{From: at(w.POP, "from", ca.Pool), To: at(w.IMAP, "to", ca.Pool), Folder: "INBOX", Key: trial.Key,
		State: w.State(), FileSystem: func(string) string { return "" }}
	return w
}

func at(s trial.Place, side string, roots *x509.CertPool) End {
	host, port := s.Addr()
	return End{User: trial.User, Secret: trial.Password,
		Server: wire.Server{Host: host, Port: port, Side: side, Roots: roots, Timeout: 20 * time.Second}}
}

// What the doctor may say to a server: nothing of it changes anything.
var (
	popVerbs  = []string{"CAPA", "USER", "PASS", "UIDL", "LIST", "QUIT"}
	imapVerbs = []string{"CAPABILITY", "LOGIN", "ID", "NAMESPACE", "LIST", "EXAMINE", "STATUS", "GETQUOTAROOT", "LOGOUT"}
)

// examine gives what is found, and holds the doctor to what it promises: nothing is changed at either end, no state is made,
// and whatever is not well has a remedy.
func (w *world) examine(ctx context.Context) []Finding {
	w.Helper()
	mail := w.POP.Mail()
	findings := Examine(ctx, w.o)
	w.onlyVerbs("POP3", w.POP.Commands(), append([]string{"TOP"}, popVerbs...))
	w.onlyVerbs("IMAP", w.IMAP.Commands(), imapVerbs)
	if now := w.POP.Mail(); len(now) != len(mail) {
		w.Errorf("%d messages are left in the maildrop of %d", len(now), len(mail))
	}
	if there, err := w.IMAP.Messages("INBOX"); err != nil || len(there) != 0 {
		w.Errorf("%d messages in INBOX, %v", len(there), err)
	}
	for _, f := range findings {
		if (f.Remedy == "") != (f.Level == OK) || (f.Err == nil) != (f.Level != Failure) || strings.Contains(fmt.Sprint(f), trial.Password) {
			w.Errorf("not as it should be: %+v", f)
		}
	}
	return findings
}

func (w *world) onlyVerbs(protocol string, commands, allowed []string) {
	w.Helper()
	for _, c := range commands {
		if verb, _, _ := strings.Cut(strings.ToUpper(c), " "); !slices.Contains(allowed, verb) {
			w.Errorf("%s: the doctor said %q", protocol, c)
		}
	}
}

// print is what golden text has of findings: what differs from run to run is replaced.
func (w *world) print(findings []Finding, least Level) string {
	var b strings.Builder
	for _, f := range findings {
		if f.Level < least {
			continue
		}
		fmt.Fprintf(&b, "%s %s: %s\n", f.Level, strings.TrimSpace(f.End+" "+f.Check), f.Text)
		if f.Server != "" {
			fmt.Fprintf(&b, "  said: %s\n", f.Server)
		}
		if f.Remedy != "" {
			fmt.Fprintf(&b, "  do: %s\n", f.Remedy)
		}
	}
	text := b.String()
	for from, to := range map[string]string{filepath.Dir(w.o.State): "DIR", w.ca.Good.Fingerprint: "GOOD",
		w.ca.Expired.Fingerprint: "EXPIRED"} {
		text = strings.ReplaceAll(text, from, to)
	}
	_, popPort, _ := net.SplitHostPort(addr(w.POP))
	_, imapPort, _ := net.SplitHostPort(addr(w.IMAP))
	text = strings.NewReplacer(popPort, "POP3", imapPort, "IMAP").Replace(text)
	text = regexp.MustCompile(`answers in \S+`).ReplaceAllString(text, "answers in TIME")
	text = regexp.MustCompile(`\(\S+s and \S+s\)`).ReplaceAllString(text, "(TIME and TIME)")
	text = regexp.MustCompile(`this one knows \d+`).ReplaceAllString(text, "this one knows N")
	text = regexp.MustCompile(`20\d\d-\d\d-\d\d`).ReplaceAllString(text, "DATE")
	text = regexp.MustCompile(`good for 36[45] days`).ReplaceAllString(text, "good for 365 days")
	return regexp.MustCompile(`UIDVALIDITY \d+`).ReplaceAllString(text, "UIDVALIDITY N")
}

func addr(s trial.Place) string {
	host, port := s.Addr()
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// golden compares what is found, of at least that level, with text.
func (w *world) golden(least Level, want string) {
	w.Helper()
	got := w.print(w.examine(w.Context()), least)
	if want = strings.TrimPrefix(want, "\n"); got != want {
		w.Errorf("got:\n%s\nwant:\n%s", got, cmp.Or(want, "nothing"))
	}
}
