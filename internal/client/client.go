// Package client reads what the old mail client knows of the messages of a maildrop: which were read, answered,
// marked and tagged. The client kept that in files: a Thunderbird profile, an mbox, a Maildir. They are only read;
// nothing is created, locked or touched. What to do with the answers is left to package sync, which declares the
// [sync.Witness] that a [Client] is.
//
// In its own files the client is believed, and nobody else. So for each mark there is a place where the client puts
// it; elsewhere in a header a sender may have written it.
//
//   - Thunderbird puts X-Account-Key, X-UIDL, X-Mozilla-Status, X-Mozilla-Status2 and X-Mozilla-Keys in front of the
//     header that it received. They are believed in a message above which stands its own "From - " line or a bare
//     "From ", from the first field on up to the first other one, the first of each; nothing else is believed there.
//   - Evolution writes X-Evolution as the last field; only there it is believed, and not in the file of an IMAP
//     server.
//   - Mail servers and the clients that share their mbox write Status, X-Status and X-Keywords at the end of the
//     header, or in the place where they stand already. The last of each is believed, where Evolution has written
//     nothing. In the file of an IMAP server (X-IMAPbase or X-IMAP in its first message) they are believed only
//     beside an X-UID that goes up, and not beyond the last one that X-IMAPbase names: without it the server has not
//     written to the message. Keywords are believed only there, and only those that X-IMAPbase lists.
//   - In a Maildir the names of the files say it, which no sender writes, and the lists of keywords that Dovecot and
//     Courier keep beside them.
//
// A date of arrival is given only from the files of a server, where it is not the time of a download: for a Maildir
// with the index of Dovecot or Courier the earlier of the time in the file's name and that of its last modification;
// for an mbox the line above a message that has no Received, whose date would be as good and has a zone.
package client

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

// A Client is what was read of the files. It does not change any more, and may be asked by several goroutines.
type Client struct {
	letters []letter
	by      map[key][]int32 // letters by UIDL, by header, by Message-ID with date
	said    map[string]*verdict
	drops   []*drop
	latest  time.Time // a later date is not believed
}

var _ sync.Witness = (*Client)(nil)

// Open reads the files at path: a Thunderbird profile or a folder of it, an mbox file, a Maildir, or a folder that
// contains such; it finds out by itself which. Of each message a few hundred octets stay in memory, whatever its
// size. An error names the file that could not be read, or says what was expected. The end of ctx stops it.
func Open(ctx context.Context, path string) (*Client, error) {
	c := &Client{by: map[key][]int32{}, said: map[string]*verdict{}, latest: time.Now().Add(24 * time.Hour)}
	if err := c.open(ctx, path); err != nil {
		return nil, err
	}
	for _, d := range c.drops {
		d.live = c.holdsOneOf(d)
	}
	return c, nil
}

// Know implements [sync.Witness]. A message is known by its UIDL if the header agrees, else by its header, else by
// Message-ID, date, size of the body and the last hop before the maildrop. If several messages of the client fit and their flags differ, it is not
// known. Of one that was moved, what is left as deleted in the old place does not count beside the one in the new,
// nor one in the trash beside one that is not there.
func (c *Client) Know(_ context.Context, s sync.Subject) (t sync.Testimony, found bool, err error) {
	for _, find := range []func(sync.Subject) []*letter{c.byUIDL, c.byHeader, c.byID} {
		if letters := find(s); len(letters) > 0 {
			t, found = agree(letters)
			return t, found, nil
		}
	}
	t, found = c.downloaded(s.UIDL)
	return t, found, nil
}

// byUIDL finds the letters with the UIDL. Those are unique in one maildrop only, and the client may have had several:
// so the header or its Message-ID must agree, where there is one.
func (c *Client) byUIDL(s sync.Subject) []*letter {
	if s.UIDL == "" {
		return nil
	}
	finger, id := fingerKey(s.Fingerprint), idKey(s.MessageID)
	return c.find(uidlKey(s.UIDL), func(l *letter) bool {
		return len(s.Header) == 0 || l.finger == finger || s.MessageID != "" && l.id == id
	})
}

// byHeader finds the letters with the same header. Those with a body of the same size are preferred; if there are
// none, the body may have been cut off or marked by the client, and only a header with a Message-ID is enough.
func (c *Client) byHeader(s sync.Subject) []*letter {
	if len(s.Header) == 0 || s.Fingerprint == noHeader {
		return nil
	}
	k, body := fingerKey(s.Fingerprint), bodySize(s)
	letters := c.find(k, func(l *letter) bool { return l.near(body) })
	if len(letters) == 0 && s.MessageID != "" {
		letters = c.find(k, func(*letter) bool { return true })
	}
	return letters
}

// noHeader is what all messages without a header share.
var noHeader = message.Fingerprint(nil)

// byID finds the letters with the same Message-ID, date and size of the body that came the same way: programs on the
// client's side add fields (Received, Delivered-To, Lines). A sender can choose all but the topmost Received, which is the
// maildrop's own: a letter that has it came through the maildrop as this very message.
func (c *Client) byID(s sync.Subject) []*letter {
	if s.MessageID == "" || len(s.Header) == 0 {
		return nil
	}
	body, hops := bodySize(s), hopsOf(s.Header)
	return c.find(datedKey(s.MessageID, dateText(s.Header)), func(l *letter) bool {
		return l.near(body) && (len(hops) == 0 || slices.Contains(l.hops, hops[0]))
	})
}

// find gives the letters of a key that fit.
func (c *Client) find(k key, fits func(*letter) bool) (letters []*letter) {
	for _, at := range c.by[k] {
		if l := &c.letters[at]; fits(l) {
			letters = append(letters, l)
		}
	}
	return letters
}

// agree is what the letters say together. found is false if their flags differ, or if nothing is known of any.
func agree(letters []*letter) (t sync.Testimony, found bool) {
	var first *letter
	for _, l := range letters {
		switch {
		case l.says == nil:
		case first == nil, l.says.remoteness() < first.says.remoteness():
			first = l
		}
	}
	if first == nil {
		return sync.Testimony{}, false
	}
	t = sync.Testimony{Flags: slices.Clone(first.says.flags), Whole: first.says.whole, Deleted: first.says.deleted,
		Date: first.date, Why: first.why}
	for _, l := range letters {
		if l.says == nil || l.says.remoteness() > first.says.remoteness() {
			continue
		}
		if l.says.names != first.says.names || l.says.whole != t.Whole {
			return sync.Testimony{}, false
		}
		if !l.date.Equal(first.date) {
			t.Date, t.Why = time.Time{}, ""
		}
	}
	return t, true
}

// A patient reader ends with its context.
type patient struct {
	ctx context.Context
	io.Reader
}

func (p patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.Reader.Read(b)
}
