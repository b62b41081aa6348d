package sync

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	stdsync "sync"

	"github.com/pop2imap/pop2imap/internal/message"
)

const (
	inMemory  = 1 << 20 // octets of a message that are held in memory at the most; the rest goes to a file
	headerMax = 1 << 20 // octets that are searched for the end of the header
	largest   = 1 << 30 // octets of a message: no mail server takes as much, and a disk has an end
)

// errEndless ends the retrieval of a message that has more than largest octets.
var errEndless = &Error{Class: Temporary, Err: errors.New("a message has more than 1 GiB"),
	Remedy: "run it again: the others go on without it"}

// A spool holds one message between the two servers.
type spool struct {
	head    bytes.Buffer // the first octets
	file    *os.File     // the others; it has no name any more. nil: not needed
	rest    int64        // octets in file
	digests message.Digests
}

// spools are used again: a buffer for each message would be garbage by the megabyte.
var spools = stdsync.Pool{New: func() any { return new(spool) }}

// fill takes in a message to its end, the first memory octets of it into memory. An error says whether the source or our
// disk failed. listed is what LIST says of its size.
func (s *spool) fill(body io.Reader, memory, listed int64) error {
	hash := message.NewHasher()
	body = io.TeeReader(body, hash)
	s.head.Grow(int(min(memory, listed+bytes.MinRead)))
	_, err := io.CopyN(&s.head, body, memory)
	if err == nil {
		err = s.overflow(body, memory)
	}
	if err != nil && err != io.EOF {
		return err
	}
	s.digests = hash.Sum()
	return nil
}

// overflow takes what does not fit into memory.
func (s *spool) overflow(body io.Reader, memory int64) (err error) {
	var first [1]byte
	if _, err := io.ReadFull(body, first[:]); err != nil {
		return err // it did just fit, or the line is gone
	}
	if s.file, err = unnamed(); err != nil {
		return onDisk(err)
	}
	s.rest, err = io.CopyN(disk{s.file}, io.MultiReader(bytes.NewReader(first[:]), body), largest-memory+1)
	if err == nil {
		return errEndless
	}
	return err
}

// unnamed makes a file that vanishes with the process, however it ends.
func unnamed() (*os.File, error) {
	f, err := os.CreateTemp("", "pop2imap-")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// disk tells an error of our disk from one of the source. It is not a file itself: io.Copy would go past Write.
type disk struct{ file *os.File }

func (d disk) Write(p []byte) (int, error) {
	n, err := d.file.Write(p)
	return n, onDisk(err)
}

func onDisk(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Class: Storage, Err: fmt.Errorf("keep a large message on disk: %w", err),
		Remedy: "make room in " + os.TempDir() + ", or set TMPDIR to a folder with more"}
}

// size is that of the message, in octets.
func (s *spool) size() int64 { return int64(s.head.Len()) + s.rest }

// body reads the message from its beginning.
func (s *spool) body() io.Reader {
	head := bytes.NewReader(s.head.Bytes())
	if s.rest == 0 {
		return head
	}
	return io.MultiReader(head, io.NewSectionReader(s.file, 0, s.rest))
}

// header is valid until the spool is given back. A header that is longer than what is in memory is read from there.
func (s *spool) header() []byte {
	b := s.head.Bytes()
	if s.rest > 0 && len(b) < headerMax {
		all, _ := io.ReadAll(io.LimitReader(s.body(), headerMax)) // an error shows again when it is sent
		return message.Split(all)
	}
	return message.Split(b[:min(len(b), headerMax)])
}

// release gives the spool back. It must not be used any more.
func (s *spool) release() {
	if s.file != nil {
		s.file.Close()
	}
	s.file, s.rest = nil, 0
	if s.head.Cap() > 64<<10 { // most messages are small, and what one large one needed is not kept for them
		s.head = bytes.Buffer{}
	}
	s.head.Reset()
	spools.Put(s)
}
