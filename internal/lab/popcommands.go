package lab

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
)

// A popCommand is valid in the TRANSACTION state only (inside), in AUTHORIZATION only (outside), or in both.
type popCommand struct {
	do              func(s *popSession, rest string)
	inside, outside bool
}

var popCommands = map[string]popCommand{
	"CAPA": {do: (*popSession).capa},
	"QUIT": {do: (*popSession).quit},
	"STLS": {do: (*popSession).stls, outside: true},
	"USER": {do: (*popSession).userName, outside: true},
	"PASS": {do: (*popSession).pass, outside: true},
	"APOP": {do: (*popSession).apop, outside: true},
	"AUTH": {do: (*popSession).auth, outside: true},
	"STAT": {do: (*popSession).stat, inside: true},
	"LIST": {do: (*popSession).list, inside: true},
	"UIDL": {do: (*popSession).uidl, inside: true},
	"TOP":  {do: (*popSession).top, inside: true},
	"RETR": {do: (*popSession).retr, inside: true},
	"DELE": {do: (*popSession).dele, inside: true},
	"LAST": {do: func(s *popSession, _ string) { s.ok("%d", s.srv.o.Last) }, inside: true},
	"NOOP": {do: func(s *popSession, _ string) { s.ok("here") }, inside: true},
	"RSET": {do: func(s *popSession, _ string) { clear(s.gone); s.ok("nothing is deleted") }, inside: true},
}

// capa is RFC 2449 §5.
func (s *popSession) capa(string) {
	o := &s.srv.o
	s.ok("these I know")
	for _, c := range []struct {
		name string
		have bool
	}{
		{"TOP", !o.NoTOP}, {"UIDL", !o.NoUIDL}, {"USER", true}, {"RESP-CODES", true}, {"AUTH-RESP-CODE", true},
		{"EXPIRE 0", o.Expires}, {"PIPELINING", !o.NoPipelining}, {"STLS", s.offersTLS()},
		{"SASL " + strings.Join(o.Mechs, " "), len(o.Mechs) > 0},
	} {
		if c.have {
			s.line("%s", c.name)
		}
	}
	for _, c := range o.ExtraCapa {
		s.line("%s", c)
	}
	s.line(".")
}

func (s *popSession) stls(string) {
	s.ok("begin TLS")
	if !s.handshake() {
		s.over = true
	}
	s.user = ""
}

func (s *popSession) userName(rest string) {
	s.user = rest
	s.ok("now PASS") // for a wrong name too: a server does not tell which names there are
}

func (s *popSession) pass(rest string) {
	s.enter(s.user == s.srv.o.User && rest == s.srv.o.Password)
}

func (s *popSession) apop(rest string) {
	sum := md5.Sum([]byte(s.stamp + s.srv.o.Password))
	s.enter(s.stamp != "" && rest == s.srv.o.User+" "+hex.EncodeToString(sum[:]))
}

// enter goes over to the TRANSACTION state if the client is who it says and nobody else is there.
func (s *popSession) enter(good bool) {
	switch {
	case !good:
		s.fail("[AUTH] %v", errDenied)
	case !s.srv.lockDrop():
		s.fail("[IN-USE] another session has the maildrop")
	default:
		s.in, s.mail = true, s.srv.listed()
		s.ok("%d messages", len(s.mail))
	}
}

// auth is RFC 5034 §4.
func (s *popSession) auth(rest string) {
	mechanism, initial, given := strings.Cut(rest, " ")
	if !offers(s.srv.o.Mechs, mechanism) {
		s.fail("unknown mechanism")
		return
	}
	v, err := verifier(mechanism, s.srv.o.User, s.srv.o.Password)
	if err != nil {
		s.fail("[SYS/PERM] %v", err)
		return
	}
	var response []byte
	if initial == "=" { // an empty one
		initial = ""
	}
	if given {
		response, err = base64.StdEncoding.DecodeString(initial)
	}
	for err == nil {
		challenge, done, fault := v.Next(response)
		if fault != nil || done {
			s.enter(done)
			return
		}
		s.line("+ %s", base64.StdEncoding.EncodeToString(challenge))
		var line string
		if line, err = s.read(); err != nil {
			s.over = true
			return
		}
		s.srv.note("***")
		response, err = base64.StdEncoding.DecodeString(line) // "*", which cancels, is no base64 either
	}
	s.fail("cancelled, or not base64")
}

func (s *popSession) stat(string) {
	n, size := 0, int64(0)
	for _, m := range s.mail {
		if !s.gone[m] {
			n++
			size += m.size()
		}
	}
	s.ok("%d %d", n, size)
}

func (s *popSession) list(rest string) {
	s.listing(rest, func(m *Mail) string { return strconv.FormatInt(m.size(), 10) })
}

func (s *popSession) uidl(rest string) {
	s.listing(rest, func(m *Mail) string { return m.UIDL })
}

// listing tells about one message, or about all that are not deleted.
func (s *popSession) listing(rest string, tell func(*Mail) string) {
	if rest != "" {
		if m := s.find(rest); m != nil {
			s.ok("%s %s", rest, tell(m))
		}
		return
	}
	s.ok("%d messages", len(s.mail)-len(s.gone))
	for i, m := range s.mail {
		if !s.gone[m] {
			s.line("%d %s", i+1, tell(m))
		}
	}
	s.line(".")
}

// find gives the message of a number. For a wrong one it answers -ERR and gives nil.
func (s *popSession) find(number string) *Mail {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(s.mail) || s.gone[s.mail[n-1]] {
		s.fail("no such message")
		return nil
	}
	return s.mail[n-1]
}

func (s *popSession) top(rest string) {
	number, count, _ := strings.Cut(rest, " ")
	lines, err := strconv.ParseUint(count, 10, 31)
	if err != nil {
		s.fail("TOP wants two numbers")
		return
	}
	if m := s.find(number); m != nil {
		s.ok("its top")
		s.body(head(m.Raw, int(lines)))
	}
}

// head gives a message's header, its blank line, and so many lines of its body.
func head(raw []byte, lines int) []byte {
	body := false
	for at := 0; at < len(raw); {
		if body && lines == 0 {
			return raw[:at]
		}
		line, _, _ := bytes.Cut(raw[at:], []byte("\n"))
		at += len(line) + 1
		if body {
			lines--
		}
		body = body || len(bytes.TrimSuffix(line, []byte("\r"))) == 0
	}
	return raw
}

func (s *popSession) retr(rest string) {
	if m := s.find(rest); m != nil {
		s.ok("%d octets", m.size())
		s.body(m.Raw)
		s.given[m] = true
	}
}

func (s *popSession) dele(rest string) {
	if m := s.find(rest); m != nil {
		s.gone[m] = true
		s.ok("deleted at QUIT")
	}
}

// quit removes what is marked, and gives the maildrop back before it answers: who has the answer may come again.
func (s *popSession) quit(string) {
	whole := true
	if s.in {
		whole = s.srv.update(s.gone, s.given)
		s.leave()
	}
	if whole {
		s.ok("bye")
	} else {
		s.fail("some deleted messages not removed")
	}
	s.w.Flush()
	s.conn.Close() // TLS says goodbye here, and only here: any other end is a cut
	s.over = true
}
