package lab

import (
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain fails if anything of a server is still running at the end.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	user     = "alice@example.org"
	password = "correct horse"
)

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

type server interface {
	Addr() (host string, port int)
	Connections() int
	Close()
}

var _, _, _ server = (*POP3)(nil), (*IMAP)(nil), (*Script)(nil)

// dial connects to a server. The connection ends with the test.
func dial(t *testing.T, s server) net.Conn {
	t.Helper()
	host, port := s.Addr()
	c, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { c.Close() })
	return c
}

// authority makes certificates.
func authority(t *testing.T) *Authority {
	t.Helper()
	a, err := NewTLS("mail.example.org")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// equal compares what a test got with what it wants.
func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\ngot  %#v\nwant %#v", what, got, want)
	}
}

func same[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %#v\nwant %#v", what, got, want)
	}
}
