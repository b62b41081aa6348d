package wire

import (
	"fmt"
	"os"
	stdsync "sync"
	"time"

	"github.com/pop2imap/pop2imap/sync"
)

// A server that is never silent for long can still take forever. So what it may let us wait for in all is bounded too,
// until it has made some progress.
const (
	progress  = 64 << 10 // octets
	endurance = 30       // times Server.Timeout
)

// waiting says whether the other side owes us an answer, and how long it has let us wait for it. Only the time in which
// somebody reads counts: we ourselves may take as long as we like.
type waiting struct {
	mu    stdsync.Mutex
	idle  bool
	since time.Time     // when the Read under way began to wait; zero: there is none
	spent time.Duration // in Reads that are over, in this step, since the last progress
	got   int           // octets since then
}

// Idle says that no answer is awaited, or that one is again (the state of a new connection): only then is silence an
// error. It acts on a Read that is under way.
func (c *Conn) Idle(on bool) {
	w := &c.wait
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = on
	w.step()
	c.arm()
}

// step begins a new one: an answer is awaited from now on.
func (w *waiting) step() {
	w.spent, w.got = 0, 0
	if !w.since.IsZero() {
		w.since = time.Now()
	}
}

// arm gives a Read its deadline. w.mu is held.
func (c *Conn) arm() {
	if c.wait.idle {
		c.raw.SetReadDeadline(time.Time{})
		return
	}
	wait := c.server.Timeout
	if left := wait - c.wait.spent/endurance; left < wait/endurance {
		wait = left * endurance
	}
	c.raw.SetReadDeadline(time.Now().Add(wait))
}

// armed reads from the connection and gives each wait its own deadline, so that progress re-arms it.
type armed struct{ c *Conn }

func (a armed) Read(p []byte) (int, error) {
	a.c.begin()
	n, err := a.c.raw.Read(p)
	a.c.in.Add(int64(n))
	drips := a.c.end(n)
	if drips && os.IsTimeout(err) {
		return n, a.c.dripping()
	}
	return n, a.c.explain("read from", err)
}

// begin notes that a Read waits from now on.
func (c *Conn) begin() {
	w := &c.wait
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since = time.Now()
	c.arm()
}

// end notes that it does no more, and says whether the other side has used up our patience.
func (c *Conn) end(n int) (drips bool) {
	w := &c.wait
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spent += time.Since(w.since)
	w.since = time.Time{}
	if w.got += n; w.got >= progress {
		w.step()
	}
	return w.spent/endurance >= c.server.Timeout
}

func (c *Conn) dripping() error {
	return &sync.Error{Class: sync.Temporary,
		Err: fmt.Errorf("%s sent less than %d KiB in %d times the %v that it may be silent: too slow to go on",
			c.server.Addr(), progress>>10, endurance, c.server.Timeout),
		Remedy: "run it again; if the line is only slow, a longer --timeout helps"}
}

// wrote begins a step: what was sent is to be answered.
func (c *Conn) wrote() {
	c.wait.mu.Lock()
	defer c.wait.mu.Unlock()
	c.wait.step()
}
