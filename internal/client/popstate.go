package client

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

// A drop is what Thunderbird's popstate.dat says of one maildrop: which messages it has downloaded and left there.
type drop struct {
	uidls map[key]struct{}
	live  bool // a message of it is in a mailbox that was read
}

// longUIDL is how long a UIDL is that no other maildrop has by chance, in octets.
const longUIDL = 16

// readPopstate reads lines of a state, a UIDL without blanks and the seconds when it was seen first (old ones have
// none); one of "*", host and user stands before those of a maildrop, and comments begin with "#". Of the states, k
// (keep it there) and d (delete it there) are of messages that were downloaded; b (too big) and f (to be fetched) are
// of those that were not, or only their beginning.
func (c *Client) readPopstate(r io.Reader) error {
	d := &drop{uidls: map[key]struct{}{}}
	in := bufio.NewScanner(r)
	for in.Scan() {
		line := in.Text()
		switch {
		case strings.HasPrefix(line, "*"):
			c.keepDrop(d)
			d = &drop{uidls: map[key]struct{}{}}
		case strings.HasPrefix(line, "k "), strings.HasPrefix(line, "d "):
			uidl, _, _ := strings.Cut(line[2:], " ")
			d.uidls[uidlKey(uidl)] = struct{}{}
		}
	}
	c.keepDrop(d)
	if err := in.Err(); err != nil {
		return fmt.Errorf("popstate.dat: %w", err)
	}
	return nil
}

func (c *Client) keepDrop(d *drop) {
	if len(d.uidls) > 0 {
		c.drops = append(c.drops, d)
	}
}

// holdsOneOf says whether a message of a maildrop is in a mailbox that was read.
func (c *Client) holdsOneOf(d *drop) bool {
	for k := range d.uidls {
		if len(c.by[k]) > 0 {
			return true
		}
	}
	return false
}

// downloaded is what popstate.dat says of a message that is in none of the mailboxes: the user has had it, and has
// moved it elsewhere or deleted it, and so has seen it. What is still in a mailbox says itself whether it was read:
// to be downloaded is not to be read.
//
// Where the client stored the mail of that maildrop somewhere else nothing of it was read here, and no conclusion is
// drawn. With several maildrops a short UIDL could be that of another one.
func (c *Client) downloaded(uidl string) (t sync.Testimony, found bool) {
	if uidl == "" || len(c.drops) > 1 && len(uidl) < longUIDL {
		return t, false
	}
	for _, d := range c.drops {
		if _, had := d.uidls[uidlKey(uidl)]; had && d.live {
			why := "popstate.dat: downloaded, and in no mailbox of the client any more"
			return sync.Testimony{Flags: []message.Flag{{Name: `\Seen`, Why: why}}}, true
		}
	}
	return t, false
}
