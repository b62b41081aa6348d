package imap

import (
	"context"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/pop2imap/pop2imap/sync"
)

// A Mark is what a folder says of a message beside the message itself.
type Mark struct {
	UID   uint32
	Size  int64     // RFC822.SIZE
	Flags []string  // all that are set, \Recent too (RFC 9051 §2.3.2); those of the RFCs spelled as there
	Date  time.Time // INTERNALDATE, with its own offset; zero: the server does not say
}

// Marks calls each with every message of a folder, as the server tells of them in answer to one command, in no certain
// order. Nothing is changed. A message whose flags or size do not come with its UID is passed over: nobody knows then
// which flags it has. An error from each costs the connection: what is still to come may have no end.
func (s *Session) Marks(ctx context.Context, f sync.Folder, each func(Mark) error) error {
	defer s.begin(ctx)()
	all := imap.UIDSet{{Start: 1}} // 1:*, which of an empty folder is nothing
	return s.fetchAll(f, []imap.UIDSet{all}, &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true},
		func(m *imapclient.FetchMessageData) error {
			mark, whole := markOf(m)
			if !whole {
				return nil
			}
			if err := each(mark); err != nil {
				return s.mux.broken(err)
			}
			return nil
		})
}

// markOf reads one FETCH response to its end.
func markOf(m *imapclient.FetchMessageData) (mark Mark, whole bool) {
	flagged, sized := false, false
	for item := m.Next(); item != nil; item = m.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			mark.UID = uint32(item.UID)
		case imapclient.FetchItemDataFlags:
			flagged = true
			for _, name := range item.Flags {
				mark.Flags = append(mark.Flags, string(name))
			}
		case imapclient.FetchItemDataInternalDate:
			mark.Date = item.Time
		case imapclient.FetchItemDataRFC822Size:
			mark.Size, sized = item.Size, true
		}
	}
	return mark, flagged && sized
}
