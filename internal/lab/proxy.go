package lab

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// A Way is a direction through a proxy.
type Way int

const (
	Up   Way = iota // from the client to the server
	Down            // from the server to the client
)

// ProxyOptions say what a line is like. The zero value is one that passes everything on at once.
type ProxyOptions struct {
	Delay time.Duration // each octet arrives so much later, each way, however many are on their way
	Rate  int64         // octets a second that pass, each way of each connection; 0: no limit
	Break *Break        // nil: the line never breaks
}

// A Break is the end of a line: exactly After octets of Way are delivered, and of the other way what had come to the
// proxy until then; then both sides are reset. At the greeting that may come so early that connecting fails.
type Break struct {
	Way   Way
	After int64
	Conn  int // the connection that breaks, from 1; 0: each

	// Drain, with Up, resets the client's side alone, when After octets have come to the proxy or a few more. They are all
	// delivered yet, with their delay, and then the server's side is reset: so a kernel goes on sending when its program
	// has died. What the server says meanwhile is lost.
	Drain bool
}

// A Proxy is a line between clients and a server.
type Proxy struct {
	*door
	o      ProxyOptions
	target string
	shut   chan struct{}
	once   sync.Once

	pairMu sync.Mutex
	pairs  map[int]*pair
}

// StartProxy starts a proxy in front of target, which is host:port. It listens until Close.
func StartProxy(target string, o ProxyOptions) (*Proxy, error) {
	if b := o.Break; b != nil && b.Drain && b.Way != Up {
		return nil, fmt.Errorf("start a proxy: Drain is for Up only")
	}
	d, err := openDoor()
	if err != nil {
		return nil, err
	}
	if o.Rate > 0 {
		narrow(d.ln.(*net.TCPListener))
	}
	p := &Proxy{door: d, o: o, target: target, shut: make(chan struct{}), pairs: make(map[int]*pair)}
	d.serve(p.connect)
	return p, nil
}

// connect serves a connection to its end. Without a server it is reset.
func (p *Proxy) connect(n int, c net.Conn) {
	client := c.(*net.TCPConn)
	s, err := net.DialTimeout("tcp", p.target, 10*time.Second)
	if err != nil {
		client.SetLinger(0)
		return
	}
	x := newPair(client, s.(*net.TCPConn), p.o, n)
	p.pairMu.Lock()
	p.pairs[n] = x
	p.pairMu.Unlock()
	x.run(p.shut)
}

// Bytes says how many octets the n-th connection has delivered, from 1; afterwards too.
func (p *Proxy) Bytes(n int) (up, down int64) {
	p.pairMu.Lock()
	defer p.pairMu.Unlock()
	if x := p.pairs[n]; x != nil {
		up, down = x.up.passed.Load(), x.down.passed.Load()
	}
	return up, down
}

// Close cuts all connections and returns when the proxy has nothing running any more. Closing twice is allowed.
func (p *Proxy) Close() {
	p.once.Do(func() { close(p.shut) })
	p.door.Close()
}
