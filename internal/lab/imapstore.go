package lab

import (
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// spell gives a flag in its standard spelling: imapmemserver has them in lower case.
func spell(f imap.Flag) imap.Flag {
	for _, known := range []imap.Flag{imap.FlagSeen, imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted,
		imap.FlagDraft, imap.FlagForwarded, imap.FlagMDNSent, imap.FlagJunk, imap.FlagNotJunk, imap.FlagPhishing,
		imap.FlagImportant} {
		if strings.EqualFold(string(f), string(known)) {
			return known
		}
	}
	return f
}

// set adds or removes a flag. Flags are kept in order, each once, in any case.
func (m *Stored) set(f imap.Flag, on bool) {
	m.Flags = slices.DeleteFunc(m.Flags, func(have string) bool { return strings.EqualFold(have, string(f)) })
	if on {
		m.Flags = append(m.Flags, string(f))
		slices.Sort(m.Flags)
	}
}

// clone gives a copy whose flags nobody else changes.
func (m *Stored) clone() *Stored {
	c := *m
	c.Flags = slices.Clone(m.Flags)
	return &c
}

// mark changes flags, in imapmemserver for SEARCH and the other sessions, and in what we keep.
func (s *imapSession) mark(set imap.NumSet, f *imap.StoreFlags) error {
	s.srv.boxMu.Lock()
	defer s.srv.boxMu.Unlock()
	hits, err := s.hits(set)
	if err != nil {
		return err
	}
	silent := *f
	silent.Silent = true
	if err := s.UserSession.Store(nil, set, &silent, &imap.StoreOptions{}); err != nil {
		return err
	}
	for _, h := range hits {
		if f.Op == imap.StoreFlagsSet {
			h.m.Flags = nil
		}
		for _, flag := range f.Flags {
			h.m.set(spell(flag), f.Op != imap.StoreFlagsDel)
		}
	}
	return nil
}

// A hit is a message of a set, with its number in this session.
type hit struct {
	seq uint32
	m   *Stored
}

// hits finds the messages of a set that this session has been told of. boxMu must be held.
func (s *imapSession) hits(set imap.NumSet) ([]hit, error) {
	var c imap.SearchCriteria
	switch set := set.(type) {
	case imap.SeqSet:
		c.SeqNum = []imap.SeqSet{set}
	case imap.UIDSet:
		c.UID = []imap.UIDSet{set}
	}
	seqs, err := s.UserSession.Search(imapserver.NumKindSeq, &c, &imap.SearchOptions{})
	if err != nil {
		return nil, err
	}
	uids, err := s.UserSession.Search(imapserver.NumKindUID, &c, &imap.SearchOptions{})
	if err != nil {
		return nil, err
	}
	ids := numbers(uids)
	var list []hit
	for i, seq := range numbers(seqs) { // ids may go on: messages that are new and not yet announced
		list = append(list, hit{seq, s.srv.copies[place{s.validity, imap.UID(ids[i])}]})
	}
	return list, nil
}

// numbers gives what was found, one by one.
func numbers(found *imap.SearchData) []uint32 {
	var list []uint32
	switch set := found.All.(type) {
	case imap.SeqSet:
		list, _ = set.Nums()
	case imap.UIDSet:
		uids, _ := set.Nums()
		for _, uid := range uids {
			list = append(list, uint32(uid))
		}
	}
	return list
}

func (s *IMAP) know(folder string) {
	s.boxMu.Lock()
	defer s.boxMu.Unlock()
	s.folders[strings.TrimRight(folder, "/")] = true
}

// Folders gives the names of the folders there are, sorted.
func (s *IMAP) Folders() []string {
	s.boxMu.Lock()
	defer s.boxMu.Unlock()
	var list []string
	for name := range s.folders {
		if _, err := s.user.Status(name, &imap.StatusOptions{}); err == nil {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// Messages gives what is in a folder, in order of UID. It goes behind the protocol's back: no connection, no flag
// changed. The error says that there is no such folder.
func (s *IMAP) Messages(folder string) ([]Stored, error) {
	s.boxMu.Lock()
	defer s.boxMu.Unlock()
	return s.messages(folder)
}

// messages is Messages. boxMu must be held.
func (s *IMAP) messages(folder string) ([]Stored, error) {
	view := imapmemserver.NewUserSession(s.user)
	data, err := view.Select(folder, &imap.SelectOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer view.Close()
	found, err := view.Search(imapserver.NumKindUID, &imap.SearchCriteria{}, &imap.SearchOptions{})
	if err != nil {
		return nil, err
	}
	var list []Stored
	for _, uid := range numbers(found) {
		list = append(list, *s.copies[place{data.UIDValidity, imap.UID(uid)}].clone())
	}
	return list, nil
}
