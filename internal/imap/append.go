package imap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/pop2imap/pop2imap/sync"
)

// dateLayout is date-time of RFC 9051 §9, the day padded with a space.
const dateLayout = "_2-Jan-2006 15:04:05 -0700"

// flagName is flag of RFC 9051 §9.
var flagName = regexp.MustCompile(`^\\?[!#$&'+-\[^-z|}~]+$`)

// Append stores one message (RFC 9051 §6.3.12). Dovecot is several times as fast when the folder is selected; Courier
// refuses whatever is appended to the folder that it has EXAMINEd. So a message that is refused, before any was taken, is
// offered once more with no folder selected.
func (s *Session) Append(ctx context.Context, f sync.Folder, m sync.Outgoing) (sync.Placed, error) {
	defer s.begin(ctx)()
	if s.shy {
		if err := s.deselect(); err != nil {
			return sync.Placed{}, unsent(err)
		}
	}
	selected := s.selected
	placed, err := s.append(f, m)
	switch {
	case err == nil:
		s.sure = s.sure || selected
		return placed, nil
	case s.sure || !selected || !isClass(err, sync.Refused) || s.mux.why() != nil:
		return placed, err
	}
	if err := s.deselect(); err != nil {
		return sync.Placed{}, unsent(err)
	}
	placed, err = s.append(f, m)
	s.shy = err == nil
	if !s.shy && s.mux.why() == nil { // it is the message
		if name, e := s.names.raw(f.Name); e == nil {
			s.examine(f.Name, name) // only for speed
		}
	}
	return placed, err
}

// deselect leaves the selected folder. CLOSE after EXAMINE removes nothing (RFC 9051 §6.4.1).
func (s *Session) deselect() error {
	if !s.selected {
		return nil
	}
	if err := s.client.UnselectAndExpunge().Wait(); err != nil {
		return s.fault(err)
	}
	s.selected = false
	return nil
}

// append sends the command. With LITERAL+ the message follows at once; otherwise we wait to be asked for it, and a
// refusal then costs nothing.
func (s *Session) append(f sync.Folder, m sync.Outgoing) (sync.Placed, error) {
	if why := s.mux.why(); why != nil {
		return sync.Placed{}, unsent(why)
	}
	tag, head, atOnce, err := s.appendLine(f, m)
	if err != nil {
		return sync.Placed{}, unsent(err)
	}
	if err := s.write(head); err != nil {
		return s.halfway(f, tag, err)
	}
	if !atOnce {
		r, err := s.mux.await(tag)
		if err != nil {
			return sync.Placed{}, unsent(err)
		}
		if r.tag == tag {
			return s.outcome(f, r, false)
		}
	}
	if err := s.body(m); sync.NotStored(err) { // it could not be read
		return sync.Placed{}, err
	} else if err != nil {
		return s.halfway(f, tag, err)
	}
	r, err := s.mux.await(tag)
	if err == nil && r.tag == "+" {
		err = s.mux.broken(fmt.Errorf("%s wants more after a whole message", s.server.Host))
	}
	if err != nil {
		return sync.Placed{}, sync.Doing(err, "append to %q: no reply", f.Name)
	}
	return s.outcome(f, r, true)
}

// halfway gives the error for a message whose last octets could not be sent. A server that hangs up on it may have said
// why before: a refusal is the message's own, and must not stop the others again and again.
func (s *Session) halfway(f sync.Folder, tag string, err error) (sync.Placed, error) {
	r, gone := s.mux.await(tag)
	s.mux.giveUp(err)
	switch {
	case gone != nil:
		return sync.Placed{}, unsent(gone)
	case r.tag == tag:
		return s.outcome(f, r, false)
	}
	return sync.Placed{}, unsent(err)
}

