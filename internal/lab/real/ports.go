package real

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Ports come from below those that Linux gives to outgoing connections (from 32768 on).
const lowest, highest = 20000, 32700

// lastPort starts somewhere else in each test program, so that several at a time do not choose the same ports between
// looking at them and listening on them.
var lastPort atomic.Uint32

func init() { lastPort.Store(uint32(os.Getpid()) * 64) }

func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for range highest - lowest {
		p := lowest + int(lastPort.Add(1)%(highest-lowest))
		ln, err := net.Listen("tcp", address(p))
		if err != nil {
			continue
		}
		ln.Close()
		if ports = append(ports, p); len(ports) == n {
			return ports
		}
	}
	t.Fatalf("no %d free ports between %d and %d", n, lowest, highest)
	return nil
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// startTime is how long a server may take until it greets: a quarter of a second on an idle machine, longer by far when
// all the tests run.
const startTime = 60 * time.Second

// await returns when all four ports greet.
func (s *Server) await(t testing.TB) {
	t.Helper()
	secure := s.trust()
	end := time.Now().Add(startTime)
	for _, door := range []struct {
		port   int
		secure *tls.Config
		hello  string
	}{{s.POP3, nil, "+OK"}, {s.IMAP, nil, "* OK"}, {s.POP3S, secure, "+OK"}, {s.IMAPS, secure, "* OK"}} {
		for {
			err := greet(door.port, door.secure, door.hello)
			if err == nil {
				break
			}
			if s.ended() || time.Now().After(end) {
				t.Fatalf("%s does not greet: %v\n%s", s.Kind, err, s.Log())
			}
			time.Sleep(20 * time.Millisecond) // between two dials
		}
	}
}

// greet connects, and compares the start of the first line with hello.
func greet(port int, secure *tls.Config, hello string) error {
	c, err := dial(port, secure)
	if err != nil {
		return err
	}
	defer c.Close()
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(line, hello) {
		return fmt.Errorf("%q instead of %q", line, hello)
	}
	return nil
}

// wireTime is how long a reader may take over a connection, or an appender over one message. Reading 10,000 messages
// takes less than two seconds.
const wireTime = 2 * time.Minute

// dial connects to a port of 127.0.0.1, with TLS if secure is not nil.
func dial(port int, secure *tls.Config) (net.Conn, error) {
	c, err := net.DialTimeout("tcp", address(port), 10*time.Second)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(wireTime))
	if secure != nil {
		return tls.Client(c, secure), nil
	}
	return c, nil
}
