package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// TestMain fails if anything of a connection is still running at the end.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = check.Patience

// play starts a server that does as it is told, and describes it.
func play(t *testing.T, script func(*lab.Peer)) Server {
	t.Helper()
	host, port := check.Script(t, script).Addr()
	return Server{Host: host, Port: port, Security: Cleartext, Side: "to", Timeout: patience}
}

func dial(t *testing.T, s Server) *Conn {
	t.Helper()
	c, err := Dial(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// listen reads until the client hangs up.
func listen(p *lab.Peer) { io.Copy(io.Discard, p.Conn) }

// isClass checks the class of an error, and that a text is in it.
func isClass(t *testing.T, err error, want sync.Class, says string) *sync.Error {
	t.Helper()
	e := check.Class(t, err, want)
	check.Says(t, e, says)
	return e
}

func TestDialToNobody(t *testing.T) {
	port := check.Unused(t)
	for _, c := range []struct {
		name   string
		server Server
		says   string
	}{
		{"refused", Server{Host: "127.0.0.1", Port: port, Side: "to"}, "connection refused"},
		{"no such host", Server{Host: "imap.invalid", Port: 993, Side: "to"}, "imap.invalid:993"},
	} {
		_, err := Dial(t.Context(), c.server)
		e := isClass(t, err, sync.Temporary, c.says)
		if !strings.Contains(e.Remedy, "check the host") || strings.Contains(e.Remedy, "--") {
			t.Errorf("remedy: %q; want one that holds where there is no flag", e.Remedy)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	_, err := Dial(ctx, Server{Host: "127.0.0.1", Port: port, Side: "to"})
	isClass(t, err, sync.Stopped, "enough")
	if !errors.Is(err, why) {
		t.Error("the cause is not in the error")
	}
}

func TestReadLine(t *testing.T) {
	const most = 100_000 // more than the buffer has
	for _, n := range []int{0, 1, 65535 - 1, 65535, 65536, 65537, most - 2, most - 1} {
		for _, end := range []string{"\n", "\r\n"} {
			line := strings.Repeat("x", n) + end
			t.Run(fmt.Sprintf("%d octets and %q", n, end), func(t *testing.T) {
				c := dial(t, play(t, func(p *lab.Peer) { p.Send(line + "next\n") }))
				got, err := c.ReadLine(most)
				if len(line) > most {
					isClass(t, err, sync.Protocol, "100000")
					return
				}
				if string(got) != line || err != nil {
					t.Fatalf("got %d octets and %v", len(got), err)
				}
				if next, err := c.ReadLine(5); string(next) != "next\n" || err != nil {
					t.Errorf("then %q and %v", next, err)
				}
			})
		}
	}
}

func TestReadLineThatIsTooLong(t *testing.T) {
	for _, most := range []int{1, 10, 65536, 200_000} {
		c := dial(t, play(t, func(p *lab.Peer) {
			p.Send(strings.Repeat("x", 300_000) + "\n")
			listen(p)
		}))
		_, err := c.ReadLine(most)
		isClass(t, err, sync.Protocol, fmt.Sprint(most))
		if got := c.Received(); got > int64(most)+2*65536 {
			t.Errorf("for a line of %d octets %d were read", most, got)
		}
	}
}

func TestEndOfTheLine(t *testing.T) {
	c := dial(t, play(t, func(p *lab.Peer) { p.Send("half") }))
	_, err := c.ReadLine(100)
	isClass(t, err, sync.Temporary, "closed the connection")
	if errors.Is(err, io.EOF) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v: a line that ends is no end of a message", err)
	}
}

func TestReset(t *testing.T) {
	c := dial(t, play(t, func(p *lab.Peer) {
		p.ReadLine()
		p.Conn.(*net.TCPConn).SetLinger(0)
	}))
	c.Write([]byte("hello\r\n"))
	_, err := c.ReadLine(100)
	isClass(t, err, sync.Temporary, "read from 127.0.0.1")
}

func TestSilence(t *testing.T) {
	s := play(t, listen)
	s.Timeout = 50 * time.Millisecond
	_, err := dial(t, s).ReadLine(100)
	e := isClass(t, err, sync.Temporary, "silent for 50ms")
	check.Advises(t, e, "--timeout")
}

// A write to a server that does not read ends too.
func TestWriteThatNobodyReads(t *testing.T) {
	over := make(chan struct{})
	s := play(t, func(p *lab.Peer) { <-over })
	defer close(over)
	s.Timeout = 200 * time.Millisecond
	c := dial(t, s)
	n, err := c.Write(make([]byte, 64<<20))
	isClass(t, err, sync.Temporary, "silent")
	if n <= 0 || n >= 64<<20 {
		t.Errorf("%d octets were written", n)
	}
}

func TestWriteOfManyPieces(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcde"), 100_000)
	got := make(chan []byte, 1)
	c := dial(t, play(t, func(p *lab.Peer) {
		all, _ := io.ReadAll(p.Conn)
		got <- all
	}))
	if n, err := c.Write(want); n != len(want) || err != nil {
		t.Fatalf("wrote %d octets: %v", n, err)
	}
	c.Close()
	if all := <-got; !bytes.Equal(all, want) {
		t.Errorf("%d octets came, or others", len(all))
	}
}

// Idle: silence is no error, until an answer is awaited again; a Read under way hears of it.
func TestIdle(t *testing.T) {
	s := play(t, listen)
	s.Timeout = 100 * time.Millisecond
	c := dial(t, s)
	c.Idle(true)
	read := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1))
		read <- err
	}()
	select {
	case err := <-read:
		t.Fatalf("silence while nothing is awaited: %v", err)
	case <-time.After(3 * s.Timeout):
	}
	c.Idle(false)
	select {
	case err := <-read:
		isClass(t, err, sync.Temporary, "silent")
	case <-time.After(patience):
		t.Fatal("the Read under way goes on")
	}
}

