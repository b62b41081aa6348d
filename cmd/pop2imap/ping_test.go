package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	stdsync "sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/lab"
)

// A watchdog hears pings at /s3cret-path.
type watchdog struct {
	*httptest.Server
	heard chan string // each as it came

	mu    stdsync.Mutex
	pings []string          // METHOD, what and query but for rid, and the text
	rids  map[string]int    // how often each came
	does  map[string]string // to "start", "" or "fail": a status, "hang", "cut", or where to send on to; once if it ends in "!"
}

func newWatchdog() *watchdog {
	w := &watchdog{heard: make(chan string, 100), rids: map[string]int{}, does: map[string]string{}}
	w.Server = httptest.NewUnstartedServer(w)
	w.Config.ErrorLog = log.New(io.Discard, "", 0)
	return w
}

const watchdogPath = "/s3cret-path"

func (w *watchdog) ServeHTTP(answer http.ResponseWriter, req *http.Request) {
	text, _ := io.ReadAll(req.Body)
	what, ok := strings.CutPrefix(req.URL.EscapedPath(), watchdogPath)
	what = strings.TrimPrefix(what, "/")
	query := req.URL.Query()
	rid := query.Get("rid")
	query.Del("rid")
	w.mu.Lock()
	ping := strings.TrimSpace(fmt.Sprintf("%s %s %s", req.Method, what, query.Encode())) + "\n" + string(text)
	w.pings = append(w.pings, ping)
	w.rids[rid]++
	does := w.does[what]
	if once, ok := strings.CutSuffix(does, "!"); ok {
		does = once
		delete(w.does, what)
	}
	w.mu.Unlock()
	if req.Referer() != "" {
		does = "400"
	}
	w.heard <- what
	switch {
	case !ok:
		answer.WriteHeader(404)
	case does == "hang":
		<-req.Context().Done()
	case does == "cut":
		panic(http.ErrAbortHandler)
	case strings.Contains(does, "/"):
		http.Redirect(answer, req, does+"?"+req.URL.RawQuery, http.StatusTemporaryRedirect)
	case does != "":
		var code int
		fmt.Sscan(does, &code)
		answer.WriteHeader(code)
	}
}

// startWatchdog [tls] [query] [proxy] [gone] [start=WHAT] [ok=WHAT] [fail=WHAT]: a watchdog that nobody has pinged yet, its URL in
// $PING; with a query, over a proxy, or where nobody listens any more. WHAT is what it does instead of an answer.
func startWatchdog(ts *testscript.TestScript, _ bool, args []string) {
	w := newWatchdog()
	w.TLS = serving(ts).ca.Good.Config
	if slices.Contains(args, "tls") {
		w.StartTLS()
	} else {
		w.Start()
	}
	url := w.URL + watchdogPath
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range args {
		switch what, does, _ := strings.Cut(a, "="); what {
		case "tls":
		case "query":
			url += "?create=1"
		case "proxy":
			ts.Setenv("http_proxy", "http://proxy:hunter2@"+strings.TrimPrefix(w.URL, "http://"))
			url = "http://watchdog.example" + watchdogPath
		case "gone":
			w.Close()
		case "start", "fail":
			w.does[what] = does
		case "ok":
			w.does[""] = does
		default:
			ts.Fatalf("unknown option %q", a)
		}
	}
	serving(ts).watchdog = w
	ts.Defer(w.Close)
	ts.Setenv("PING", url)
}

// told gives what it has heard until now.
func (w *watchdog) told() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.pings)
}

// pings WHAT…: the watchdog has heard just these, as "POST start", and all as of one run. What the last one told is in the file
// ping.
func pings(ts *testscript.TestScript, _ bool, args []string) {
	w := serving(ts).watchdog
	w.mu.Lock()
	defer w.mu.Unlock()
	var got []string
	text := ""
	for _, p := range w.pings {
		head, body, _ := strings.Cut(p, "\n")
		got, text = append(got, head), body
	}
	if !slices.Equal(got, args) {
		ts.Fatalf("pings %q, want %q", got, args)
	}
	for rid := range w.rids {
		if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(rid) || len(w.rids) != 1 {
			ts.Fatalf("run IDs %v, want one", slices.Collect(maps.Keys(w.rids)))
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs("ping"), []byte(text), 0o600))
	w.pings, w.rids = nil, map[string]int{}
}

// TestPingOfAStoppedRun: that it began was told; it is no failure that somebody stopped it, and he has not to wait for a watchdog
// that has not answered yet.
func TestPingOfAStoppedRun(t *testing.T) {
	for _, start := range []string{"", "hang"} {
		hook, has, goOn := atTheSecond()
		command, _ := prepared(t, lab.Sample()[:5], hook)
		w := newWatchdog()
		w.does["start"] = start
		w.Start()
		run := command()
		run.Env = append(run.Env, "POP2IMAP_PING="+w.URL+watchdogPath)
		var talk strings.Builder
		said := &lines{to: &talk, line: make(chan string, 100)}
		run.Stderr = said
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		<-has
		<-w.heard
		if err := run.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-said.line
		stopped := time.Now()
		close(goOn)
		run.Wait()
		w.Close()
		if got := run.ProcessState.ExitCode(); got != 143 || len(w.told()) != 1 || strings.Contains(talk.String(), "--ping") {
			t.Errorf("start %q: exit code %d, pings %q, want 143 and that it began\n%s", start, got, w.told(), talk.String())
		}
		if took := time.Since(stopped); took >= pingTimeout {
			t.Errorf("start %q: it took %v", start, took)
		}
	}
}

