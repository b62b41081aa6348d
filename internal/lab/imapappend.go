package lab

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
)

// A parcel is one message of an APPEND.
type parcel struct {
	raw   []byte
	flags []imap.Flag
	date  time.Time // zero: now
}

// Append stores a message, or several: imapserver knows no MULTIAPPEND, so what comes behind its literal is ours.
func (s *imapSession) Append(name string, r imap.LiteralReader, o *imap.AppendOptions) (*imap.AppendData, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) != r.Size() { // imapserver takes the end of the connection for that of the literal
		return nil, io.ErrUnexpectedEOF
	}
	more, err := s.tap.more()
	if err != nil {
		return nil, err
	}
	return s.take(name, append([]parcel{{raw, o.Flags, o.Time}}, more...))
}

// take stores all of an APPEND or nothing (RFC 3502 §6.3.11), and says where (RFC 4315 §3).
func (s *imapSession) take(folder string, batch []parcel) (*imap.AppendData, error) {
	if refuse := s.srv.o.RefuseAppend; refuse != nil {
		for _, p := range batch {
			if err := refuse(int64(len(p.raw)), p.raw); err != nil {
				return nil, err
			}
		}
	}
	for i := range batch {
		if err := s.srv.receive(&batch[i]); err != nil {
			return nil, err
		}
	}
	s.srv.boxMu.Lock()
	defer s.srv.boxMu.Unlock()
	if s.tap.fate == CutLate {
		s.srv.late = append(s.srv.late, order{folder, batch})
		return nil, nil
	}
	first, err := s.srv.deliver(folder, batch)
	if err == nil && s.tap.fate == Lie {
		err = s.srv.drop(folder, first.UID, len(batch))
	}
	if err != nil || !s.srv.has(imap.CapUIDPlus) {
		return nil, err
	}
	if len(batch) == 1 {
		return first, nil
	}
	last := uint32(first.UID) + uint32(len(batch)) - 1
	code := fmt.Sprintf("APPENDUID %d %d:%d", first.UIDValidity, first.UID, last)
	return nil, &imap.Error{Type: imap.StatusResponseTypeOK, Code: imap.ResponseCode(code), Text: "APPEND completed"}
}

// receive makes of a message what is stored, or says why it is not.
func (s *IMAP) receive(p *parcel) error {
	if s.o.RefuseHead != nil {
		var flags []string
		for _, f := range p.flags {
			flags = append(flags, string(f))
		}
		if err := s.o.RefuseHead(flags, p.date); err != nil {
			return err
		}
	}
	p.flags = slices.DeleteFunc(slices.Clone(p.flags), func(f imap.Flag) bool { return !s.keeps(f) })
	if s.o.OwnDates {
		p.date = time.Time{}
	}
	if s.o.Alter != nil {
		p.raw = s.o.Alter(p.raw)
	}
	return nil
}

// keeps says whether a flag is one of Permanent.
func (s *IMAP) keeps(f imap.Flag) bool {
	listed := func(f imap.Flag) bool {
		return slices.ContainsFunc(s.o.Permanent, func(p imap.Flag) bool { return strings.EqualFold(string(p), string(f)) })
	}
	return s.o.Permanent == nil || listed(f) || listed(imap.FlagWildcard) && !strings.HasPrefix(string(f), `\`)
}

// deliver stores messages in order, all or none, and says where the first is; the others follow it. boxMu must be held.
func (s *IMAP) deliver(folder string, batch []parcel) (first *imap.AppendData, err error) {
	for _, p := range batch {
		if p.date.IsZero() {
			p.date = time.Now().Truncate(time.Second)
		}
		data, err := s.user.Append(folder, bytes.NewReader(p.raw), &imap.AppendOptions{Flags: p.flags, Time: p.date})
		if err != nil { // there is no such folder: only the first can fail
			return nil, err
		}
		m := &Stored{UID: uint32(data.UID), Raw: p.raw, Date: p.date, Size: int64(len(p.raw))}
		for _, f := range p.flags {
			m.set(spell(f), true)
		}
		s.copies[place{data.UIDValidity, data.UID}] = m
		if first == nil {
			first = data
		}
	}
	return first, nil
}

// more reads what follows the first literal of an APPEND, ahead of imapserver, which stores a message as soon as it has
// the literal: an APPEND is complete with its last CRLF (RFC 9051 §6.3.12). That may be the end of its line, or other
// messages (RFC 3502 §6.3.11). An error that is no *imap.Error means that the line is gone.
func (t *tap) more() ([]parcel, error) {
	var batch []parcel
	var refusal error
	for {
		t.offered.Store(false)
		line, err := t.next()
		if err != nil {
			return nil, err
		}
		text := string(bytes.TrimRight(line, "\r\n"))
		if !t.offered.Load() { // that was the end
			t.ready = []byte("\r\n")
			if text != "" {
				refusal = bad("more than an APPEND")
			}
			return batch, refusal
		}
		p, err := t.judge(text)
		if refusal == nil {
			refusal = err
		}
		if refusal != nil && t.waits { // it will not come
			t.refuse()
			t.ready = []byte("\r\n")
			return nil, refusal
		}
		if err := t.swallow(&p, refusal == nil); err != nil {
			return nil, err
		}
		batch = append(batch, p)
	}
}

var furtherMessage = regexp.MustCompile(`^ (?:\(([^()]*)\) )?(?:"([^"]*)" )?\{\d+\+?\}$`)

// judge reads what stands before the literal of a further message, and says whether it may come.
func (t *tap) judge(line string) (p parcel, err error) {
	m := furtherMessage.FindStringSubmatch(line)
	if m == nil || !t.srv.has(imap.CapMultiAppend) {
		return p, bad("that is not how a message follows another")
	}
	for _, f := range strings.Fields(m[1]) {
		p.flags = append(p.flags, imap.Flag(f))
	}
	if m[2] != "" {
		if p.date, err = time.Parse("_2-Jan-2006 15:04:05 -0700", m[2]); err != nil {
			return p, bad("that is no date")
		}
	}
	if !t.waits && t.literal > 4096 && !t.srv.has(imap.CapLiteralPlus) { // LITERAL- is always there (RFC 7888 §5)
		return p, bad("that literal should have waited")
	}
	limit := int64(t.srv.o.AppendLimit)
	if limit == 0 {
		limit = 100 << 20 // imapserver's own
	}
	if t.literal > limit {
		return p, &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeTooBig, Text: "too large"}
	}
	return p, nil
}

// swallow reads the literal of a further message, and asks for it first where it has to. One that is refused already is
// read too: it comes all the same.
func (t *tap) swallow(p *parcel, keep bool) (err error) {
	if t.waits {
		if _, err := t.Conn.Write([]byte("+ go on\r\n")); err != nil {
			return err
		}
	}
	if keep {
		p.raw = make([]byte, t.literal)
		_, err = io.ReadFull(t.r, p.raw)
	} else {
		_, err = io.CopyN(io.Discard, t.r, t.literal)
	}
	t.literal = 0
	return err
}

func bad(text string) error { return &imap.Error{Type: imap.StatusResponseTypeBad, Text: text} }
