package imap

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/sync"
)

// elsewhere are the uses of folders into which a filter puts what was not meant for them (RFC 6154 §2).
var elsewhere = []imap.MailboxAttr{imap.MailboxAttrAll, imap.MailboxAttrArchive, imap.MailboxAttrJunk, imap.MailboxAttrTrash}

// Elsewhere implements [sync.Destination].
func (s *Session) Elsewhere(ctx context.Context) ([]string, error) {
	defer s.begin(ctx)()
	return s.used(elsewhere...)
}

// used gives the folders that have one of these uses, if the server tells.
func (s *Session) used(uses ...imap.MailboxAttr) (names []string, err error) {
	if !s.caps.has("SPECIAL-USE") {
		return nil, nil
	}
	cmd := s.client.List("", "*", &imap.ListOptions{SelectSpecialUse: true}) // RFC 6154 §3
	for l := cmd.Next(); l != nil; l = cmd.Next() {
		special := slices.ContainsFunc(l.Attrs, func(a imap.MailboxAttr) bool {
			return slices.ContainsFunc(uses, func(b imap.MailboxAttr) bool { return strings.EqualFold(string(a), string(b)) })
		})
		if name, ok := s.names.written(l.Mailbox); ok && special && holdsMail(l) {
			names = append(names, name)
		}
	}
	switch err := cmd.Close(); {
	case isRefusal(err):
		return nil, nil
	case err != nil:
		return nil, sync.Doing(s.fault(err), "ask %s for folders with a special use", s.server.Host)
	}
	return names, nil
}

// written is the inverse of raw: how a user writes the server's name of a folder. Not every name can be written so.
func (n naming) written(name string) (string, bool) {
	folder := name
	if name != "INBOX" {
		folder = strings.TrimPrefix(name, n.prefix)
	}
	if n.delimiter != "" && n.delimiter != "/" {
		if strings.Contains(folder, "/") {
			return "", false
		}
		folder = strings.ReplaceAll(folder, n.delimiter, "/")
	}
	again, err := n.raw(folder)
	return folder, err == nil && again == name
}

// listLine finds the name in a LIST response (RFC 3501 §7.2.2) that has it quoted or as an atom.
var listLine = regexp.MustCompile(`(?i)^\* LIST \([^()]*\) (?:NIL|"(?:[^"\\]|\\.)") (?:"((?:[^"\\]|\\.)*)"|([^ "{}()]+))(?: |\r|$)`)

// illegible says whether a LIST response names a folder in a way that nobody can take back: imapclient would give up.
func illegible(line string) bool {
	m := listLine.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	name := m[2] + quotedPair.ReplaceAllString(m[1], "$1")
	_, ok := decodeName(name)
	return !ok
}

var quotedPair = regexp.MustCompile(`\\(.)`)
