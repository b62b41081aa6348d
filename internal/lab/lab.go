// Package lab is the other side of the wire, for the demo command and for tests: a POP3 server, an IMAP server, a
// server that follows a script, a line that is slow or breaks, certificates, and sample mail. All of it is real sockets
// on 127.0.0.1 and the real protocols, inside this process and in memory only. Servers of other makers are package
// lab/real's.
package lab

import (
	"fmt"
	"net"
	"sync"
)

// A door is a listening socket on a free port of 127.0.0.1, with the connections that came through it.
type door struct {
	ln  net.Listener
	all sync.WaitGroup

	mu     sync.Mutex
	inside map[net.Conn]struct{}
	left   *sync.Cond // one of them has ended
	seen   int
	shut   bool
}

func openDoor() (*door, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a port on 127.0.0.1: %w", err)
	}
	d := &door{ln: ln, inside: make(map[net.Conn]struct{})}
	d.left = sync.NewCond(&d.mu)
	return d, nil
}

// serve gives each connection, numbered from 1, to handle in a goroutine of its own. When handle returns the
// connection is closed.
func (d *door) serve(handle func(n int, c net.Conn)) {
	d.all.Go(func() {
		for {
			c, err := d.ln.Accept()
			if err != nil {
				return
			}
			n, ok := d.admit(c)
			if !ok {
				c.Close()
				return
			}
			d.all.Go(func() {
				defer d.release(c)
				handle(n, c)
			})
		}
	})
}

func (d *door) admit(c net.Conn) (n int, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return 0, false
	}
	d.seen++
	d.inside[c] = struct{}{}
	return d.seen, true
}

func (d *door) release(c net.Conn) {
	c.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.inside, c)
	d.left.Broadcast()
}

// Quiet returns when no connection is open: the last words of clients that waited for no answer have been heard then.
func (d *door) Quiet() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.inside) > 0 {
		d.left.Wait()
	}
}

// Addr gives where the server listens: "127.0.0.1" and a port.
func (d *door) Addr() (host string, port int) {
	a := d.ln.Addr().(*net.TCPAddr)
	return a.IP.String(), a.Port
}

// Connections gives how many connections there have been so far.
func (d *door) Connections() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen
}

// Close cuts all connections and returns when the server has nothing running any more. Closing twice is allowed; from a
// Hook or a script it is not, for it waits for them.
func (d *door) Close() {
	d.mu.Lock()
	d.shut = true
	d.ln.Close()
	for c := range d.inside {
		c.Close()
	}
	d.mu.Unlock()
	d.all.Wait()
}

// A journal is what clients said, with secrets hidden.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// Commands gives every command seen so far, over all connections, secrets replaced by "***".
func (j *journal) Commands() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.lines...)
}
