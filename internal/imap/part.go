package imap

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/pop2imap/pop2imap/sync"
)

// dateLayout is date-time of RFC 9051 §9, the day padded with a space.
const dateLayout = "_2-Jan-2006 15:04:05 -0700"

// flagName is flag of RFC 9051 §9.
var flagName = regexp.MustCompile(`^\\?[!#$&'+-\[^-z|}~]+$`)

// A part of a batch is what one APPEND carries: one message, or several that are stored together or not at all
// (RFC 3502 §3).
type part struct {
	folder   string
	mailbox  string // the same, as it goes over the line
	messages []sync.Outgoing
	heads    []string // in front of each: flags, date, announcement of the literal
	asks     bool     // the literal waits for "+"
	numbered bool     // the server's UIDs are good for something

	command *command      // nil: nothing of it is written
	end     int64         // where its last octet is in what we send
	answers []sync.Answer // nil: the reply tells
}

// failed is a part of which nothing is stored.
func failed(messages []sync.Outgoing, err error) *part {
	p := &part{messages: messages}
	p.fail(err)
	return p
}

func (p *part) fail(err error) {
	p.answers = make([]sync.Answer, len(p.messages))
	for i := range p.answers {
		p.answers[i].Err = err
	}
}

// divide makes parts of a batch. A message of no octets goes alone: Dovecot refuses all that comes with it.
func (s *Session) divide(f sync.Folder, batch []sync.Outgoing) (parts []*part) {
	name, err := s.names.raw(f.Name)
	if err != nil {
		return []*part{failed(batch, unsent(err))}
	}
	mailbox, _ := quote(encodeName(name))
	together := s.caps.has("MULTIAPPEND") && s.caps.has("LITERAL+")
	var last *part // which takes more messages
	for i, m := range batch {
		asks := s.asks(m.Size)
		head, err := appendHead(m, asks)
		if err != nil {
			parts, last = append(parts, failed(batch[i:i+1], unsent(err))), nil
			continue
		}
		if last == nil || m.Size == 0 {
			last = &part{folder: f.Name, mailbox: mailbox, asks: asks, numbered: !s.unsticky[f.Name], end: math.MaxInt64}
			parts = append(parts, last)
		}
		last.messages, last.heads = append(last.messages, m), append(last.heads, head)
		if !together || m.Size == 0 {
			last = nil
		}
	}
	return parts
}

// asks says whether a literal has to wait. LITERAL- lets go one of up to 4096 octets (RFC 7888 §4, §5).
func (s *Session) asks(size int64) bool {
	return !s.caps.has("LITERAL+") && !(s.caps.has("LITERAL-") && size <= 4096)
}

// appendHead is what stands in front of a message. A flag that is none could be a command of its own.
func appendHead(m sync.Outgoing, asks bool) (string, error) {
	for _, flag := range m.Flags {
		if !flagName.MatchString(flag) {
			return "", fmt.Errorf("%q is no flag", flag)
		}
	}
	date, plus := "", "+"
	if !m.Date.IsZero() {
		date = ` "` + m.Date.Format(dateLayout) + `"`
	}
	if asks {
		plus = ""
	}
	return fmt.Sprintf(" (%s)%s {%d%s}\r\n", strings.Join(m.Flags, " "), date, m.Size, plus), nil
}

// keywords says whether any of its messages has one: a flag that is not the server's own (RFC 9051 §2.3.2).
func (p *part) keywords() bool {
	return slices.ContainsFunc(p.messages, func(m sync.Outgoing) bool {
		return slices.ContainsFunc(m.Flags, func(flag string) bool { return !strings.HasPrefix(flag, `\`) })
	})
}

// unsent marks an error of an APPEND whose last octet was not sent.
func unsent(err error) error { return marked(err, true) }

// open marks an error of one that was sent: only the reply would tell what became of it.
func open(err error) error { return marked(err, false) }

func marked(err error, unsent bool) error {
	e, ok := errors.AsType[*sync.Error](err)
	if !ok {
		e = &sync.Error{Class: sync.Bug, Err: err}
	}
	copied := *e
	copied.Unsent = unsent
	return &copied
}
