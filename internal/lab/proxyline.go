package lab

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A pair is one connection through a proxy.
type pair struct {
	client, server *net.TCPConn
	up, down       *lane
	over           chan struct{} // closed when nothing is to be delivered any more
}

// A lane is one way of a pair. One goroutine takes what comes, another delivers it when it is due: so what is on its way
// at the same time is delayed together.
type lane struct {
	from, to *net.TCPConn
	o        ProxyOptions
	queue    chan chunk
	passed   atomic.Int64
	end      *Break        // nil: this way does not break
	taken    chan struct{} // closed when nothing more is taken
	hurry    chan struct{} // closed when what is left is to be delivered at once
	free     time.Time     // when the last octet has passed that the rate allowed
}

// A chunk is what came at one time. The last one has an error: io.EOF, or what ended the way otherwise.
type chunk struct {
	octets []byte
	due    time.Time
	err    error
}

func newPair(client, server *net.TCPConn, o ProxyOptions, n int) *pair {
	way := func(from, to *net.TCPConn, w Way) *lane {
		l := &lane{from: from, to: to, o: o, queue: make(chan chunk, o.room()), taken: make(chan struct{}),
			hurry: make(chan struct{})}
		if b := o.Break; b != nil && b.Way == w && (b.Conn == 0 || b.Conn == n) {
			l.end = b
		}
		return l
	}
	return &pair{client: client, server: server, over: make(chan struct{}), up: way(client, server, Up),
		down: way(server, client, Down)}
}

// room is how many chunks a way holds. With a rate it is what is on its way and that of 200 ms before it, as a router has it:
// who sends more notices that it is slow.
func (o ProxyOptions) room() int {
	if o.Rate == 0 {
		return 1024
	}
	return int(o.Delay/tick) + 10
}

// run serves until both ways have ended, or until shut is closed.
func (p *pair) run(shut <-chan struct{}) {
	var ways sync.WaitGroup
	for _, l := range []*lane{p.up, p.down} {
		other := p.up
		if l == p.up {
			other = p.down
		}
		ways.Go(func() { l.take(p.over) })
		ways.Go(func() { l.deliver(p.over, other) })
	}
	ended := make(chan struct{})
	go func() {
		ways.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-shut:
	}
	close(p.over)
	p.client.Close()
	p.server.Close()
	<-ended
}

// take puts what comes into the queue until the way ends.
func (l *lane) take(over <-chan struct{}) {
	defer close(l.taken)
	defer close(l.queue)
	const slab = 512 << 10 // that is cut up, so that nothing is copied
	var buf []byte
	for total, piece := int64(0), l.o.piece(); ; {
		if int64(len(buf)) < piece {
			buf = make([]byte, slab)
		}
		if l.end != nil && l.end.Drain && total >= l.end.After {
			drop(l.from)
		}
		n, err := l.from.Read(buf[:piece])
		total += int64(n)
		octets := buf[:n:n]
		buf = buf[n:]
		select {
		case l.queue <- chunk{octets, time.Now().Add(l.o.Delay), err}:
		case <-over:
			return
		}
		if err != nil {
			return
		}
	}
}

// tick is how much time a chunk takes where there is a rate.
const tick = 20 * time.Millisecond

// piece is how many octets are passed on together: with a rate, those of a tick.
func (o ProxyOptions) piece() int64 {
	const most = 64 << 10
	if o.Rate == 0 {
		return most
	}
	return max(1, min(most, o.Rate*int64(tick)/int64(time.Second)))
}

// deliver passes on what is in the queue when it is due, and how the way ended.
func (l *lane) deliver(over <-chan struct{}, other *lane) {
	defer l.forget()
	if l.left() == 0 {
		other.stop()
		reset(l.to)
		return
	}
	for c := range l.queue {
		if !l.wait(c, over) {
			return
		}
		octets := c.octets[:min(int64(len(c.octets)), l.left())]
		breaks := l.left() == int64(len(octets))
		if breaks { // first, so that the answer to the last octets does not come through
			other.stop()
		}
		switch err := l.write(octets); {
		case breaks:
			reset(l.to)
			return
		case err != nil:
			return
		case errors.Is(c.err, io.EOF):
			l.to.CloseWrite()
		case c.err != nil:
			reset(l.to)
		}
	}
}

// forget lets come what cannot be delivered.
func (l *lane) forget() {
	for range l.queue {
	}
}

// write counts first: who has received an octet finds it counted.
func (l *lane) write(octets []byte) error {
	l.passed.Add(int64(len(octets)))
	n, err := l.to.Write(octets)
	l.passed.Add(int64(n - len(octets)))
	return err
}

// left is how many octets may still be delivered before the line breaks.
func (l *lane) left() int64 {
	if l.end == nil || l.end.Drain {
		return 1 << 62
	}
	return l.end.After - l.passed.Load()
}

// stop takes no more from a way, which ends when it has delivered at once what it has.
func (l *lane) stop() {
	close(l.hurry)
	l.from.SetReadDeadline(time.Unix(1, 0))
	<-l.taken
}

// wait returns when a chunk may be delivered; false: it may not be any more.
func (l *lane) wait(c chunk, over <-chan struct{}) bool {
	now := time.Now()
	at := c.due
	if l.o.Rate > 0 {
		if at.Before(l.free) {
			at = l.free
		}
		if at.Before(now) {
			at = now
		}
		at = at.Add(time.Duration(int64(len(c.octets)) * int64(time.Second) / l.o.Rate))
		l.free = at
	}
	if !at.After(now) {
		select {
		case <-over:
			return false
		default:
			return true
		}
	}
	timer := time.NewTimer(at.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.hurry:
	case <-over:
		return false
	}
	return true
}

// reset ends a connection with RST when the other side's kernel has all that was delivered to it; one that takes nothing
// any more is not waited for long.
func reset(c *net.TCPConn) {
	for range 2000 {
		if unsent(c) == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	drop(c)
}

// drop ends a connection with RST at once.
func drop(c *net.TCPConn) {
	c.SetLinger(0)
	c.Close()
}
