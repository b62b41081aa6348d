package imap

import (
	"context"
	"fmt"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/pop2imap/pop2imap/sync"
)

// Mark implements [sync.Destination]. The folder stays open for writing, which s.selected does not say: then nothing
// leaves it by CLOSE, which would remove what has \Deleted (RFC 9051 §6.4.1).
func (s *Session) Mark(ctx context.Context, f sync.Folder, list []sync.Marking) []error {
	defer s.begin(ctx)()
	errs := make([]error, len(list))
	if err := s.openToWrite(f); err != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	waiting := make([][]*imapclient.FetchCommand, len(list))
	for i, m := range list {
		waiting[i] = s.store(m)
	}
	for i, commands := range waiting {
		for _, cmd := range commands {
			if err := cmd.Close(); err != nil && errs[i] == nil {
				errs[i] = sync.Doing(s.fault(err), "set flags in %q", f.Name)
			}
		}
	}
	return errs
}

// openToWrite opens a folder with SELECT. Its UIDs must still mean the same.
func (s *Session) openToWrite(f sync.Folder) error {
	name, err := s.names.raw(f.Name)
	if err != nil {
		return err
	}
	s.selected = ""
	now, err := s.client.Select(name, nil).Wait()
	if err != nil {
		return s.closed(f.Name, name, err)
	}
	if now.UIDValidity != 0 && now.UIDValidity != f.UIDValidity { // 0: it says so in STATUS only, see numbers
		return replaced(f)
	}
	return nil
}

// store asks to add flags in the folder that is open for writing.
func (s *Session) store(m sync.Marking) (waiting []*imapclient.FetchCommand) {
	add := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true}
	for _, name := range m.Flags {
		add.Flags = append(add.Flags, imap.Flag(name))
	}
	for set := range slices.Chunk(ranges(proper(m.UIDs)), sizesAtOnce) {
		waiting = append(waiting, s.client.Store(set, add, nil))
	}
	return waiting
}

// replaced is the error of a folder whose UIDs mean something else now.
func replaced(f sync.Folder) error {
	return &sync.Error{Class: sync.Temporary, Err: fmt.Errorf("the folder %q was replaced while we looked at it", f.Name),
		Remedy: "run it again: it works on the new one"}
}
