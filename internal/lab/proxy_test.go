package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

var _ server = (*Proxy)(nil)

func startProxy(t *testing.T, to server, o ProxyOptions) *Proxy {
	t.Helper()
	host, port := to.Addr()
	p, err := StartProxy(net.JoinHostPort(host, strconv.Itoa(port)), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// got is what came out of a connection until its end, and how it ended: nil is in good order.
type got struct {
	octets string
	err    error
}

func readAll(r io.Reader) got {
	b, err := io.ReadAll(r)
	return got{string(b), err}
}

// ended fails unless a connection was reset after exactly these octets.
func (g got) ended(t *testing.T, whose, want string) {
	t.Helper()
	if g.octets != want {
		t.Errorf("%s: got %d octets, want %d (or other ones)", whose, len(g.octets), len(want))
	}
	if !errors.Is(g.err, syscall.ECONNRESET) {
		t.Errorf("%s: ended with %v, want a reset", whose, g.err)
	}
}

// hearing is a server that listens until the end. What it is to say, it says when it has heard a line, which does not count.
func hearing(t *testing.T, says string) (*Script, <-chan got) {
	heard := make(chan got, 10)
	return startScript(t, func(p *Peer) {
		p.Conn.SetDeadline(time.Now().Add(patience))
		if says != "" {
			p.ReadLine()
			p.Send(says)
		}
		heard <- readAll(p.r)
	}), heard
}

// echo is a server that says what it hears.
func echo(t *testing.T) *Script {
	return startScript(t, func(p *Peer) { io.Copy(p.Conn, p.r) })
}

func TestProxyPassesEverythingOn(t *testing.T) {
	for name, o := range map[string]ProxyOptions{"at once": {}, "later": {Delay: time.Millisecond}, "slowly": {Rate: 50 << 20},
		"another breaks": {Break: &Break{Conn: 2}}} {
		t.Run(name, func(t *testing.T) {
			p := startProxy(t, echo(t), o)
			c := dial(t, p)
			said := bytes.Repeat([]byte("0123456789abcde\n"), 200_000)
			go func() {
				c.Write(said)
				c.(*net.TCPConn).CloseWrite()
			}()
			if back := readAll(c); back.octets != string(said) || back.err != nil {
				t.Errorf("%d octets came back, %v", len(back.octets), back.err)
			}
			up, down := p.Bytes(1)
			equal(t, "up", up, int64(len(said)))
			equal(t, "down", down, int64(len(said)))
			up, down = p.Bytes(2)
			equal(t, "of no connection", up+down, 0)
		})
	}
}

func TestProxyBreaksAfterExactlySoManyOctets(t *testing.T) {
	const says = "* OK hello\r\n"
	for b := 1; b <= len(says); b++ {
		for _, way := range []Way{Up, Down} {
			s, heard := hearing(t, map[Way]string{Down: says}[way])
			p := startProxy(t, s, ProxyOptions{Break: &Break{Way: way, After: int64(b)}})
			c := dial(t, p)
			if way == Up {
				c.Write([]byte(says))
				(<-heard).ended(t, fmt.Sprintf("server after %d", b), says[:b])
				readAll(c).ended(t, "client", "")
			} else {
				c.Write([]byte("\n"))
				readAll(c).ended(t, fmt.Sprintf("client after %d", b), says[:b])
				(<-heard).ended(t, "server", "")
			}
			up, down := p.Bytes(1)
			equal(t, "counted", map[Way]int64{Up: up, Down: down}[way], int64(b))
		}
	}
}

// More than the buffers of the kernel hold, to one that reads only after a while: the reset must not overtake it.
func TestProxyBreaksExactlyInALargeMessage(t *testing.T) {
	const after = 3_000_003
	s := startScript(t, func(p *Peer) {
		p.Send(strings.Repeat("x", 4_000_000))
		io.Copy(io.Discard, p.r)
	})
	p := startProxy(t, s, ProxyOptions{Break: &Break{Way: Down, After: after}})
	c := dial(t, p)
	c.Read(make([]byte, 1))
	for _, down := p.Bytes(1); down < after/2; _, down = p.Bytes(1) { // until it waits for us
		if n, _ := c.Read(make([]byte, 1<<16)); n == 0 {
			t.Fatal("it has ended")
		}
	}
	rest, err := io.Copy(io.Discard, c)
	if rest == 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%d octets more, %v", rest, err)
	}
	_, down := p.Bytes(1)
	equal(t, "counted", down, after)
}

// What the server had said before the line broke comes through.
func TestProxyDeliversTheOtherWayBeforeItBreaks(t *testing.T) {
	s, heard := hearing(t, "hello")
	c := dial(t, startProxy(t, s, ProxyOptions{Break: &Break{Way: Up, After: 4}}))
	c.Write([]byte("\n"))
	io.ReadFull(c, make([]byte, 1))
	c.Write([]byte("12345"))
	(<-heard).ended(t, "server", "123")
	readAll(c).ended(t, "client", "ello")
}

func TestProxyBreaksBeforeTheFirstOctet(t *testing.T) {
	for _, way := range []Way{Up, Down} {
		s, heard := hearing(t, "")
		resets(t, startProxy(t, s, ProxyOptions{Delay: time.Hour, Break: &Break{Way: way}}))
		equal(t, "server", (<-heard).octets, "")
	}
}

// resets fails unless a connection is reset from the beginning. It may be too early for it to come about.
func resets(t *testing.T, p *Proxy) {
	t.Helper()
	host, port := p.Addr()
	c, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err == nil {
		c.SetDeadline(time.Now().Add(patience))
		readAll(c).ended(t, "client", "")
		c.Close()
	} else if !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
}

func TestProxyDeliversWhatADeadClientHadSent(t *testing.T) {
	s, heard := hearing(t, "")
	const delay = 50 * time.Millisecond
	p := startProxy(t, s, ProxyOptions{Delay: delay, Break: &Break{After: 3, Drain: true}})
	c := dial(t, p)
	begin := time.Now()
	c.Write([]byte("12345"))
	readAll(c).ended(t, "client", "")
	if up, _ := p.Bytes(1); up != 0 && time.Since(begin) < delay {
		t.Error("delivered before its time")
	}
	(<-heard).ended(t, "server", "12345")
	if d := time.Since(begin); d < delay {
		t.Errorf("delivered after %v", d)
	}
	up, _ := p.Bytes(1)
	equal(t, "counted", up, 5)
}

func TestProxyBreaksOneConnection(t *testing.T) {
	s, heard := hearing(t, "hello")
	p := startProxy(t, s, ProxyOptions{Break: &Break{Way: Down, After: 2, Conn: 2}})
	for n, want := range []string{"hello", "he", "hello"} {
		c := dial(t, p)
		c.Write([]byte("\n"))
		if n == 1 {
			readAll(c).ended(t, "client", want)
			(<-heard).ended(t, "server", "")
			continue
		}
		octets := make([]byte, len(want))
		io.ReadFull(c, octets)
		equal(t, "said", string(octets), want)
		c.(*net.TCPConn).CloseWrite()
		equal(t, "server", <-heard, got{})
		equal(t, "client", readAll(c), got{})
	}
}

// The client's own reset arrives too, after what it had sent.
func TestProxyPassesAResetOn(t *testing.T) {
	s, heard := hearing(t, "hello")
	c := dial(t, startProxy(t, s, ProxyOptions{Delay: 10 * time.Millisecond}))
	c.Write([]byte("\n12345"))
	io.ReadFull(c, make([]byte, 5)) // it has been read by then
	drop(c.(*net.TCPConn))
	(<-heard).ended(t, "server", "12345")
}

// A delay costs no throughput: all that is on its way is delayed together.
func TestProxyDelaysWithoutCountingEachLine(t *testing.T) {
	const delay, lines = 20 * time.Millisecond, 200
	c := dial(t, startProxy(t, echo(t), ProxyOptions{Delay: delay}))
	begin := time.Now()
	go func() {
		for range lines {
			io.WriteString(c, "NOOP\r\n")
		}
	}()
	if _, err := io.ReadFull(c, make([]byte, lines*6)); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begin); d < 2*delay || d > lines*delay/2 {
		t.Errorf("%d lines there and back took %v", lines, d)
	}
}

