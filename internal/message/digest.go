package message

import (
	"bytes"
	"crypto/sha256"
	"hash"
)

// Digests are two SHA-256 of a message.
type Digests struct {
	Whole [32]byte // all octets as they came

	// Body is of what follows the blank line that ends the header, as Split finds it; of nothing if there is none. What
	// servers do to a body while they store it leaves it the same: NUL becomes 0x80 (Dovecot); a CR that no LF follows
	// goes away, one (Dovecot) or each (Courier). So it is the same for what was sent and what is read back.
	Body [32]byte
}

// A Hasher computes the Digests of the message that is written to it, in pieces of any size. It keeps none of it, and
// its Write allocates nothing and never fails.
type Hasher struct {
	whole, body hash.Hash
	inBody      bool
	inLine      bool // the line of the header under way has more than CRs
	heldCR      bool // the piece before ended with a CR of the body that is not hashed yet
	room        [4096]byte
}

// NewHasher is a Hasher before the first octet.
func NewHasher() *Hasher {
	return &Hasher{whole: sha256.New(), body: sha256.New()}
}

func (h *Hasher) Write(p []byte) (int, error) {
	h.whole.Write(p)
	rest := p
	if !h.inBody {
		rest = h.skipHeader(p)
	}
	for len(rest) > 0 {
		size := min(len(rest), len(h.room)-1)
		h.writeBody(rest[:size])
		rest = rest[size:]
	}
	return len(p), nil
}

// Sum gives the digests of what was written. Nothing may be written after it.
func (h *Hasher) Sum() Digests {
	return Digests{Whole: [32]byte(h.whole.Sum(nil)), Body: [32]byte(h.body.Sum(nil))}
}

// skipHeader gives what of p belongs to the body.
func (h *Hasher) skipHeader(p []byte) []byte {
	for len(p) > 0 && !h.inBody {
		line := p
		if end := bytes.IndexByte(p, '\n'); end >= 0 {
			line = p[:end+1]
		}
		p = p[len(line):]
		h.inLine = h.inLine || len(chomp(line)) > 0
		if line[len(line)-1] == '\n' {
			h.inBody, h.inLine = !h.inLine, false
		}
	}
	return p
}

// writeBody hashes a piece that is smaller than the room.
func (h *Hasher) writeBody(p []byte) {
	if !h.heldCR && steady(p) {
		h.body.Write(p)
		return
	}
	kept := h.room[:0]
	for _, c := range p {
		if h.heldCR && c == '\n' {
			kept = append(kept, '\r')
		}
		h.heldCR = c == '\r'
		switch c {
		case '\r':
		case 0:
			kept = append(kept, 0x80)
		default:
			kept = append(kept, c)
		}
	}
	h.body.Write(kept)
}

// steady says whether no server is known to change p: it has no NUL, and an LF after each CR.
func steady(p []byte) bool {
	if bytes.IndexByte(p, 0) >= 0 {
		return false
	}
	for {
		at := bytes.IndexByte(p, '\r')
		if at < 0 {
			return true
		}
		if at+1 == len(p) || p[at+1] != '\n' {
			return false
		}
		p = p[at+2:]
	}
}
