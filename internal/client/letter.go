package client

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

// A letter is what is kept of one message of the client.
type letter struct {
	finger key // of its header without the client's own lines
	id     key // of its Message-ID
	body   int64
	slack  int64     // by how much body may differ: octets
	hops   []key     // its Received fields, the topmost first; nil if nobody asks
	says   *verdict  // nil: nothing is known of it
	date   time.Time // when it arrived; zero: unknown
	why    string    // where date is from
}

// A verdict is what the client's files say of a message. Equal ones are kept once.
type verdict struct {
	flags   []message.Flag
	names   string // of the flags, sorted
	whole   bool
	deleted string
}

// inTrash is why a message counts as deleted that is in the trash.
const inTrash = "it is in the trash of the client"

// remoteness is how far a message is from being there: 0 it is, 1 it is in the trash, 2 it was deleted or moved, and
// what is left goes with the next clean-up.
func (v *verdict) remoteness() int {
	switch v.deleted {
	case "":
		return 0
	case inTrash:
		return 1
	}
	return 2
}

// A key stands for a UIDL, a header, a Message-ID with or without a date: the beginning of a SHA-256.
type key [16]byte

func keyOf(parts ...string) key {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return key(sum[:16])
}

func uidlKey(uidl string) key            { return keyOf("uidl", uidl) }
func fingerKey(fingerprint [32]byte) key { return keyOf("header", string(fingerprint[:])) }
func idKey(id string) key                { return keyOf("id", id) }
func datedKey(id, date string) key       { return keyOf("dated", id, date) }

// A sheet is one message as it was read: what stands in the file, and what the client wrote there.
type sheet struct {
	from   string // the mbox line above it
	header []byte // up to its blank line, at most maxHeader of it
	long   bool   // it was longer
	body   int64  // octets, line ends CRLF
	quoted int64  // lines of the body that begin with ">From "
}

// near says whether a body of so many octets can be this one. A mailbox may add a line end, and so may RETR.
func (l *letter) near(body int64) bool {
	return body >= 0 && max(l.body-body, body-l.body) <= l.slack
}

// bodySize is the size of what stands behind the blank line, -1 if that is unknown.
func bodySize(s sync.Subject) int64 {
	return max(s.Size-int64(len(message.Split(s.Header))), -1)
}

// add keeps a message with what is said of it. One whose header is too long is left out: the header could not be
// compared.
func (c *Client) add(s *sheet, n notes, v *verdict, date time.Time, why string) {
	if s.long {
		return
	}
	if v != nil {
		v = c.once(v)
	}
	if date.Year() < 1990 || date.After(c.latest) {
		date, why = time.Time{}, ""
	}
	id := message.ID(s.header)
	l := letter{finger: fingerKey(message.Fingerprint(n.rest)), id: idKey(id), body: s.body, slack: 4 + s.quoted,
		says: v, date: date, why: why}
	at := int32(len(c.letters))
	c.letters = append(c.letters, l)
	keys := []key{l.finger}
	if id != "" {
		c.letters[at].hops = hopsOf(s.header)
		keys = append(keys, datedKey(id, dateText(s.header)))
	}
	if uidl := n.uidl(); uidl != "" {
		keys = append(keys, uidlKey(uidl))
	}
	for _, k := range keys {
		c.by[k] = append(c.by[k], at)
	}
}

// once gives the verdict that says the same and was kept before.
func (c *Client) once(v *verdict) *verdict {
	names := make([]string, len(v.flags))
	for i, f := range v.flags {
		names[i] = f.Name
	}
	slices.Sort(names)
	v.names = strings.Join(names, " ")
	name := fmt.Sprintf("%q %t %q", v.flags, v.whole, v.deleted)
	if kept, ok := c.said[name]; ok {
		return kept
	}
	c.said[name] = v
	return v
}

// dateText is the text of the topmost Date field, "" without one.
func dateText(header []byte) string {
	for f := range message.Fields(header) {
		if f.Name == "date" {
			return f.Text()
		}
	}
	return ""
}

// hopsMost is how many Received fields of a message are kept: mail loops are cut off at that many.
const hopsMost = 100

// hopsOf gives the Received fields of a header, the topmost first.
func hopsOf(header []byte) (hops []key) {
	for f := range message.Fields(header) {
		if f.Name == "received" && len(hops) < hopsMost {
			hops = append(hops, keyOf("hop", strings.Join(strings.Fields(f.Text()), " ")))
		}
	}
	return hops
}

// Notes are the fields that a client or a mail server has written into a header for itself.
type notes struct {
	text map[string]string // by name in lower case
	rest []byte            // the header without those that message.Fingerprint does not leave out
}

var (
	// What Thunderbird puts in front of a header.
	front = []string{"x-account-key", "x-uidl", "x-mozilla-status", "x-mozilla-status2", "x-mozilla-keys"}
	// What others write below.
	below = []string{"status", "x-status", "x-keywords", "x-uid", "x-imap", "x-imapbase",
		"x-evolution", "x-evolution-source", "x-evolution-pop3-uid"}
	// Those that message.Fingerprint counts.
	own = []string{"x-account-key", "x-evolution", "x-evolution-source", "x-evolution-pop3-uid"}
)

// takeNotes reads the header of a message that Thunderbird keeps, or another client or server. See the package on
// which fields are believed. rest is header itself if there is nothing to leave out.
func takeNotes(header []byte, mozilla bool) notes {
	n := notes{text: map[string]string{}, rest: header}
	var rest []byte
	atTop := true
	for left := header; len(left) > 0; {
		name, text, after := cutField(left)
		field := left[:len(left)-len(after)]
		left = after
		atTop = atTop && slices.Contains(front, name)
		_, again := n.text[name]
		if name != "" && name != "x-evolution" {
			delete(n.text, "x-evolution") // it is not the last one
		}
		switch {
		case mozilla && atTop && !again:
			n.text[name] = text
		case !mozilla && slices.Contains(below, name):
			n.text[name] = text
		}
		if n.text[name] != "" && slices.Contains(own, name) {
			continue
		}
		rest = append(rest, field...)
	}
	if len(rest) < len(header) {
		n.rest = rest
	}
	return n
}

// cutField takes the first field off a header. name is in lower case, "" if the line is none.
func cutField(header []byte) (name, text string, rest []byte) {
	size := 0
	for line := range bytes.Lines(header) {
		if size > 0 && line[0] != ' ' && line[0] != '\t' {
			break
		}
		size += len(line)
	}
	before, value, found := bytes.Cut(header[:size], []byte{':'})
	if !found {
		return "", "", header[size:]
	}
	value = bytes.TrimSpace(value[:min(len(value), maxText)])
	return strings.ToLower(string(bytes.TrimRight(before, " \t"))), string(value), header[size:]
}

// maxText is how much of a value is looked at, in octets.
const maxText = 16384

// uidl is under which UIDL the client got the message, "" if it does not say.
func (n notes) uidl() string {
	if u := n.text["x-uidl"]; u != "" {
		return u
	}
	return n.text["x-evolution-pop3-uid"]
}
