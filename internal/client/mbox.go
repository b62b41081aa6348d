package client

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
)

const (
	chunk     = 1 << 16 // octets that are read at a time
	maxHeader = 1 << 20 // octets of a header; a longer one is not compared
	maxFrom   = 1 << 10 // octets of the line above a message
)

// The line above a message (RFC 4155, appendix A): an address and a date, or "-" for the address, or, as Thunderbird
// has it of late, nothing. A line of text that begins with "From " and that nobody has quoted has no time and year.
var fromLine = regexp.MustCompile(`^From (?:\r?\n?$|- |.*\d:\d\d.* \d{4})`)

// What Thunderbird writes there, and nobody else.
var mozillaLine = regexp.MustCompile(`^From (?:\r?\n?$|- )`)

// A splitter tells the messages of an mbox apart, or reads a file that is one message. Content-Length is not
// believed: many programs have written a wrong one.
type splitter struct {
	mbox  bool
	each  func(*sheet)
	sheet sheet

	begun  bool // there is a message
	inFrom bool // of a line above a message that is long, the rest is to come
	inBody bool
	blank  bool // the line before was one, or there was none
	last   byte // the octet before
}

// split reads a file through and calls each for each of its messages. What it is given is valid only during the call.
// Memory stays bounded whatever the file has.
func split(r io.Reader, mbox bool, each func(*sheet)) error {
	s := &splitter{mbox: mbox, each: each, blank: true, begun: !mbox}
	in := bufio.NewReaderSize(r, chunk)
	for atStart := true; ; {
		part, err := in.ReadSlice('\n') // a line, or 64 KiB of one
		if len(part) > 0 {
			s.take(part, atStart)
			s.last = part[len(part)-1]
			atStart = s.last == '\n'
		}
		switch {
		case err == nil, errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			s.end()
			return nil
		default:
			return err
		}
	}
}

// take takes a line, or a part of one.
func (s *splitter) take(part []byte, atStart bool) {
	after := s.blank
	s.blank = atStart && len(bytes.TrimRight(part, "\r\n")) == 0
	switch {
	case s.mbox && atStart && after && fromLine.Match(part[:min(len(part), maxFrom)]):
		s.end()
		s.begun, s.inFrom, s.blank = true, true, false
		s.sheet.from = string(part[:min(len(part), maxFrom)])
	case s.inFrom && !atStart, !s.begun:
	case s.inBody:
		s.body(part, atStart)
	default:
		s.inFrom = false
		s.header(part)
	}
}

func (s *splitter) header(part []byte) {
	s.inBody = s.blank
	if s.sheet.long = s.sheet.long || len(s.sheet.header)+len(part) > maxHeader; !s.sheet.long {
		s.sheet.header = append(s.sheet.header, part...)
	}
}

func (s *splitter) body(part []byte, atStart bool) {
	s.inFrom = false
	s.sheet.body += int64(len(part))
	before := s.last
	if len(part) > 1 {
		before = part[len(part)-2]
	}
	if part[len(part)-1] == '\n' && before != '\r' {
		s.sheet.body++
	}
	if atStart && part[0] == '>' && bytes.HasPrefix(bytes.TrimLeft(part, ">"), []byte("From ")) {
		s.sheet.quoted++
	}
}

// end gives away the message that was read.
func (s *splitter) end() {
	if s.begun {
		s.each(&s.sheet)
	}
	s.sheet = sheet{header: s.sheet.header[:0]}
	s.inBody = false
}

// readMbox reads an mbox file.
func (c *Client) readMbox(r io.Reader, trash bool) error {
	var b *base
	return split(r, true, func(s *sheet) {
		n := takeNotes(s.header, mozillaLine.MatchString(s.from))
		if b == nil {
			b = newBase(n)
		}
		v := n.verdict(b)
		if v != nil && trash && v.deleted == "" {
			v.deleted = inTrash
		}
		var date time.Time
		if b.server && !travelled(s.header) {
			date = fromDate(s.from, time.Local)
		}
		c.add(s, n, v, date, "mbox From line")
	})
}

// travelled says whether a header has a Received field. Its date is better than that of the From line: it has a zone.
func travelled(header []byte) bool {
	for f := range message.Fields(header) {
		if f.Name == "received" {
			return true
		}
	}
	return false
}

// A base is what an mbox says of itself, in its first message: "X-IMAPbase: UIDVALIDITY LAST-UID KEYWORD …" (Dovecot,
// UW; X-IMAP if that message is no mail).
type base struct {
	server   bool   // an IMAP server has written it
	uid      uint64 // of the message before
	last     uint64 // no message has a higher one
	keywords map[string]bool
}

func newBase(n notes) *base {
	b := &base{keywords: map[string]bool{}}
	text := n.text["x-imapbase"]
	if text == "" {
		text = n.text["x-imap"]
	}
	words := strings.Fields(text)
	if len(words) < 2 {
		return b
	}
	_, wrong := strconv.ParseUint(words[0], 10, 32)
	last, err := strconv.ParseUint(words[1], 10, 32)
	b.server, b.last = wrong == nil && err == nil, last
	for _, k := range words[2:] {
		b.keywords[k] = true
	}
	return b
}

// written says whether the server of the mbox has written to a message with this X-UID.
func (b *base) written(uid string) bool {
	n, err := strconv.ParseUint(uid, 10, 32)
	if err != nil || n <= b.uid || n > b.last {
		return false
	}
	b.uid = n
	return true
}

// The date of a line above a message, as ctime writes it, and perhaps a zone.
var fromTime = regexp.MustCompile(`[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}(?: [+-]\d{4})?`)

// fromDate reads it; without a zone it is the server's local time, for which local is taken. Zero: there is none.
func fromDate(line string, local *time.Location) time.Time {
	text := fromTime.FindString(line)
	if t, err := time.Parse("Mon Jan _2 15:04:05 2006 -0700", text); err == nil {
		return t
	}
	t, _ := time.ParseInLocation("Mon Jan _2 15:04:05 2006", text, local) // zero with any error
	return t
}