func TestProxyPassesNoMoreThanItsRate(t *testing.T) {
	c := dial(t, startProxy(t, echo(t), ProxyOptions{Rate: 100_000}))
	begin := time.Now()
	go c.Write(make([]byte, 20_000))
	if _, err := io.ReadFull(c, make([]byte, 20_000)); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begin); d < 200*time.Millisecond || d > patience/2 {
		t.Errorf("20,000 octets took %v", d)
	}
}

// Who sends more than a line carries is held up, but for what the kernels hold.
func TestProxyHoldsNoMoreThanALineDoes(t *testing.T) {
	s, _ := hearing(t, "")
	p := startProxy(t, s, ProxyOptions{Rate: 1e6})
	c := dial(t, p)
	c.SetWriteDeadline(time.Now().Add(time.Second))
	n, err := c.Write(make([]byte, 32<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n > 4<<20 {
		t.Errorf("%d octets were taken in a second, %v", n, err)
	}
	p.Close()
}

func TestProxyEndsWhateverIsOnItsWay(t *testing.T) {
	s, heard := hearing(t, "hello")
	p := startProxy(t, s, ProxyOptions{Delay: time.Hour})
	c := dial(t, p)
	c.Write([]byte("12345"))
	for p.Connections() == 0 {
		c.Write([]byte("6"))
	}
	p.Close()
	equal(t, "server", (<-heard).octets, "")
	equal(t, "client", readAll(c).octets, "")
}

func TestProxyWithoutAServer(t *testing.T) {
	s, _ := hearing(t, "")
	s.Close()
	resets(t, startProxy(t, s, ProxyOptions{}))
}

func TestStartProxyRefusesToDrainDown(t *testing.T) {
	if p, err := StartProxy("127.0.0.1:1", ProxyOptions{Break: &Break{Way: Down, Drain: true}}); err == nil {
		p.Close()
		t.Error("started")
	}
}

// The whole of an APPEND is delivered, its answer is not: the server stores it.
func TestProxyLosesTheAnswerOfAnAppend(t *testing.T) {
	command := multi("one", "two")
	login := `a LOGIN "` + user + `" "` + password + "\"\r\n"
	for cut, want := range map[int][]string{1: nil, 0: {"one", "two"}} {
		arrived := make(chan bool, 1)
		s := startIMAP(t, IMAPOptions{Hook: func(_ int, command string) Fate {
			if command[0] == 'A' {
				arrived <- true
			}
			return Execute
		}})
		p := startProxy(t, s, ProxyOptions{Break: &Break{After: int64(len(login) + len(command) - cut)}})
		w := talkOn(t, dial(t, p))
		w.wants("* OK")
		w.send(login)
		w.wants("a OK")
		w.send(command)
		if err := w.ends(); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("ended with %v", err)
		}
		if want != nil {
			<-arrived
		}
		s.Close()
		holds(t, s, "INBOX", want...)
	}
}
