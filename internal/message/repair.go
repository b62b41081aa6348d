package message

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// Repairs are ways to change a message that a server refuses as it is. They go by what servers refuse, and each changes
// as little as it can.
type Repairs uint8

const (
	// NUL: octets of zero are left out, everywhere (RFC 9051 §9: no literal but literal8 may have them).
	NUL Repairs = 1 << iota

	// Header8bit: the header becomes ASCII (RFC 5322 §2.2). Words of text and of display names become encoded-words
	// (RFC 2047), in charset utf-8 if they are that, else unknown-8bit (RFC 1428 §3). Where no encoded-word may stand
	// (in addresses, names of fields, fields for machines), in lines that are no field and in fields of more than
	// 64 KiB, each octet becomes X.
	Header8bit

	// InvalidHeader: each line of the header is a field or continues one (RFC 5322 §2.2), and no octet is lost. Blanks
	// before a colon move behind it. A line that is no field gets "X-Invalid: " before it; but where it seems to be
	// text, a blank line is put before it: when there is no field in the first 64 KiB, or when it is the first such line
	// that has a line of blanks above it, and no Message-ID is below.
	InvalidHeader

	AllRepairs = NUL | Header8bit | InvalidHeader
)

// String gives the names for the record, in this order: "nul,8bit-header,invalid-header".
func (r Repairs) String() string {
	var names []string
	for i, name := range []string{"nul", "8bit-header", "invalid-header"} {
		if r&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// Repaired reads body with those kinds of repair. What they do not name comes octet for octet, and a second repair
// changes nothing. It keeps less than 1 MiB at a time. An error of body comes as it is.
func Repaired(body io.Reader, kinds Repairs) io.Reader {
	return newRepairer(body, kinds)
}

// NeedsRepair reads body to its end, and says which of those kinds change something, and what size Repaired has.
func NeedsRepair(body io.Reader, kinds Repairs) (needed Repairs, size int64, err error) {
	r := newRepairer(body, kinds)
	size, err = io.Copy(io.Discard, r)
	needed = r.changed
	if r.octets.removed {
		needed |= NUL
	}
	return needed, size, err
}

// repairRoom is how much of a header is looked at together, in octets.
const repairRoom = 64 << 10

// A repairer repairs the header field by field, and then gives the rest as it comes.
type repairer struct {
	kinds, changed Repairs
	octets         *octets
	in             *bufio.Reader

	field   []byte // the one under way, with the lines that continue it
	out     []byte // of the field, not read yet
	started bool   // the first field was read
	tail    bool   // what comes next continues the field, of which there was more than the room takes
	blank   bool   // the field ended with a line of blanks
	goesOn  bool   // after a line of blanks the header was found to go on
	inBody  bool
	err     error
}

func newRepairer(body io.Reader, kinds Repairs) *repairer {
	o := &octets{in: body, remove: kinds&NUL != 0}
	return &repairer{kinds: kinds, octets: o, in: bufio.NewReaderSize(o, repairRoom)}
}

func (r *repairer) Read(p []byte) (int, error) {
	for len(r.out) == 0 {
		switch {
		case r.err != nil:
			return 0, r.err
		case r.inBody:
			return r.in.Read(p)
		}
		r.next()
	}
	n := copy(p, r.out)
	r.out = r.out[n:]
	return n, nil
}

// next puts the next field, repaired, where it can be read.
func (r *repairer) next() {
	middle := r.tail
	r.readField()
	r.out = r.field
	if !middle && len(chomp(r.field)) == 0 {
		r.inBody = true
		return
	}
	if !middle && r.kinds&InvalidHeader != 0 {
		r.out = r.valid(r.out)
	}
	if !r.inBody && r.kinds&Header8bit != 0 && !isASCII(r.out) {
		r.changed |= Header8bit
		if middle || r.tail {
			r.out = replaced(r.out)
		} else {
			r.out = asciiField(r.out)
		}
	}
}

// readField reads the blank line, or a field with the lines that continue it, or as much of it as the room takes.
func (r *repairer) readField() {
	middle := r.tail
	r.field, r.tail = r.field[:0], false
	for {
		piece, err := r.in.ReadSlice('\n')
		r.field = append(r.field, piece...)
		if err != nil && err != bufio.ErrBufferFull {
			r.err = err
			return
		}
		if !middle && len(chomp(r.field)) == 0 {
			return
		}
		if err == nil && !r.continues() {
			return
		}
		if len(r.field) >= repairRoom {
			r.tail = true
			return
		}
	}
}

func (r *repairer) continues() bool {
	next, err := r.in.Peek(1)
	return err == nil && (next[0] == ' ' || next[0] == '\t')
}

// octets reads without NUL. Its first error is its last.
type octets struct {
	in              io.Reader
	remove, removed bool
	err             error
}

func (o *octets) Read(p []byte) (n int, err error) {
	for n == 0 && len(p) > 0 && o.err == nil {
		n, o.err = o.in.Read(p)
		if !o.remove {
			break
		}
		if at := bytes.IndexByte(p[:n], 0); at >= 0 {
			o.removed = true
			n = at + removeNUL(p[at:n])
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, o.err
}

// removeNUL moves the other octets together, and gives their number.
func removeNUL(p []byte) (n int) {
	for _, c := range p {
		if c != 0 {
			p[n] = c
			n++
		}
	}
	return n
}
