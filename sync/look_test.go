package sync_test

import (
	"context"
	"errors"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// A brokenJunk breaks the protocol when one looks into a folder.
type brokenJunk struct {
	sync.Destination
	gone bool
}

var errBroken = &sync.Error{Class: sync.Protocol, Err: errors.New("it babbles")}

func (b *brokenJunk) Open(ctx context.Context, folder string, create bool) (sync.Folder, error) {
	if b.gone = b.gone || folder == "Junk"; b.gone {
		return sync.Folder{}, errBroken
	}
	return b.Destination.Open(ctx, folder, create)
}

// Where a folder could not be looked into because the server went mad, nothing is known of what is in it.
func TestBrokenProtocolIsNoProofOfAbsence(t *testing.T) {
	hook := trap{}
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: hook.fate(lab.CutReply),
		SpecialUse: map[string]imap.MailboxAttr{"Junk": imap.MailboxAttrJunk}}, mail("a"))
	hook.set("APPEND", 1)
	w.run()
	if _, err := w.imap.Move("INBOX", "Junk", 1); err != nil {
		t.Fatal(err)
	}
	w.fails(w.run(func(o *sync.Options) {
		to := o.To
		o.To = func(ctx context.Context) (sync.Destination, error) {
			d, err := to(ctx)
			return &brokenJunk{Destination: d}, err
		}
	}), sync.Protocol, "")
	if got := w.phases(); got != "intent" {
		t.Errorf("got records %s", got)
	}
	w.wants(w.run(), "1 listed, 1 new, 1 recognised")
}