// appendLine makes the command up to the announcement of the literal.
func (s *Session) appendLine(f sync.Folder, m sync.Outgoing) (tag, line string, atOnce bool, err error) {
	name, err := s.names.raw(f.Name)
	if err != nil {
		return "", "", false, err
	}
	for _, flag := range m.Flags {
		if !flagName.MatchString(flag) { // could be a command of its own
			return "", "", false, fmt.Errorf("%q is no flag", flag)
		}
	}
	quoted, _ := quote(encodeName(name))
	date := ""
	if !m.Date.IsZero() {
		date = `"` + m.Date.Format(dateLayout) + `" `
	}
	// LITERAL- allows a literal that does not wait up to 4096 octets (RFC 7888 §4).
	atOnce = s.caps.has("LITERAL+") || s.caps.has("LITERAL-") && m.Size <= 4096
	plus := ""
	if atOnce {
		plus = "+"
	}
	tag = s.mux.tag()
	line = fmt.Sprintf("%s APPEND %s (%s) %s{%d%s}\r\n", tag, quoted, strings.Join(m.Flags, " "), date, m.Size, plus)
	return tag, line, atOnce, nil
}

func (s *Session) write(line string) error {
	s.w.Trace("C", strings.TrimRight(line, "\r\n"))
	_, err := io.WriteString(s.w, line)
	return err
}

// body sends the message and the line end that completes the command. Until that is written, nothing is stored. An
// error of the message itself is marked as such already. However long it takes, it is no silence of the server.
func (s *Session) body(m sync.Outgoing) error {
	s.w.Idle(true)
	defer s.w.Idle(false)
	src := &source{Reader: io.LimitReader(m.Body(), m.Size)}
	n, err := io.Copy(s.w, src)
	if src.err == nil && err == nil && n < m.Size {
		src.err = fmt.Errorf("a message of %d octets ended after %d", m.Size, n)
	}
	switch {
	case src.err != nil:
		s.mux.giveUp(unsent(src.err)) // half a literal cannot be taken back
		return unsent(src.err)
	case err != nil:
		return err
	}
	_, err = io.WriteString(s.w, "\r\n")
	return err
}

// A source remembers that it could not be read.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// unsent marks an error of an APPEND whose last octets were not sent.
func unsent(err error) error {
	e, ok := errors.AsType[*sync.Error](err)
	if !ok {
		e = &sync.Error{Class: sync.Bug, Err: err}
	}
	marked := *e
	marked.Unsent = true
	return &marked
}

// outcome reads the tagged reply to an APPEND. sent says whether the message was sent. A refusal for whatever reason
// means that nothing is stored.
func (s *Session) outcome(f sync.Folder, r reply, sent bool) (sync.Placed, error) {
	switch {
	case r.status == "OK" && sent:
		return place(r.text), nil
	case r.status == "NO" || r.status == "BAD":
		e := refusal(sync.Refused, r.status, s.mux.veil.over(r.text))
		e.Err = fmt.Errorf("append to %q", f.Name)
		e.Unsent = true
		if r.status == "BAD" && sent { // it may not have taken the literal for one: no more mail shall be read as commands
			s.mux.giveUp(&sync.Error{Class: sync.Temporary,
				Err: fmt.Errorf("we hung up on %s, which did not understand APPEND", s.server.Host)})
		}
		return sync.Placed{}, e
	case sent:
		return sync.Placed{}, s.mux.broken(fmt.Errorf("%s answered APPEND with neither OK, NO nor BAD", s.server.Host))
	}
	return sync.Placed{}, unsent(s.mux.broken(fmt.Errorf("%s answered APPEND before it had the message", s.server.Host)))
}

// place reads APPENDUID (RFC 4315 §3). Where it is not right the message is stored all the same, and where can be found
// out in another way.
func place(text string) sync.Placed {
	code, arg, _ := splitCode(text)
	validity, uid, _ := strings.Cut(arg, " ")
	v, err1 := strconv.ParseUint(validity, 10, 32)
	u, err2 := strconv.ParseUint(uid, 10, 32)
	if code != "APPENDUID" || err1 != nil || err2 != nil || v == 0 || u == 0 {
		return sync.Placed{}
	}
	return sync.Placed{UIDValidity: uint32(v), UID: uint32(u)}
}