// TestPingTrouble: a notice names the host and what is wrong, and never the URL. What may pass is tried twice.
func TestPingTrouble(t *testing.T) {
	for _, c := range []struct {
		does string
		want string // "": no notice
		hear int    // requests
	}{
		{"", "", 1},
		{"204", "", 1},
		{"503!", "", 2},
		{"cut!", "", 2},
		{"hang!", "", 2},
		{"503", "the answer is 503 Service Unavailable", 2},
		{"429", "the answer is 429 Too Many Requests", 2},
		{"404", "the answer is 404 Not Found", 1},
		{"cut", "no answer that is HTTP", 2},
		{"hang", "no answer within 300ms", 2},
		{watchdogPath + "/start", "it sends on more than 5 times", 12},
		{"http://127.0.0.1:1" + watchdogPath, "dial tcp 127.0.0.1:1: connect: connection refused", 2},
		{"ht tp://" + watchdogPath, "no answer that is HTTP", 2},
	} {
		t.Run(c.does, func(t *testing.T) {
			w := newWatchdog()
			w.does["start"] = c.does
			w.Start()
			defer w.Close()
			said := pinged(t, w, nil)
			if c.want != "" {
				c.want = "--ping: " + strings.TrimPrefix(w.URL, "http://") + ": " + c.want
			}
			if n := len(w.told()); said != c.want || n != c.hear {
				t.Errorf("after %d requests it says %q, want %d and %q", n, said, c.hear, c.want)
			}
		})
	}
}

// TestPingKeepsNoConnection for the end of a run: until then somebody on the way has forgotten it.
func TestPingKeepsNoConnection(t *testing.T) {
	var idle atomic.Int32
	w := newWatchdog()
	w.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			idle.Add(1)
		}
	}
	w.Start()
	if said := pinged(t, w, nil); said != "" {
		t.Error(said)
	}
	w.Close()
	if n := idle.Load(); n != 0 {
		t.Errorf("%d connections were kept", n)
	}
}

// TestPingUncovered: a watchdog with a certificate cannot send the secret on over a line that all can read.
func TestPingUncovered(t *testing.T) {
	ca, err := lab.NewTLS()
	if err != nil {
		t.Fatal(err)
	}
	open, closed := newWatchdog(), newWatchdog()
	open.Start()
	defer open.Close()
	closed.TLS = ca.Good.Config
	closed.does["start"] = open.URL + watchdogPath
	closed.StartTLS()
	defer closed.Close()
	if said := pinged(t, closed, nil); !strings.Contains(said, "certificate") || strings.Contains(said, watchdogPath) {
		t.Errorf("who does not know the certificate says %q", said)
	}
	if len(closed.told()) != 0 {
		t.Error("it was pinged all the same")
	}
	if said := pinged(t, closed, ca.Pool); !strings.HasSuffix(said, errUncovered.Error()) || len(open.told()) != 0 {
		t.Errorf("it says %q, and %d pings came over the open line", said, len(open.told()))
	}
}

// pinged tells a watchdog that something begins, and gives what is said of that.
func pinged(t *testing.T, w *watchdog, roots *x509.CertPool) (said string) {
	t.Helper()
	var to config.Ping
	if err := to.Set(w.URL + watchdogPath); err != nil {
		t.Fatal(err)
	}
	p := newPinger(to, 300*time.Millisecond, func(text string) { said = text })
	p.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
	p.begin(t.Context())
	<-p.began
	p.end(context.Background(), 130, false, "")
	return said
}

// TestPingEnds: which exit code is told as what.
func TestPingEnds(t *testing.T) {
	for _, c := range []struct {
		exit       int
		complained bool
		want       string
	}{
		{0, false, "POST"},
		{exitRefused, false, "POST fail"},
		{77, false, "POST fail"},
		{75, false, ""},
		{75, true, "POST fail"},
		{130, false, ""},
		{143, true, ""},
	} {
		w := newWatchdog()
		w.Start()
		var to config.Ping
		if err := to.Set(w.URL + watchdogPath); err != nil {
			t.Fatal(err)
		}
		p := newPinger(to, pingTimeout, func(text string) { t.Error(text) })
		p.begin(t.Context())
		<-p.began
		p.end(t.Context(), c.exit, c.complained, "")
		w.Close()
		if got := strings.TrimSpace(strings.Join(w.told()[1:], "")); got != c.want {
			t.Errorf("exit code %d, complained of: %v: the end is %q, want %q", c.exit, c.complained, got, c.want)
		}
	}
	for _, code := range gravity {
		if meanings[code] == "" {
			t.Errorf("exit code %d means nothing", code)
		}
	}
}

// TestPingText has no address, though an account may be called by one.
func TestPingText(t *testing.T) {
	got := pingText(summaryJSON{"summary", 77, []any{
		accountJSON{Account: "alice@old.example", Listed: 1, Copied: 1, Bytes: 2048, Seconds: 1.23},
		accountJSON{Account: "office", Exit: 77},
		accountJSON{Account: "x", Exit: 3, Listed: 1200, Refused: 2, Known: 1198, Seconds: 60},
	}})
	want := "exit code 77: a login was refused\n" +
		"alice@…: 1 message listed, 1 copied; 2.0 KiB in 1.2 s\n" +
		"office: exit code 77, a login was refused\n" +
		"x: exit code 3, messages were refused, or vanished; 1,200 messages listed, 1,198 known, 2 refused; 0 B in 60.0 s\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
