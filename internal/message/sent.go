package message

import (
	"net/netip"
	"slices"
	"strings"
)

// ownFields are what tells an own message, and what it says of others.
type ownFields struct {
	text      map[string]string // of the topmost field of each name in kept
	froms     int               // how many From fields there are
	delivered string            // the topmost field that a delivery into a mailbox wrote
	travelled bool              // there is a Received
	strange   bool              // one of them is no hop on the way out
	submitted bool              // one of them is a submission
	labelled  string            // the store says that the message is a sent one
}

// kept are the fields that are looked at, beside Received, in lower case.
var kept = map[string]bool{
	"from": true, "to": true, "cc": true, "bcc": true, "subject": true, "content-type": true,
	"in-reply-to": true, "references": true, "x-forwarded-message-id": true,
	"list-id": true, "list-post": true, "list-unsubscribe": true, "precedence": true, "auto-submitted": true,
}

// deliveries are the fields, as they are commonly written, that only what was delivered into a mailbox has: no server
// writes them on the way out.
var deliveries = map[string]string{
	"return-path": "Return-Path", "delivered-to": "Delivered-To", "x-delivered-to": "X-Delivered-To",
	"x-original-to": "X-Original-To", "envelope-to": "Envelope-To", "x-envelope-to": "X-Envelope-To",
	"delivery-date": "Delivery-Date", "received-spf": "Received-SPF", "authentication-results": "Authentication-Results",
}

func (o *ownFields) take(f Field) {
	switch {
	case f.Name == "received":
		o.travelled = true
		if !o.strange {
			way := wayOut(f.Text())
			o.strange, o.submitted = way == strange, o.submitted || way == submission
		}
	case kept[f.Name]:
		if f.Name == "from" {
			o.froms++
		}
		if _, there := o.text[f.Name]; !there {
			o.text[f.Name] = f.Text()
		}
	case o.delivered == "":
		o.delivered = deliveries[f.Name]
	}
}

// What a Received field tells of a message's way.
const (
	strange    = iota // it came from somewhere
	internal          // from one machine of a provider to another (Gmail)
	submission        // from its author, who had logged in
)

// The protocols of authors: webmail, and those with a login (RFC 3848, RFC 6531 §4.3), in lower case.
var submits = map[string]bool{
	"http": true, "https": true, "smtpa": true, "smtpsa": true, "esmtpa": true, "esmtpsa": true,
	"utf8smtpa": true, "utf8smtpsa": true,
}

// wayOut says what a Received field is. A server that takes mail from outside writes from whom (RFC 5321 §4.4), and no
// login. Only the last "with" is its own: the name that a client gives itself stands before it.
func wayOut(text string) int {
	words := strings.Fields(strings.ToLower(withoutComments(text)))
	for i := len(words) - 2; i >= 0; i-- {
		if words[i] != "with" {
			continue
		}
		if submits[strings.TrimRight(words[i+1], ";")] {
			return submission
		}
		break
	}
	if len(words) > 1 && words[0] == "by" {
		if _, err := netip.ParseAddr(words[1]); err == nil {
			return internal
		}
	}
	return strange
}

// sent tells an own message from one that somebody sent in the user's name, or that the user sent to himself and
// received. Its copy in the maildrop was not delivered: it has no field of a delivery, and no Received but of its way
// out. With one of those it must not be to the user either: a server that drops Return-Path would make the two look the
// same.
func (r *reading) sent() {
	o := &r.own
	switch {
	case o.labelled == "" && !r.fromUser():
		return
	case r.has(`\Draft`):
		r.doubt("sent", "From", "it is a draft")
	case r.unsent != "":
		r.doubt("sent", "From", r.unsent+" says that it waits to be sent")
	case o.labelled != "":
		r.tells.Sent = o.labelled
	case o.delivered != "":
		r.doubt("sent", "From", o.delivered+" says that it was delivered here")
	case r.tells.List != "":
		r.doubt("sent", "From", "it came back from a mailing list")
	case !o.travelled:
		r.tells.Sent = "From, no Received"
	case o.strange || !o.submitted:
		r.doubt("sent", "From", "Received says that it came from elsewhere")
	case r.toUser():
		r.doubt("sent", "From", "it was sent to the user, too")
	default:
		r.tells.Sent = "From, Received of a submission"
	}
	if r.tells.Sent != "" {
		r.give(`\Seen`, "own message")
		r.tells.Marks = r.marks()
	}
}

// fromUser says whether the one address in the one From field is the user's.
func (r *reading) fromUser() bool {
	if len(r.facts.Identities) == 0 || r.own.froms != 1 {
		return false
	}
	from := addresses(r.own.text["from"])
	return len(from) == 1 && r.isIdentity(from[0])
}

func (r *reading) toUser() bool {
	for _, name := range []string{"to", "cc", "bcc"} {
		if slices.ContainsFunc(addresses(r.own.text[name]), r.isIdentity) {
			return true
		}
	}
	return false
}

func (r *reading) isIdentity(address string) bool {
	return slices.ContainsFunc(r.facts.Identities, func(own string) bool { return strings.EqualFold(own, address) })
}

// addresses gives the addresses of a list (RFC 5322 §3.4): what stands in <>, or else the words with an @. Display names
// in quotes and comments are no addresses, whatever they look like; the name of a group stands before the first one.
func addresses(text string) (list []string) {
	for _, part := range strings.FieldsFunc(unquotedText(withoutComments(text)), isSeparator) {
		if open := strings.LastIndexByte(part, '<'); open >= 0 {
			part, _, _ = strings.Cut(part[open+1:], ">")
		}
		if part = strings.TrimSpace(part); strings.Contains(part, "@") {
			list = append(list, part)
		}
	}
	return list
}

func isSeparator(c rune) bool { return c == ',' || c == ';' || c == ':' }

// unquotedText is text without its quoted strings, but for those before an @, which are of an address.
func unquotedText(text string) string {
	var out strings.Builder
	for len(text) > 0 {
		start := strings.IndexByte(text, '"')
		if start < 0 {
			break
		}
		size := quotedSize([]byte(text[start:min(len(text), start+maxName)]))
		out.WriteString(text[:start])
		if next := text[start+size:]; strings.HasPrefix(next, "@") {
			out.WriteString(text[start : start+size])
		}
		text = text[start+size:]
	}
	out.WriteString(text)
	return out.String()
}
