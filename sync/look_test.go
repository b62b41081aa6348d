package sync_test

import (
	"context"
	"errors"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// verifies is one run of pop2imap verify. It gives the UIDLs of what was not found.
func (w *world) verifies(change ...func(*sync.Options)) (v sync.Verification, absent string) {
	w.Helper()
	memory, done := w.Memory()
	defer done()
	o := w.Options()
	o.State = memory
	for _, c := range change {
		c(&o)
	}
	ctx, cancel := context.WithTimeout(w.Context(), 30*time.Second)
	defer cancel()
	v = sync.Verify(ctx, o, func(rec state.Record) { absent += rec.UIDL })
	return v, absent
}

// A server that hangs up over one message and another: what was read is not read again, and the end comes.
func TestVerifyOnALineThatBreaks(t *testing.T) {
	for name, c := range map[string]struct {
		ever bool
		want sync.Verification
	}{"once in a session": {false, sync.Verification{Proved: 350}}, "always at one message": {true, sync.Verification{}}} {
		t.Run(name, func(t *testing.T) {
			var mu stdsync.Mutex // a session may not have ended yet when the next one begins
			reads, broken := map[int]int{}, false
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: func(session int, command string) lab.Fate {
				mu.Lock()
				defer mu.Unlock()
				if !broken || !strings.HasPrefix(command, "UID FETCH") || !strings.Contains(command, "BODY.PEEK[]") {
					return lab.Execute
				}
				if reads[session]++; reads[session] == 2 || c.ever && strings.Contains(command, "101") {
					return lab.Cut
				}
				return lab.Execute
			}}, many(350, 0)...)
			w.wants(w.run(), "350 listed, 350 new, 350 copied")
			mu.Lock()
			broken = true
			mu.Unlock()
			v, _ := w.verifies(func(o *sync.Options) { o.Verify, o.Patience = sync.ByDigest, 4*time.Second })
			if c.ever {
				if sync.ClassOf(v.Err) != sync.Temporary {
					t.Errorf("got %v, want it to give up", v.Err)
				}
			} else if v != c.want {
				t.Errorf("got %+v, want %+v", v, c.want)
			}
		})
	}
}

// A folder that was made anew has all its messages under other numbers, however many there are.
func TestManyMessagesUnderOtherNumbers(t *testing.T) {
	all := many(2500, 0)
	for i := range all {
		all[i] = anonymous(all[i].UIDL) // without a Message-ID, and all of the same size
	}
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, all...)
	w.wants(w.run(func(o *sync.Options) { o.Verify = sync.Unproved }), "2500 listed, 2500 new, 2500 copied")
	if err := w.IMAP.Renumber("INBOX"); err != nil {
		t.Fatal(err)
	}
	if v, absent := w.verifies(); v != (sync.Verification{Proved: 2500}) || absent != "" {
		t.Errorf("got %+v, and was told of %q", v, absent)
	}
}

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
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: hook.Fate(lab.CutReply),
		SpecialUse: map[string]imap.MailboxAttr{"Junk": imap.MailboxAttrJunk}}, mail("a"))
	hook.Set("APPEND", 1)
	w.run()
	if _, err := w.IMAP.Move("INBOX", "Junk", 1); err != nil {
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
