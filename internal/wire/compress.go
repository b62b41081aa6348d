package wire

import (
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"

	"github.com/pop2imap/pop2imap/sync"
)

// Deflate compresses all that is written from now on (RFC 4978 §3: raw deflate, RFC 1951). It is for who writes, after
// the server has agreed.
func (c *Conn) Deflate() {
	d := &deflater{c: c}
	// The fastest level: the better ones take three times as long, for a tenth less of text and nothing less of base64.
	d.z, _ = flate.NewWriter(&d.out, flate.BestSpeed) // the error is for levels that there are not
	c.deflate = d
}

// A deflater writes what it compresses piece by piece, each to its end: what is written is on its way, and not with us.
type deflater struct {
	c   *Conn
	z   *flate.Writer // into out
	out bytes.Buffer
}

// Write gives with an error how many octets may have been handed to the kernel. A server may make much of the beginning of a
// compressed piece, so it is the whole of a piece of which the kernel has anything.
func (d *deflater) Write(p []byte) (n int, err error) {
	for n < len(p) {
		part := p[n:min(n+piece, len(p))]
		d.out.Reset()
		if _, err := d.z.Write(part); err != nil {
			return n, err
		}
		if err := d.z.Flush(); err != nil {
			return n, err
		}
		m, err := d.c.send(d.out.Bytes())
		if m > 0 {
			n += len(part)
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Inflate decompresses all that is read from now on, what is buffered already included. It is for who reads, just
// behind the line with which the server agrees. All limits count what comes out.
func (c *Conn) Inflate() {
	in := &deflated{Reader: c.r, host: c.server.Host, left: barrenMax}
	c.r = bufio.NewReaderSize(&inflater{c: c, in: in, z: flate.NewReader(in)}, 64<<10)
}

// barrenMax is how many octets may come without anything in them: deflate allows empty blocks without end.
const barrenMax = 256 << 10

// deflated is what comes over the line.
type deflated struct {
	*bufio.Reader
	host string
	left int // of barrenMax
}

func (d *deflated) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	d.left -= n
	return n, err
}

func (d *deflated) ReadByte() (byte, error) {
	if d.left--; d.left < 0 {
		return 0, &sync.Error{Class: sync.Protocol,
			Err: fmt.Errorf("%s sent %d KiB of compressed data with nothing in them", d.host, barrenMax>>10)}
	}
	return d.Reader.ReadByte()
}

// An inflater gives what was in it.
type inflater struct {
	c  *Conn
	in *deflated
	z  io.Reader
}

func (i *inflater) Read(p []byte) (int, error) {
	n, err := i.z.Read(p)
	i.in.left = barrenMax
	if _, ok := errors.AsType[*sync.Error](err); err == nil || ok {
		return n, err
	}
	if errors.Is(err, io.EOF) { // the server's compressor is at its end, and so is what it has to say
		return n, i.c.explain("read from", err)
	}
	return n, &sync.Error{Class: sync.Protocol, Err: fmt.Errorf("%s sent what cannot be decompressed: %w", i.in.host, err)}
}
