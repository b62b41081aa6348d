package lab

import (
	"fmt"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// What is in this file changes folders behind the protocol's back, as filters, other clients and administrators do.
// Sessions are told as of any change. Each may be called from a Hook.

// An order is an APPEND that is to be executed later.
type order struct {
	folder string
	batch  []parcel
}

// Commit stores what CutLate has left open, in order. An APPEND is open before its client can see its line cut.
func (s *IMAP) Commit() error {
	s.boxMu.Lock()
	defer s.boxMu.Unlock()
	for len(s.late) > 0 {
		o := s.late[0]
		s.late = s.late[1:]
		if _, err := s.deliver(o.folder, o.batch); err != nil {
			return err
		}
	}
	return nil
}

// Put stores a message that nobody appended. A zero date is now. Raw is not copied.
func (s *IMAP) Put(folder string, raw []byte, flags []string, date time.Time) (uid uint32, err error) {
	s.boxMu.Lock()
	defer s.boxMu.Unlock()
	return s.put(folder, &Stored{Raw: raw, Flags: flags, Date: date})
}

// put stores a message as it is. boxMu must be held.
func (s *IMAP) put(folder string, m *Stored) (uid uint32, err error) {
	p := parcel{raw: m.Raw, date: m.Date}
	for _, f := range m.Flags {
		p.flags = append(p.flags, imap.Flag(f))
	}
	data, err := s.deliver(folder, []parcel{p})
	if err != nil {
		return 0, err
	}
	return uint32(data.UID), nil
}

// Remove takes a message out of a folder. Without the message there is nothing to be done, and no error.
func (s *IMAP) Remove(folder string, uid uint32) error {
	s.boxMu.Lock()
	defer s.boxMu.Unlock()
	return s.drop(folder, imap.UID(uid), 1)
}

// drop removes n messages, from a UID on. boxMu must be held.
func (s *IMAP) drop(folder string, first imap.UID, n int) error {
	view := imapmemserver.NewUserSession(s.user)
	if _, err := view.Select(folder, &imap.SelectOptions{}); err != nil {
		return err
	}
	defer view.Close()
	set := imap.UIDSet{{Start: first, Stop: first + imap.UID(n) - 1}}
	deleted := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}, Silent: true}
	if err := view.Store(nil, set, deleted, &imap.StoreOptions{}); err != nil {
		return err
	}
	return view.Expunge(nil, &set)
}

// Move takes a message from one folder to the end of another, where it has another UID, as a filter does that sorts
// mail. Both folders and the message must be there.
func (s *IMAP) Move(from, to string, uid uint32) (now uint32, err error) {
	s.boxMu.Lock()
	defer s.boxMu.Unlock()
	list, err := s.messages(from)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(list, func(m Stored) bool { return m.UID == uid })
	if i < 0 {
		return 0, fmt.Errorf("move from %s: there is no UID %d", from, uid)
	}
	if now, err = s.put(to, &list[i]); err != nil {
		return 0, err
	}
	return now, s.drop(from, imap.UID(uid), 1)
}

// Renumber gives a folder a new UIDVALIDITY and its messages the UIDs from 1, as restoring a backup does. Who has it
// selected goes on with what was there before.
func (s *IMAP) Renumber(folder string) error {
	s.boxMu.Lock()
	defer s.boxMu.Unlock()
	list, err := s.messages(folder)
	if err != nil {
		return err
	}
	if err := s.user.Delete(folder); err != nil {
		return err
	}
	if err := s.user.Create(folder, nil); err != nil {
		return err
	}
	for _, m := range list {
		if _, err := s.put(folder, &m); err != nil {
			return err
		}
	}
	return nil
}
