package imap

import (
	"context"
	"strings"

	"github.com/pop2imap/pop2imap/sync"
)

// Permanent implements [sync.Destination]. To EXAMINE, Dovecot, Cyrus and Courier say PERMANENTFLAGS (), because nothing
// can be changed in a folder that is open for reading (RFC 9051 §6.3.3): it takes a SELECT. The EXAMINE behind it leaves the
// folder as it was found, without the EXPUNGE that a CLOSE would be (RFC 9051 §6.3.2, §6.4.1).
func (s *Session) Permanent(ctx context.Context, f sync.Folder) (flags []string, err error) {
	defer s.begin(ctx)()
	name, err := s.names.raw(f.Name)
	if err != nil {
		return nil, err
	}
	s.selected = "" // as it is if this fails
	s.mux.permanent.Store(nil)
	_, err = s.client.Select(name, nil).Wait()
	if err != nil && !isRefusal(err) {
		return nil, s.fault(err)
	}
	if said := s.mux.permanent.Load(); err == nil && said != nil {
		flags = strings.Fields(*said)
	}
	if _, err := s.reopen(f); err != nil {
		return nil, err
	}
	return flags, nil
}
