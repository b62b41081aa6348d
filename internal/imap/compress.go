package imap

import (
	"fmt"
	"time"

	"github.com/pop2imap/pop2imap/sync"
)

// Compression gains on a slow line: mail shrinks to between a third (text) and three quarters (base64), for 4 ms of CPU
// time a MB at each end. On a fast one it only costs. So a session begins without, and judges the line by what it sends.
const (
	enough = 3 << 20 // octets; kernels hold the first of them, and TCP begins slowly on every line
	slow   = 4e6     // octets a second
)

// A gauge measures what a line carries. It counts the time in which the kernel takes no more, and no other: what we have to
// wait for ourselves (the maildrop, --rate) does not make a line slow, and neither does a server that thinks.
type gauge struct {
	octets int64
	took   time.Duration
}

func (g *gauge) add(octets int, took time.Duration) {
	g.octets += int64(octets)
	g.took += took
}

func (g *gauge) slow() bool { return g.octets >= enough && float64(g.octets) < slow*g.took.Seconds() }

// compress goes over to COMPRESS DEFLATE (RFC 4978 §3) when the line is slow, if the server can. It asks once. An error
// means that the connection is gone. No mail is at stake then: nothing is on its way while we ask, nor until an answer
// has come through.
func (s *Session) compress() error {
	if s.asked || s.clear != nil && s.clear.Load() || !s.out.line.slow() || !s.caps.has("COMPRESS=DEFLATE") {
		return nil
	}
	s.asked = true
	s.mux.rest()
	c := s.mux.compress()
	err := s.out.say(c.tag + " COMPRESS DEFLATE\r\n")
	if err == nil {
		err = s.out.flush()
	}
	if err != nil {
		s.mux.giveUp(err)
		return s.mux.gone()
	}
	r, err := s.mux.await(c)
	switch {
	case err != nil:
		return err
	case r.status == "NO" || r.status == "BAD":
		return nil
	case r.status != "OK":
		return s.mux.broken(fmt.Errorf("%s answered COMPRESS with neither OK, NO nor BAD", s.server.Host))
	}
	s.w.Deflate()
	if err := s.client.Noop().Wait(); err != nil && !isRefusal(err) {
		if s.clear != nil { // Go's inflater waits for a sync flush (golang/go#31514), and not every server does one
			s.clear.Store(true)
		}
		return sync.Doing(s.fault(err), "go over to compression with %s", s.server.Host)
	}
	return nil
}
