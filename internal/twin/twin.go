// Package twin asks the mailbox of a maildrop over IMAP for what POP3 does not tell: true flags, keywords and arrival
// dates. Where the source offers IMAP as well, its INBOX is the maildrop's twin. The folder is only looked at (EXAMINE,
// FETCH of what marks nothing as read). Which of its messages is the one in question is told by the UIDL, where the
// server makes it of the UID, else by the header; what cannot be told from another message is not known.
//
// It is as it was when it was opened: many servers set \Seen on what POP3 retrieves, so it is to be opened before that.
package twin

import (
	"context"
	"slices"

	"github.com/pop2imap/pop2imap/internal/imap"
	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

// A Twin is a [sync.Witness]. Its methods are called from one goroutine.
type Twin struct {
	dial    func(context.Context) (*imap.Session, error)
	session *imap.Session
	folder  sync.Folder
	index   *index
	formats []*format
	lead    lead
}

var _ sync.Witness = (*Twin)(nil)

// Open logs in with dial and takes in what the folder (as the user writes it, "INBOX") holds. dial is called again when
// the line was lost since: it may be idle for as long as the maildrop takes. The errors have classes.
func Open(ctx context.Context, dial func(context.Context) (*imap.Session, error), folder string) (*Twin, error) {
	session, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	t := &Twin{dial: dial, session: session, index: newIndex()}
	if err := t.take(ctx, folder); err != nil {
		session.Close(ctx) // the first error says more
		return nil, sync.Doing(err, "read flags and dates from IMAP at the source")
	}
	return t, nil
}

func (t *Twin) take(ctx context.Context, folder string) (err error) {
	if t.folder, err = t.session.Open(ctx, folder, false); err != nil {
		return err
	}
	if err := t.session.Marks(ctx, t.folder, t.index.add); err != nil {
		return err
	}
	t.index.finish()
	t.formats = formats(t.folder.UIDValidity)
	return nil
}

// Len is the number of messages in the folder.
func (t *Twin) Len() int { return len(t.index.entries) }

// Close says LOGOUT.
func (t *Twin) Close(ctx context.Context) error { return t.session.Close(ctx) }

const (
	byUIDL   = "IMAP at the source, by UIDL"
	byHeader = "IMAP at the source, by header"
)

// bare is the fingerprint that all messages without a header have.
var bare = message.Fingerprint(nil)

// Know implements [sync.Witness]. A message is found
//
//	a  by a UIDL that holds the UID and the UIDVALIDITY of one of the same size, in a form that has proved itself;
//	b  by a UIDL that holds the UID of one with the same header, if the form holds UIDVALIDITY or has proved itself;
//	c  by its header, if no other message has the same, or all that have it have the same flags.
func (t *Twin) Know(ctx context.Context, s sync.Subject) (sync.Testimony, bool, error) {
	for _, f := range t.formats {
		e := t.index.find(f.uid(s.UIDL))
		if e != nil && f.bound && f.proved() && e.size == s.Size {
			return t.testimony(*e, byUIDL), true, nil // (a)
		}
	}
	if s.Fingerprint == bare {
		return sync.Testimony{}, false, nil
	}
	same, err := t.same(ctx, s)
	if err != nil {
		return sync.Testimony{}, false, sync.Doing(err, "read headers from IMAP at the source")
	}
	var told *entry
	for _, f := range t.formats {
		e := t.index.find(f.uid(s.UIDL))
		if e == nil {
			continue
		}
		is := slices.Contains(same, e)
		if is && told == nil && (f.bound || f.proved()) {
			told = e
		}
		if len(same) < 2 { // among several with the same header it proves nothing
			f.learn(is)
		}
	}
	if told != nil {
		return t.testimony(*told, byUIDL), true, nil // (b)
	}
	e, ok := agreed(same)
	if !ok {
		return sync.Testimony{}, false, nil
	}
	return t.testimony(e, byHeader), true, nil // (c)
}

// agreed gives what is true of all of them: the flags if they all have the same, and the date if they have that too.
func agreed(same []*entry) (e entry, ok bool) {
	for i, other := range same {
		switch {
		case i == 0:
			e = *other
		case other.flags != e.flags:
			return e, false
		case other.seconds != e.seconds:
			e.seconds = dateless
		}
	}
	return e, len(same) > 0
}

func (t *Twin) testimony(e entry, how string) sync.Testimony {
	said := sync.Testimony{Whole: true, Date: e.date()}
	if !said.Date.IsZero() {
		said.Why = "INTERNALDATE, " + how
	}
	for _, name := range t.index.sets[e.flags] {
		if name == `\Deleted` {
			said.Deleted = name + ", " + how
		} else {
			said.Flags = append(said.Flags, message.Flag{Name: name, Why: how})
		}
	}
	return said
}
