package message

import (
	"slices"
	"strings"
	"time"
)

// Facts are what is known of a message beside its octets. The zero value is the safe choice: nothing is believed that a
// sender can have written.
type Facts struct {
	Now   time.Time // no date may lie more than 24 hours after it
	UIDL  string    // in the maildrop; "": none
	Trust bool      // what mail stores and clients write is believed wherever it stands
	Junk  bool      // $Junk and $Phishing are wanted

	// ServerStatus says that the maildrop's own server ends each header with a Status field, and hides those that came
	// with the mail (UW's ipop3d). Then the last field of the header is believed, if it is one.
	ServerStatus bool
	Accessed     bool     // POP3 LAST covers the message (RFC 1225): somebody retrieved it, or one behind it
	Identities   []string // own addresses; the case of letters does not matter, all else must be the same
}

// An Inference is what a message tells of itself, each answer with its reason. A reason names a field and what of it
// says so, as "Status: R". It holds no text of the mail: no subject, no address.
type Inference struct {
	Flags   []Flag  // each once, also where the case of letters differs; never \Deleted or \Recent
	Doubted []Doubt // what was said, but not believed
	Deleted string  // what marks it as deleted; "": nothing. It is copied all the same: the mark is only reported

	Date    time.Time // when it arrived, see [Arrival]; zero: it does not tell
	DateWhy string

	Sent  string // why it is an own message, from where it was sent; "": it is not, or it is a draft
	Junk  string // why it counts as spam, whether Facts.Junk is set or not; "": it does not
	Marks []Mark // what an own message says of others
	List  string // the identifier of its mailing list (RFC 2919), printable ASCII of at most 255 octets; "": none
	Auto  string // why it counts as sent by a list or a machine; "": it does not
}

// A Flag is one that a message is to arrive with.
type Flag struct {
	Name string // as IMAP spells it: `\Seen`, `$Forwarded`, `work`
	Why  string // what says so, for the report: "Status: R"
}

// A Doubt is something that was said and is not believed.
type Doubt struct {
	What string // a flag as IMAP spells it, "keyword" (its name is the sender's), "flags", "sent" or "spam"
	Said string // what said so: "Status: R"
	Why  string // why it is not believed
}

// A Mark is what an own message shows of another one: that it was answered, forwarded, confirmed.
type Mark struct {
	ID    string   // its Message-ID, with its <>
	Flags []string // never removed, only added
	Why   string   // the field that says so
}

// How many answers of a kind a header can give: it may be made to give a million.
const (
	maxFlags  = 32 // Dovecot's Maildir keeps 26 keywords a folder
	maxDoubts = 32
	maxMarks  = 32
)

// Infer says what the header of a message tells, given the facts. It refuses nothing, and takes time in proportion to
// the header.
//
// Whoever sends a mail can write any field into it. Two rules tell what is not the sender's:
//
// (a) The state that mail stores and clients keep in a header (flags and keywords) is believed only above the first
// trace field: above all that a delivery prepends (RFC 5321 §4.4). A sender's fields are below that. So are fields of a
// message without any trace field, which was never delivered: a draft, a sent copy. What delivers mail and writes
// neither Received nor Return-Path nor the like breaks RFC 5321, and there this rule tells nothing: then
// --flags is the user's way out.
//
// (b) Verdicts of spam filters are believed above the topmost Received, and under a Received of Exchange also what
// Exchange takes out of mail that comes from outside.
//
// Facts.Trust believes both everywhere. See docs/flags.md for each signal.
func Infer(header []byte, f Facts) Inference {
	r := reading{facts: f, apart: true, own: ownFields{text: map[string]string{}}}
	r.tells.Date, r.tells.DateWhy = Arrival(header, f.UIDL, f.Now)
	rest := header
	if f.ServerStatus {
		rest = r.serverStatus(header)
	}
	for field := range Fields(rest) {
		r.take(field)
	}
	r.conclude()
	return r.tells
}

// A reading is a header under way.
type reading struct {
	facts Facts
	tells Inference

	apart    bool // no trace field was seen yet
	believed bool // rule (a) holds for the field under way
	above    bool // it stands above the topmost Received

	unread   string   // what says that nobody has read it
	unsent   string   // what says that it waits to be sent
	receipt  string   // what asks for a receipt
	keywords []string // of X-Keywords
	base     []string // the keywords of the mailbox, of X-IMAPbase
	hasBase  bool
	spam     verdicts
	own      ownFields
}

// traces are the fields that servers write when a message reaches them or is delivered.
var traces = map[string]bool{
	"received": true, "x-received": true, "received-spf": true, "authentication-results": true,
	"arc-seal": true, "arc-message-signature": true, "arc-authentication-results": true,
	"return-path": true, "delivered-to": true, "x-delivered-to": true, "x-original-to": true,
	"envelope-to": true, "x-envelope-to": true, "delivery-date": true,
}

// take reads one field.
func (r *reading) take(f Field) {
	if s, ok := signals[f.Name]; ok {
		r.believed, r.above = r.facts.Trust || r.apart, f.Above
		s.read(r, s.field, f.Text())
	}
	r.apart = r.apart && !traces[f.Name]
	r.spam.take(f)
	r.own.take(f)
}

// conclude draws what follows from several fields together.
func (r *reading) conclude() {
	r.mailboxKeywords()
	if r.facts.Accessed && r.unread == "" {
		r.give(`\Seen`, "LAST")
	} else if r.facts.Accessed {
		r.doubt(`\Seen`, "LAST", r.unread+" says that it was not read")
	}
	r.list()
	r.sent()
	r.judge()
	if r.receipt != "" && r.tells.Sent == "" && r.has(`\Seen`) {
		r.give("$MDNSent", r.receipt) // RFC 3503 §3.1: no other client is to ask again
	}
}

// Why what stands under a trace field is not believed.
const senders = "stands where a sender can write"

// flag takes over a flag that the field under way says, if it is believed.
func (r *reading) flag(name, said string) {
	if !r.believed {
		r.doubt(name, said, senders)
		return
	}
	r.give(name, said)
}

func (r *reading) give(name, why string) {
	if len(r.tells.Flags) < maxFlags && !r.has(name) {
		r.tells.Flags = append(r.tells.Flags, Flag{Name: name, Why: why})
	}
}

func (r *reading) has(name string) bool {
	return slices.ContainsFunc(r.tells.Flags, func(f Flag) bool { return strings.EqualFold(f.Name, name) })
}

func (r *reading) doubt(what, said, why string) {
	d := Doubt{what, said, why}
	if len(r.tells.Doubted) < maxDoubts && !slices.Contains(r.tells.Doubted, d) {
		r.tells.Doubted = append(r.tells.Doubted, d)
	}
}

// deleted notes a mark that would make the message vanish.
func (r *reading) deleted(said string) {
	if !r.believed {
		r.doubt(`\Deleted`, said, senders)
	} else if r.tells.Deleted == "" {
		r.tells.Deleted = said
	}
}

// garbled notes that a field is not what its name says. KMail's X-Status has other letters, the Status of a delivery
// report (RFC 3464) has digits.
func (r *reading) garbled(field string) {
	r.doubt("flags", field, "is not in the form that mail stores write")
}
