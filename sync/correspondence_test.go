package sync_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// A correspondence is mail of a year, by date, and the flags that own messages give: of each message, by UIDL. Those that
// are not in flags have none.
type correspondence struct {
	random *rand.Rand
	mail   []lab.Mail
	flags  map[string][]string
	at     time.Time
	last   map[int]string // Message-ID of the last message of each thread
}

// me is the own address.
const me = "me@example.org"

// year makes n messages in threads of several people, of which two fifths are sent copies: answers, a few forwards,
// confirmations and messages of their own. Lists and machines write too, some of them in the user's name.
func year(seed uint64, n int) *correspondence {
	c := &correspondence{random: rand.New(rand.NewPCG(seed, 0)), flags: map[string][]string{},
		at: time.Date(2024, 1, 1, 8, 0, 0, 0, time.UTC), last: map[int]string{}}
	for len(c.mail) < n {
		c.at = c.at.Add(time.Duration(1+c.random.IntN(8*60)) * time.Minute)
		if thread := c.random.IntN(n/8 + 1); c.random.IntN(5) < 2 {
			c.send(thread)
		} else {
			c.receive(thread)
		}
	}
	return c
}

// receive has somebody, a list or a machine write.
func (c *correspondence) receive(thread int) {
	header := "Return-Path: <ann@example.com>\r\nReceived: from mx.example.com by pop.example; " + c.at.Format(time.RFC1123Z) + "\r\nFrom: Ann <ann@example.com>\r\nTo: " + me + "\r\n"
	switch c.random.IntN(6) {
	case 0:
		header += "List-Id: <go.example.com>\r\n"
	case 1:
		header += "Auto-Submitted: auto-generated\r\n"
	}
	if parent := c.last[thread]; parent != "" { // what others answer marks nothing
		header += "In-Reply-To: " + parent + "\r\n"
	}
	c.last[thread] = c.write(header)
}

// send has the user write.
func (c *correspondence) send(thread int) {
	header := "From: Me <" + me + ">\r\nTo: ann@example.com\r\n"
	parent := c.last[thread]
	if parent == "" {
		c.last[thread] = c.write(header, `\Seen`)
		return
	}
	switch c.random.IntN(8) {
	case 0:
		header += "X-Forwarded-Message-Id: " + parent + "\r\n"
		c.mark(parent, "$Forwarded")
	case 1:
		header += "In-Reply-To: " + parent + "\r\nContent-Type: multipart/report; report-type=disposition-notification\r\n"
		c.mark(parent, "$MDNSent")
	case 2: // on holiday
		header += "In-Reply-To: " + parent + "\r\nAuto-Submitted: auto-replied\r\n"
	case 3: // a forward to somebody of a message that is not here
		header += "X-Forwarded-Message-Id: <elsewhere@example.com>\r\n"
	default:
		header += "In-Reply-To: " + parent + "\r\n"
		c.mark(parent, `\Answered`, `\Seen`)
	}
	c.last[thread] = c.write(header, `\Seen`)
}

// write adds a message, and gives its Message-ID.
func (c *correspondence) write(header string, flags ...string) (id string) {
	uidl := fmt.Sprintf("m%04d", len(c.mail))
	id = "<" + uidl + "@example.org>"
	c.mail = append(c.mail, lab.Mail{UIDL: uidl, Raw: []byte(header + "Date: " + c.at.Format(time.RFC1123Z) +
		"\r\nMessage-ID: " + id + "\r\n\r\nThis is " + uidl + ".\r\n")})
	c.mark(id, flags...)
	return id
}

func (c *correspondence) mark(id string, flags ...string) {
	uidl, _, _ := strings.Cut(id[1:], "@")
	list := append(c.flags[uidl], flags...)
	slices.Sort(list)
	if list = slices.Compact(list); len(list) > 0 {
		c.flags[uidl] = list
	}
}

// shuffled gives the mail in another order.
func (c *correspondence) shuffled() []lab.Mail {
	list := slices.Clone(c.mail)
	c.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}
