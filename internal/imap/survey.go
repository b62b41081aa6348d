package imap

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/sync"
)

// What a session tells about its server. Nothing here changes anything there.

// Abilities gives the capabilities before the login, once TLS has begun, and those after it, in capitals and in
// alphabetical order.
func (s *Session) Abilities() (before, after []string) {
	return slices.Sorted(maps.Keys(s.first)), slices.Sorted(maps.Keys(s.caps))
}

// Names tells how the server writes folder names (RFC 2342): what stands between levels, "" if names are flat, and what
// stands before every name but INBOX.
func (s *Session) Names() (delimiter, prefix string) { return s.names.delimiter, s.names.prefix }

// Keeps gives the flags that the folder that was opened last keeps (RFC 9051 §7.1), with `\*` among them if it takes new
// keywords. Opened for reading only, as [Session.Open] does, many servers say that there are none, or nothing.
func (s *Session) Keeps() []string {
	if flags := s.mux.permanent.Load(); flags != nil {
		return strings.Fields(*flags)
	}
	return nil
}

// A Use is a folder with what it is for: `\Sent` (RFC 6154 §2).
type Use struct{ Use, Folder string }

// Uses gives the folders with a special use, their names as a user writes them; none if the server does not tell.
func (s *Session) Uses(ctx context.Context) (uses []Use, err error) {
	defer s.begin(ctx)()
	if !s.caps.has("SPECIAL-USE") {
		return nil, nil
	}
	cmd := s.client.List("", "*", &imap.ListOptions{SelectSpecialUse: true})
	for l := cmd.Next(); l != nil; l = cmd.Next() {
		name, ok := s.names.written(l.Mailbox)
		for _, attr := range l.Attrs {
			if ok && special[attr] {
				uses = append(uses, Use{string(attr), name})
			}
		}
	}
	if err := cmd.Close(); err != nil && !isRefusal(err) {
		return nil, sync.Doing(s.fault(err), "ask %s for folders with a special use", s.server.Host)
	}
	return uses, nil
}

var special = map[imap.MailboxAttr]bool{imap.MailboxAttrAll: true, imap.MailboxAttrArchive: true, imap.MailboxAttrDrafts: true,
	imap.MailboxAttrFlagged: true, imap.MailboxAttrJunk: true, imap.MailboxAttrSent: true, imap.MailboxAttrTrash: true}

// A Quota is a limit, and how much of it is used (RFC 9208 §5): of STORAGE in octets, of MESSAGE in messages.
type Quota struct {
	Resource    string
	Used, Limit int64
}

// Quotas gives the limits that hold for a folder; none if the server does not tell.
func (s *Session) Quotas(ctx context.Context, folder string) (quotas []Quota, err error) {
	defer s.begin(ctx)()
	if !s.caps.has("QUOTA") {
		return nil, nil
	}
	name, err := s.names.raw(folder)
	if err != nil {
		return nil, err
	}
	s.mux.quota.Store(true)
	defer s.mux.quota.Store(false)
	roots, err := s.client.GetQuotaRoot(name).Wait()
	if isRefusal(err) {
		return nil, nil
	}
	if err != nil {
		return nil, sync.Doing(s.fault(err), "ask %s for the quota", s.server.Host)
	}
	for _, root := range roots {
		for _, resource := range slices.Sorted(maps.Keys(root.Resources)) {
			r, unit := root.Resources[resource], int64(1)
			if resource == imap.QuotaResourceStorage { // in units of 1,024 octets (RFC 9208 §5.1)
				unit = 1024
			}
			quotas = append(quotas, Quota{strings.ToUpper(string(resource)), r.Usage * unit, r.Limit * unit})
		}
	}
	return quotas, nil
}
