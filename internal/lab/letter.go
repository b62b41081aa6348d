package lab

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"
)

// A letter is a sample message in the making. All its text has LF line ends.
type letter struct {
	at                time.Time // when it arrived, in the zone of alice's server
	zone              int       // of the sender, read as hhmm
	via               string    // the sender's server; "": it never travelled and has no Received
	top               string    // header lines above all others
	date              string    // the Date field if it is not plainly the time of sending
	from, to, subject string    // as they stand in the header; to alice if to is ""
	id                string    // Message-ID; "": there is none
	refs              []string  // the Message-IDs of what it answers, the oldest first
	rest              string    // the rest of the header, the blank line, and the body
	whole             string    // the whole message, instead of all of this but at
}

const alice = "Alice Archer <alice@example.org>"

// at is a time in a zone that is read as hhmm: -330 is three and a half hours west of Greenwich. The second is any one,
// so that not all mail comes on the minute.
func at(year, month, day, hour, minute, zone int) time.Time {
	return time.Date(year, time.Month(month), day, hour, minute, (year*day+minute)%60, 0, offset(zone))
}

func offset(zone int) *time.Location {
	return time.FixedZone("", (zone/100*60+zone%100)*60)
}

// uidl is one that alice's server would give to its n-th message. Until 2010 that was Courier, which knows a message by
// its file's name; since then it has been Dovecot, which kept the old ones.
func (l letter) uidl(n int) string {
	if l.at.Year() < 2010 {
		return fmt.Sprintf("%d.M%06dP%d.mx.example.org", l.at.Unix(), l.at.Unix()*7919%1000000, 400+n*17)
	}
	return fmt.Sprintf("%08x%08x", n, at(2010, 1, 4, 9, 30, 0).Unix())
}

// raw is the message as it is stored: with CRLF line ends.
func (l letter) raw() []byte {
	text := l.whole
	if text == "" {
		text = l.top + l.travel() + l.fields() + l.rest
	}
	return []byte(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n"))
}

// travel is what the servers on the way wrote: the sender's in his zone, alice's in hers, the last one on top.
func (l letter) travel() string {
	if l.via == "" {
		return ""
	}
	const layout = "Mon, 2 Jan 2006 15:04:05 -0700"
	theirs := l.at.Add(-3 * time.Second).In(offset(l.zone)).Format(layout)
	number := l.at.Unix() % 200
	return fmt.Sprintf("Return-Path: <%s>\nDelivered-To: alice@example.org\n", address(l.from)) +
		fmt.Sprintf("Received: from %s (%[1]s [192.0.2.%d])\n", l.via, number) +
		fmt.Sprintf("\tby mx.example.org with ESMTP id %X\n", l.at.Unix()) +
		fmt.Sprintf("\tfor <alice@example.org>; %s\n", l.at.Format(layout)) +
		fmt.Sprintf("Received: from [198.51.100.%d] by %s with SMTP id %d;\n", number, l.via, l.at.Unix()/3) +
		"\t" + theirs + "\n"
}

// address gives the address of a mailbox in any of its forms: "a@b", "A <a@b>", "a@b (A)".
func address(mailbox string) string {
	if _, inner, bracketed := strings.Cut(mailbox, "<"); bracketed {
		return strings.TrimSuffix(inner, ">")
	}
	plain, _, _ := strings.Cut(mailbox, " ")
	return plain
}

func (l letter) fields() string {
	sent := l.at.Add(-9 * time.Second).In(offset(l.zone)).Format(time.RFC1123Z)
	var b strings.Builder
	fmt.Fprintf(&b, "Date: %s\nFrom: %s\n", cmp.Or(l.date, sent), l.from)
	fmt.Fprintf(&b, "To: %s\nSubject: %s\n", cmp.Or(l.to, alice), l.subject)
	if l.id != "" {
		fmt.Fprintf(&b, "Message-ID: %s\n", l.id)
	}
	if n := len(l.refs); n > 0 {
		fmt.Fprintf(&b, "In-Reply-To: %s\nReferences: %s\n", l.refs[n-1], strings.Join(l.refs, "\n "))
	}
	return b.String()
}

// plain is a body without MIME.
func plain(body string) string { return "\n" + body }

// text is a body, or a part of one, of type text/kind. encoding is what becomes of body: nothing with "7bit"
// and "8bit", "quoted-printable" or "base64".
func text(kind, charset, encoding, body string) string {
	switch encoding {
	case "quoted-printable":
		var b strings.Builder
		w := quotedprintable.NewWriter(&b)
		w.Write([]byte(body)) // into memory, as Close: neither can fail
		w.Close()
		body = b.String()
	case "base64":
		body = base64Lines([]byte(strings.ReplaceAll(body, "\n", "\r\n")))
	}
	return fmt.Sprintf("Content-Type: text/%s; charset=%s\nContent-Transfer-Encoding: %s\n\n%s",
		kind, charset, encoding, body)
}

// note is a part that is plain ASCII.
func note(body string) string { return text("plain", "us-ascii", "7bit", body) }

// file is a part that holds a file. parameter is its name as a MIME parameter.
func file(kind, parameter string, content []byte) string {
	return fmt.Sprintf("Content-Type: %s\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; %s\n\n%s",
		kind, parameter, base64Lines(content))
}

// multipart is a body, or a part of one, of type multipart/kind.
func multipart(kind, boundary string, parts ...string) string {
	delimiter := "\n--" + boundary
	return fmt.Sprintf("Content-Type: multipart/%s; boundary=%q\n%s\n%s%s--\n", kind, boundary, delimiter,
		strings.Join(parts, delimiter+"\n"), delimiter)
}

// mimed is a body with the field that says it is MIME.
func mimed(body string) string { return "MIME-Version: 1.0\n" + body }

// base64Lines is RFC 2045 §6.8.
func base64Lines(content []byte) string {
	code := base64.StdEncoding.EncodeToString(content)
	var b strings.Builder
	for len(code) > 76 {
		b.WriteString(code[:76] + "\n")
		code = code[76:]
	}
	return b.String() + code + "\n"
}

// latin1 is text in ISO-8859-1, an octet a character.
func latin1(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// words is header text in encoded words (RFC 2047): with Q in Latin-1, with B in UTF-8.
func words(encoding byte, s string) string {
	if encoding == 'Q' {
		return mime.QEncoding.Encode("iso-8859-1", latin1(s))
	}
	return mime.BEncoding.Encode("utf-8", s)
}
