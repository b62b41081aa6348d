package wire

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/check"
	"github.com/pop2imap/pop2imap/sync"
)

// noise is what cannot be compressed.
func noise(octets int) []byte {
	r := rand.NewChaCha8([32]byte{})
	p := make([]byte, octets)
	r.Read(p)
	return p
}

// packed is what a server sends that compresses these one by one.
func packed(pieces ...string) string {
	var out bytes.Buffer
	z, _ := flate.NewWriter(&out, 6)
	for _, p := range pieces {
		io.WriteString(z, p)
		z.Flush()
	}
	return out.String()
}

// What is written compressed has arrived when Write has returned, without more being written.
func TestDeflate(t *testing.T) {
	for name, want := range map[string][]byte{"a line": []byte("p1 NOOP\r\n"), "nothing": {}, "a piece": noise(piece),
		"pieces": noise(5*piece + 1), "text": bytes.Repeat([]byte("0123456789abcde\n"), 100_000)} {
		t.Run(name, func(t *testing.T) {
			got := make(chan []byte, 1)
			c := dial(t, play(t, func(p *lab.Peer) {
				p.Compress()
				all := make([]byte, len(want))
				io.ReadFull(p.Conn, all)
				got <- all
				listen(p)
			}))
			c.Deflate()
			if n, err := c.Write(want); n != len(want) || err != nil {
				t.Fatalf("wrote %d octets of %d, %v", n, len(want), err)
			}
			select {
			case all := <-got:
				if !bytes.Equal(all, want) {
					t.Error("other octets came")
				}
			case <-time.After(patience):
				t.Fatal("not all of them came")
			}
		})
	}
}

// Of a compressed piece all may have been sent, or nothing.
func TestDeflateToNobody(t *testing.T) {
	over := make(chan struct{})
	s := play(t, func(p *lab.Peer) { <-over })
	defer close(over)
	s.Timeout = 200 * time.Millisecond
	c := dial(t, s)
	c.Deflate()
	all := noise(64 << 20)
	n, err := c.Write(all)
	isClass(t, err, sync.Temporary, "silent")
	if n <= 0 || n >= len(all) || n%piece != 0 {
		t.Errorf("%d octets may have been sent, want whole pieces of %d", n, piece)
	}
	c.Close()
	n, err = c.Write(all)
	isClass(t, err, sync.Temporary, "closed")
	if n != 0 {
		t.Errorf("%d octets may have been sent after Close", n)
	}
}

// The server may make all of a piece of what it has of it; where it has nothing, it cannot.
func TestDeflateThatFailsHalfway(t *testing.T) {
	want := bytes.Repeat([]byte("p1 APPEND x {1+}\r\na\r\n"), 1000)
	for _, c := range []struct {
		name   string
		kernel int // octets that are taken
		want   int
	}{{"nothing was taken", 0, 0}, {"one octet", 1, len(want)}, {"many", 50, len(want)}} {
		conn, server := piped(t, patience)
		conn.Deflate()
		go func() {
			io.CopyN(io.Discard, server, int64(c.kernel))
			server.Close()
		}()
		if n, err := conn.Write(want); n != c.want || err == nil {
			t.Errorf("%s: got %d octets and %v, want %d and an error", c.name, n, err, c.want)
		}
	}
}

// What is compressed begins in the middle of what is buffered.
func TestInflate(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 20_000) + "\n"
	all := "* OK before\r\np1 OK\r\n" + packed("* OK behind\r\n", "", long, "last\n")
	for name, send := range map[string]func(*lab.Peer){
		"at once": func(p *lab.Peer) { p.Send(all) },
		"octet by octet": func(p *lab.Peer) {
			for i := range len(all) {
				p.Send(all[i : i+1])
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, play(t, func(p *lab.Peer) {
				send(p)
				listen(p)
			}))
			for i, want := range []string{"* OK before\r\n", "p1 OK\r\n", "* OK behind\r\n", long, "last\n"} {
				if i == 2 {
					c.Inflate()
				}
				if line, err := c.ReadLine(len(long)); string(line) != want || err != nil {
					t.Fatalf("got %.80q and %v, want %.80q", line, err, want)
				}
			}
			if c.Received() != int64(len(all)) {
				t.Errorf("received %d octets, want the %d of the line", c.Received(), len(all))
			}
		})
	}
}

// A server that compresses what has no end, or sends what is not compressed, costs bounded memory and time.
func TestInflateOfWhatIsHostile(t *testing.T) {
	end, _ := hex.DecodeString("0300") // an empty block that is the last
	for _, c := range []struct {
		name, once, flood string
		class             sync.Class
		says              string
	}{
		{"a line without end", "", packed(strings.Repeat("x", 64<<20)), sync.Protocol, "line of more than 1048576"},
		{"empty blocks without end", "", strings.Repeat("\x00\x00\x00\xff\xff", 10_000), sync.Protocol, "nothing in them"},
		{"empty blocks of the other kind", "", strings.Repeat("\x02\x08\x20\x80\x00", 10_000), sync.Protocol, "256 KiB"},
		{"cleartext", "p2 OK done\r\n", "", sync.Protocol, "cannot be decompressed"},
		{"a block of no kind", "\x07", "", sync.Protocol, "cannot be decompressed"},
		{"a stream that ends", packed("half")[:6] + string(end), "", sync.Temporary, "closed the connection"},
		{"a line that ends", packed("half"), "", sync.Temporary, "closed the connection"},
		{"a line that ends in a block", packed(long(1000))[:9], "", sync.Temporary, "closed the connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := dial(t, play(t, func(p *lab.Peer) {
				p.Send(c.once)
				for c.flood != "" && p.Send(c.flood) == nil {
				}
			}))
			conn.Inflate()
			_, err := conn.ReadLine(1 << 20)
			isClass(t, err, c.class, c.says)
			if conn.Received() > 1<<20 {
				t.Errorf("%d octets were read", conn.Received())
			}
		})
	}
}

func long(n int) string { return strings.Repeat("0123456789 abcdefghijk ", n) }

// Silence is one, compressed or not.
func TestSilenceOfACompressor(t *testing.T) {
	s := play(t, func(p *lab.Peer) {
		p.Send(packed("half"))
		listen(p)
	})
	s.Timeout = 100 * time.Millisecond
	c := dial(t, s)
	c.Inflate()
	_, err := c.ReadLine(100)
	isClass(t, err, sync.Temporary, "silent for 100ms")
}

func TestDeflateWithinTLS(t *testing.T) {
	a := check.Authority(t)
	s := play(t, func(p *lab.Peer) {
		p.StartTLS(a.Good.Config)
		p.Compress()
		line, _ := p.ReadLine()
		p.Send(line + " back\r\n")
		listen(p)
	})
	s.Security, s.Roots = ImplicitTLS, a.Pool
	c := dial(t, s)
	c.Deflate()
	c.Inflate()
	io.WriteString(c, "there\r\n")
	if line, err := c.ReadLine(100); string(line) != "there back\r\n" || err != nil {
		t.Errorf("got %q and %v", line, err)
	}
}
