package wire

import (
	"bufio"
	"io"
	"math"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// piped is a connection without a network, whose time is that of the test's bubble.
func piped(t *testing.T, timeout time.Duration) (*Conn, net.Conn) {
	raw, server := net.Pipe()
	c := &Conn{server: Server{Host: "slow", Port: 1, Timeout: timeout}, raw: raw}
	c.r = bufio.NewReaderSize(armed{c}, 64<<10)
	t.Cleanup(func() { raw.Close(); server.Close() })
	return c, server
}

// drips sends so many octets with that much time before each lot, until it is stopped.
func drips(server net.Conn, octets int, pause time.Duration) (stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for err := error(nil); err == nil; _, err = server.Write(make([]byte, octets)) {
			time.Sleep(pause)
		}
	}()
	return func() {
		server.Close()
		<-done
	}
}

func TestDrip(t *testing.T) {
	const timeout = time.Minute
	for _, c := range []struct {
		name   string
		octets int
		pause  time.Duration
	}{
		{"an octet a second", 1, time.Second},
		{"an octet just before each timeout", 1, timeout - time.Millisecond},
		{"not quite 64 KiB in all that time", (progress - 1) / 31, timeout - time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, server := piped(t, timeout)
				defer drips(server, c.octets, c.pause)()
				begun := time.Now()
				_, err := io.Copy(io.Discard, conn)
				e := isClass(t, err, sync.Temporary, "too slow to go on")
				check.Advises(t, e, "if the line is only slow, a longer --timeout helps")
				if took := time.Since(begun); took != endurance*timeout {
					t.Errorf("it took %v, want %v", took, endurance*timeout)
				}
			})
		})
	}
}

func TestSlowButProgress(t *testing.T) {
	const timeout = time.Minute
	synctest.Test(t, func(t *testing.T) {
		conn, server := piped(t, timeout)
		defer drips(server, progress/25, timeout-time.Millisecond)()
		if n, err := io.CopyN(io.Discard, conn, 10*progress); err != nil {
			t.Errorf("after %d octets: %v", n, err)
		}
	})
}

func TestNewStepIsNoDrip(t *testing.T) {
	const timeout = time.Minute
	for name, step := range map[string]func(*Conn){
		"a new answer is awaited": func(c *Conn) { c.Idle(true); c.Idle(false) },
		"something was sent":      func(c *Conn) { c.Write([]byte("NOOP\r\n")) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, server := piped(t, timeout)
				go io.Copy(io.Discard, server)
				defer drips(server, 1, timeout-time.Millisecond)()
				for range 10 {
					if _, err := io.ReadFull(conn, make([]byte, 20)); err != nil {
						t.Fatal(err)
					}
					step(conn)
				}
			})
		})
	}
}

// The time in which we do not read is ours.
func TestOwnPauseIsNoDrip(t *testing.T) {
	const timeout = time.Minute
	synctest.Test(t, func(t *testing.T) {
		conn, server := piped(t, timeout)
		defer drips(server, 1, timeout-time.Millisecond)()
		for range 9 {
			if _, err := io.ReadFull(conn, make([]byte, 3)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * timeout)
		}
	})
}

// An idle Read that has lasted for hours is no debt when an answer is awaited at last.
func TestIdleIsNoDrip(t *testing.T) {
	const timeout = time.Minute
	synctest.Test(t, func(t *testing.T) {
		conn, server := piped(t, timeout)
		conn.Idle(true)
		read := make(chan error, 1)
		go func() {
			_, err := conn.Read(make([]byte, 1))
			read <- err
		}()
		time.Sleep(100 * timeout)
		conn.Idle(false)
		time.Sleep(timeout - time.Second)
		server.Write([]byte("x"))
		if err := <-read; err != nil {
			t.Error(err)
		}
		stop := drips(server, 1, timeout-time.Millisecond)
		if _, err := io.ReadFull(conn, make([]byte, 20)); err != nil {
			t.Error(err)
		}
		stop()
	})
}

func TestEndlessTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, server := piped(t, math.MaxInt64)
		stop := drips(server, 1, time.Hour)
		if _, err := io.ReadFull(conn, make([]byte, 100)); err != nil {
			t.Error(err)
		}
		stop()
	})
}
