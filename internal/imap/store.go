package imap

import (
	"context"
	"fmt"
	"slices"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/sync"
)

// Mark implements [sync.Destination].
func (s *Session) Mark(ctx context.Context, f sync.Folder, flags []string, uids []uint32) error {
	defer s.begin(ctx)()
	name, err := s.names.raw(f.Name)
	if err != nil {
		return err
	}
	// It stays "" until the folder is open for reading again: where it is open for writing, the CLOSE of deselect would
	// remove what has \Deleted (RFC 9051 §6.4.1).
	s.selected = ""
	now, err := s.client.Select(name, nil).Wait()
	if err != nil {
		return s.closed(f.Name, name, err)
	}
	if now.UIDValidity == 0 || now.UIDValidity == f.UIDValidity { // 0: it says so in STATUS only, see numbers
		err = s.store(f, flags, uids)
	} else {
		err = replaced(f)
	}
	if s.mux.why() != nil {
		return err
	}
	_, closing := s.examined(f.Name, name, s.examining(name))
	if closing = s.closed(f.Name, name, closing); err == nil {
		err = closing
	}
	return err
}

// store adds flags in the folder that is open for writing. What the server tells of other messages meanwhile is nothing
// to us.
func (s *Session) store(f sync.Folder, flags []string, uids []uint32) error {
	add := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true}
	for _, name := range flags {
		add.Flags = append(add.Flags, imap.Flag(name))
	}
	for set := range slices.Chunk(ranges(proper(uids)), sizesAtOnce) {
		if err := s.client.Store(set, add, nil).Close(); err != nil {
			return sync.Doing(s.fault(err), "set flags in %q", f.Name)
		}
	}
	return nil
}

// replaced is the error of a folder whose UIDs mean something else now.
func replaced(f sync.Folder) error {
	return &sync.Error{Class: sync.Temporary, Err: fmt.Errorf("the folder %q was replaced while we looked at it", f.Name),
		Remedy: "run it again"}
}
