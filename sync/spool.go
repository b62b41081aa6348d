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
	pieces  []*piece // the first octets
	held    int64    // octets in pieces
	file    *os.File // the others; it has no name any more. nil: not needed
	rest    int64    // octets in file
	digests message.Digests
}

// A piece is the unit of memory. Pieces are used again, and all messages are made of them: so there is no garbage by the
// megabyte, and no large buffer that holds a small message.
type piece [smallest]byte

var pieces = stdsync.Pool{New: func() any { return new(piece) }}

// needs is the memory that a message of so many octets takes.
func needs(octets int64) int64 {
	return min(max(octets+smallest-1, smallest)/smallest*smallest, inMemory)
}

// fill takes in a message to its end, the first memory octets of it into memory. An error says whether the source or our
// disk failed.
func (s *spool) fill(body io.Reader, memory int64) error {
	hash := message.NewHasher()
	body = io.TeeReader(body, hash)
	err := s.hold(body, memory)
	if err == nil {
		err = s.overflow(body, memory)
	}
	if err != nil && err != io.EOF {
		return err
	}
	s.digests = hash.Sum()
	return nil
}

// hold takes in so many octets, or all up to the error that ends them.
func (s *spool) hold(body io.Reader, memory int64) error {
	for s.held < memory {
		at := s.held % smallest
		if at == 0 && s.taken() == s.held {
			s.pieces = append(s.pieces, pieces.Get().(*piece))
		}
		n, err := body.Read(s.pieces[len(s.pieces)-1][at:min(smallest, at+memory-s.held)])
		s.held += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// taken is the memory that the message takes.
func (s *spool) taken() int64 { return int64(len(s.pieces)) * smallest }

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
func (s *spool) size() int64 { return s.held + s.rest }

// body reads the message from its beginning.
func (s *spool) body() io.Reader {
	readers := make([]io.Reader, 0, len(s.pieces)+1)
	for i := range s.pieces {
		readers = append(readers, bytes.NewReader(s.part(i)))
	}
	if s.rest > 0 {
		readers = append(readers, io.NewSectionReader(s.file, 0, s.rest))
	}
	return io.MultiReader(readers...)
}

// part is what one piece holds.
func (s *spool) part(i int) []byte { return s.pieces[i][:min(smallest, s.held-int64(i)*smallest)] }

// header is valid until the spool is given back.
func (s *spool) header() []byte {
	if len(s.pieces) == 0 {
		return nil
	}
	first := s.part(0)
	if header := message.Split(first); len(header) < len(first) || s.size() == int64(len(first)) {
		return header
	}
	all, _ := io.ReadAll(io.LimitReader(s.body(), headerMax)) // an error shows again when it is sent
	return message.Split(all)
}

// release gives the memory back. The spool must not be used any more.
func (s *spool) release() {
	if s.file != nil {
		s.file.Close()
	}
	for _, p := range s.pieces {
		pieces.Put(p)
	}
	*s = spool{}
}
