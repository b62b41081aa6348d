package bench

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/real"
)

// A source is a maildrop that has been read once, so that the server knows all sizes and the files are in memory.
type source struct {
	*real.Server
	corpus corpus
	sizes  []int // of the messages, as LIST says
}

func startSource(b testing.TB, c corpus) *source {
	b.Helper()
	s := &source{Server: real.Start(b, real.Dovecot, nil), corpus: c}
	c.put(b, s.Server)
	l, sizes, err := enterPOP(s.job())
	if err != nil {
		b.Fatal(err)
	}
	l.Close()
	s.sizes = sizes
	if len(sizes) != c.count() {
		b.Fatalf("%d messages in the maildrop, want %d", len(sizes), c.count())
	}
	return s
}

// octets is how many the first messages have together.
func (s *source) octets(messages int) (sum int64) {
	for _, n := range s.sizes[:messages] {
		sum += int64(n)
	}
	return sum
}

func (s *source) job() job {
	return job{POP: address(s.POP3S), CA: s.CA, User: s.User, Password: s.Password}
}

// A route is a source, a new destination and the lines to both.
type route struct {
	from *source
	to   *real.Server
	job
	separator string // of the destination's folder names
}

// lay starts a destination, and lines on which each octet takes half of the round trip.
func lay(b testing.TB, from *source, o real.Options, roundTrip time.Duration) *route {
	b.Helper()
	o.Durable = true
	r := &route{from: from, to: real.Start(b, real.Dovecot, &o), job: from.job()}
	line := lab.ProxyOptions{Delay: roundTrip / 2}
	r.POP, r.IMAP, r.Folder = reach(b, from.POP3S, line), reach(b, r.to.IMAPS, line), "Bench"
	r.separator = "."
	if o.Format == "mdbox" {
		r.separator = "/"
	}
	r.CA = r.to.Dir + "/both-ca.pem"
	var all []byte
	for _, f := range []string{from.Server.CA, r.to.CA} {
		pem, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, pem...)
	}
	if err := os.WriteFile(r.CA, all, 0o644); err != nil {
		b.Fatal(err)
	}
	return r
}

// reach gives the address at which a port of this machine is reached over such a line.
func reach(b testing.TB, port int, line lab.ProxyOptions) string {
	b.Helper()
	if line == (lab.ProxyOptions{}) {
		return address(port)
	}
	p, err := lab.StartProxy(address(port), line)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.Close)
	host, at := p.Addr()
	return net.JoinHostPort(host, strconv.Itoa(at))
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// arrived says how many messages the destination has.
func (r *route) arrived(b testing.TB) int {
	b.Helper()
	c, err := net.Dial("tcp", address(r.to.IMAP))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "a LOGIN %s %s\r\nb STATUS %s (MESSAGES)\r\n", r.to.User, r.to.Password, r.Folder)
	for in := bufio.NewScanner(c); in.Scan(); {
		if _, rest, ok := strings.Cut(in.Text(), "(MESSAGES "); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(rest, ")"))
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
		if strings.HasPrefix(in.Text(), "b ") {
			b.Fatalf("STATUS: %s", in.Text())
		}
	}
	b.Fatal("STATUS: no answer")
	return 0
}
