package lab

import (
	"io"
	"net"
	"strconv"
	"testing"
	"time"
)

// A measurement through a proxy must be one of the programs: 300 MB/s are far more than they move.
func BenchmarkProxy(b *testing.B) {
	for name, delay := range map[string]time.Duration{"at once": 0, "25 ms later": 25 * time.Millisecond} {
		b.Run(name, func(b *testing.B) {
			const octets = 64 << 20
			s, err := StartScript(func(p *Peer) {
				piece := make([]byte, 64<<10)
				for range octets / len(piece) {
					p.Conn.Write(piece)
				}
			})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			host, port := s.Addr()
			p, err := StartProxy(net.JoinHostPort(host, strconv.Itoa(port)), ProxyOptions{Delay: delay})
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			host, port = p.Addr()
			b.SetBytes(octets)
			for b.Loop() {
				c, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, c); n != octets || err != nil {
					b.Fatalf("%d octets, %v", n, err)
				}
				c.Close()
			}
		})
	}
}
