package discover

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/dns"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is all that a search can see: names, web servers and mail servers, on 127.0.0.1. What it has not does not
// exist: nothing is ever asked outside.
type world struct {
	t      *testing.T
	ca     *lab.Authority
	names  *dns.Server
	places map[string]string // HOST:PORT as the search dials it, and where that is

	mu     sync.Mutex
	dialed []string
	seen   []*http.Request
}

// newWorld makes one. Its certificates are for the hosts given.
func newWorld(t *testing.T, records dns.Records, hosts ...string) *world {
	t.Helper()
	ca, err := lab.NewTLS(hosts...)
	if err != nil {
		t.Fatal(err)
	}
	names, err := dns.Start(records)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(names.Close)
	return &world{t: t, ca: ca, names: names, places: map[string]string{}}
}

func (w *world) lookup() *Lookup {
	return &Lookup{Resolver: dns.Resolver(w.names.Addr()), Dial: w.dial, Roots: w.ca.Pool}
}

func (w *world) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	w.mu.Lock()
	w.dialed = append(w.dialed, addr)
	place, ok := w.places[addr]
	w.mu.Unlock()
	if !ok {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	return new(net.Dialer).DialContext(ctx, network, place)
}

// web starts an HTTPS server at the hosts.
func (w *world) web(handle http.HandlerFunc, hosts ...string) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.seen = append(w.seen, r)
		w.mu.Unlock()
		handle(rw, r)
	}))
	s.TLS = w.ca.Good.Config.Clone()
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	w.t.Cleanup(s.Close)
	for _, h := range hosts {
		w.places[h+":443"] = s.Listener.Addr().String()
	}
}

// file starts an HTTPS server that answers each question with the file.
func (w *world) file(text string, hosts ...string) {
	w.web(func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, text) }, hosts...)
}

// mail starts a server that shows the certificate and says the greeting, at each HOST:PORT.
func (w *world) mail(certificate *tls.Config, greeting string, places ...string) {
	ln, err := tls.Listen("tcp", "127.0.0.1:0", certificate)
	if err != nil {
		w.t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				io.WriteString(c, greeting)
				io.Copy(io.Discard, c)
			})
		}
	})
	w.t.Cleanup(func() { ln.Close(); all.Wait() })
	for _, p := range places {
		w.places[p] = ln.Addr().String()
	}
}

// find looks for the server of alice@example.org.
func (w *world) find(k Kind) ([]Candidate, error) {
	w.t.Helper()
	a, err := ParseAddress("alice@example.org")
	if err != nil {
		w.t.Fatal(err)
	}
	return w.lookup().Find(w.t.Context(), a, k)
}

// printed gives a line for each candidate: URL, source, and what is to be said of it.
func printed(list []Candidate) string {
	var b strings.Builder
	for _, c := range list {
		b.WriteString(strings.ReplaceAll(c.String(), "alice%40example.org", "WHOLE") + " (" + c.Source + ")")
		if c.Unproved {
			b.WriteString(" unproved")
		}
		b.WriteString("\n")
	}
	return b.String()
}