func TestBind(t *testing.T) {
	why := errors.New("enough")
	t.Run("a wait ends", func(t *testing.T) {
		c := dial(t, play(t, listen))
		ctx, cancel := context.WithCancelCause(t.Context())
		defer c.Bind(ctx)()
		time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
		_, err := c.ReadLine(100)
		isClass(t, err, sync.Stopped, "enough")
		if !errors.Is(err, why) {
			t.Error("the cause is not in the error")
		}
	})
	t.Run("released", func(t *testing.T) {
		c := dial(t, play(t, func(p *lab.Peer) {
			p.ReadLine()
			p.Send("here\r\n")
		}))
		ctx, cancel := context.WithCancel(t.Context())
		c.Bind(ctx)()
		cancel()
		c.Write([]byte("there?\r\n"))
		if _, err := c.ReadLine(100); err != nil {
			t.Error(err)
		}
	})
	t.Run("cancelled before", func(t *testing.T) {
		heard := make(chan int64, 1)
		c := dial(t, play(t, func(p *lab.Peer) {
			n, _ := io.Copy(io.Discard, p.Conn)
			heard <- n
		}))
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		defer c.Bind(ctx)()
		_, err := c.Write([]byte("QUIT\r\n"))
		isClass(t, err, sync.Stopped, "enough")
		if n := <-heard; n != 0 {
			t.Errorf("%d octets were sent", n)
		}
	})
}

func TestClosed(t *testing.T) {
	c := dial(t, play(t, listen))
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	_, err := c.Read(make([]byte, 1))
	isClass(t, err, sync.Temporary, "closed")
	_, err = c.Write([]byte("x"))
	isClass(t, err, sync.Temporary, "closed")
}

// Without Linger the server must not get what was not yet on its way: it sees a reset.
func TestLinger(t *testing.T) {
	for _, on := range []bool{true, false} {
		end := make(chan error, 1)
		c := dial(t, play(t, func(p *lab.Peer) {
			_, err := io.Copy(io.Discard, p.Conn)
			end <- err
		}))
		c.Linger(false)
		c.Linger(on)
		c.Close()
		if err := <-end; (err == nil) != on {
			t.Errorf("linger %v: the server sees %v", on, err)
		}
	}
}

func TestTraceIsClean(t *testing.T) {
	var got string
	c := &Conn{server: Server{Trace: func(dir, line string) { got = dir + line }}}
	c.Trace("S", "\x1b[2J\r\nforged")
	if got != "S?[2J??forged" {
		t.Errorf("got %q", got)
	}
	(&Conn{}).Trace("C", "nobody looks")
}
