package imap

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/pop2imap/pop2imap/sync"
)

// naming is how the server writes folder names.
type naming struct {
	delimiter string // between levels; "" if names are flat
	prefix    string // before every name but INBOX, such as Courier's "INBOX."
}

// namespace asks how names are written (RFC 2342); without NAMESPACE, LIST tells the delimiter (RFC 9051 §6.3.9).
func (s *Session) namespace() (naming, error) {
	if s.caps.has("NAMESPACE") {
		data, err := s.client.Namespace().Wait()
		if err == nil && len(data.Personal) > 0 {
			return naming{level(data.Personal[0].Delim), data.Personal[0].Prefix}, nil
		}
		if err != nil && !isRefusal(err) {
			return naming{}, s.fault(err)
		}
	}
	cmd := s.client.List("", "", nil)
	var n naming
	for l := cmd.Next(); l != nil; l = cmd.Next() {
		n.delimiter = level(l.Delim)
	}
	if err := cmd.Close(); err != nil {
		return naming{}, sync.Doing(s.fault(err), "ask %s how it writes folder names", s.server.Host)
	}
	return n, nil
}

func level(delimiter rune) string {
	if delimiter == 0 {
		return ""
	}
	return string(delimiter)
}

func isRefusal(err error) bool {
	_, ok := errors.AsType[*imap.Error](err)
	return ok
}

// raw gives the server's name of a folder. It refuses what would become another folder than the user meant.
func (n naming) raw(folder string) (string, error) {
	bad := func(why string) (string, error) {
		return "", &sync.Error{Class: sync.Config, Err: fmt.Errorf("folder %.100q: %s", folder, why),
			Remedy: "choose another name with --folder"}
	}
	levels := strings.Split(strings.Trim(folder, "/"), "/")
	if strings.EqualFold(levels[0], "INBOX") {
		levels[0] = "INBOX" // in any case (RFC 9051 §5.1)
	}
	for _, l := range levels {
		switch {
		case l == "":
			return bad("a level of it has no name")
		case strings.ContainsFunc(l, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }):
			return bad("control characters and invalid UTF-8 cannot stand in a name")
		case n.delimiter != "" && n.delimiter != "/" && strings.Contains(l, n.delimiter):
			return bad(fmt.Sprintf("this server divides levels by %q, which can therefore not stand in a name", n.delimiter))
		case n.delimiter == "" && len(levels) > 1:
			return bad("this server has no folders in folders")
		}
	}
	name := strings.Join(levels, n.delimiter)
	if name != "INBOX" && !strings.HasPrefix(name, n.prefix) {
		name = n.prefix + name
	}
	if len(encodeName(name)) > nameMax {
		return bad("it is too long")
	}
	return name, nil
}

// spellings gives the names that raw takes for the same, the one without the prefix first.
func (n naming) spellings(folder string) []string {
	name, err := n.raw(folder)
	if err != nil || name == "INBOX" || n.prefix == "" {
		return []string{folder}
	}
	levels := func(name string) string {
		if n.delimiter == "" {
			return name
		}
		return strings.ReplaceAll(name, n.delimiter, "/")
	}
	list := []string{levels(name)}
	if short, ok := n.written(name); ok && short != list[0] {
		list = []string{short, list[0]}
	}
	return list
}

// Spellings implements [sync.Destination].
func (s *Session) Spellings(folder string) []string { return s.names.spellings(folder) }

// nameMax is in octets on the wire. Servers allow 255 to 1,000 or so; beyond 4,096 imapclient would send a literal.
const nameMax = 2000

// Open looks at a folder with EXAMINE; a missing one is created and subscribed to if create is set.
func (s *Session) Open(ctx context.Context, folder string, create bool) (sync.Folder, error) {
	defer s.begin(ctx)()
	name, err := s.names.raw(folder)
	if err != nil {
		return sync.Folder{}, err
	}
	f, err := s.examined(folder, name, s.examining(name))
	if create && isRefusal(err) && mayBeMissing(s.fault(err)) {
		f, err := s.create(folder, name, s.useOf(folder))
		if (isClass(err, sync.Config) || isClass(err, sync.Missing)) && s.createAbove(name) {
			f, err = s.create(folder, name, s.useOf(folder))
		}
		return f, err
	}
	if create && err == nil && f.UIDNext == 1 {
		f, err = s.fresh(folder, name)
	}
	return f, s.closed(folder, name, err)
}

// fresh opens a folder that never held a message. Courier gives such a one another UIDVALIDITY each second that it is
// EXAMINEd in, until somebody SELECTs it. Then we leave that again, as examining says.
func (s *Session) fresh(folder, name string) (sync.Folder, error) {
	selected := s.client.Select(name, nil)
	examined := s.examining(name)
	if _, err := selected.Wait(); err != nil && !isRefusal(err) {
		return sync.Folder{}, err
	}
	return s.examined(folder, name, examined)
}

func isClass(err error, c sync.Class) bool { return sync.ClassOf(err) == c }

// examining asks to open a folder for reading. Nothing in it changes, not even \Recent.
func (s *Session) examining(name string) *imapclient.SelectCommand {
	s.mux.unsticky.Store(false)
	s.mux.permanent.Store(nil)
	s.selected = "" // as it is if this fails (RFC 9051 §6.3.2)
	return s.client.Select(name, &imap.SelectOptions{ReadOnly: true})
}

// examined waits until it is open. An error of asked comes as it is.
func (s *Session) examined(folder, name string, asked *imapclient.SelectCommand) (sync.Folder, error) {
	f := sync.Folder{Name: folder}
	data, err := asked.Wait()
	if err != nil {
		return f, err
	}
	s.selected, s.unsticky[folder] = folder, s.mux.unsticky.Load()
	f.UIDValidity, f.UIDNext = data.UIDValidity, uint32(data.UIDNext)
	s.mute[folder] = f.UIDValidity == 0
	if f.UIDValidity == 0 || f.UIDNext == 0 {
		if err := s.numbers(&f, name); err != nil {
			return f, err
		}
	}
	f.AppendLimit, err = s.appendLimit(name)
	return f, err
}

// numbers asks with STATUS for what EXAMINE did not say (RFC 9051 §6.3.11). A server that refuses says nothing.
func (s *Session) numbers(f *sync.Folder, name string) error {
	data, err := s.client.Status(name, &imap.StatusOptions{UIDNext: true, UIDValidity: true}).Wait()
	switch {
	case isRefusal(err):
		return nil
	case err != nil:
		return s.fault(err)
	case f.UIDValidity == 0:
		f.UIDValidity = data.UIDValidity
	}
	if f.UIDNext == 0 && f.UIDValidity == data.UIDValidity {
		f.UIDNext = uint32(data.UIDNext)
	}
	return nil
}

// closed says why a folder cannot be opened: because there is none, or because we may not. Servers rarely say which.
func (s *Session) closed(folder, name string, err error) error {
	if _, ours := classed(err); err == nil || ours {
		return err
	}
	refused := s.fault(err)
	e, ok := classed(refused)
	if ok && isRefusal(err) {
		e.Err = fmt.Errorf("cannot open the folder %q on %s", folder, s.server.Host)
		if e.Class == sync.Unavailable && mayBeMissing(e) {
			there, listErr := s.listed(name)
			if listErr != nil {
				return listErr
			}
			if !there {
				e.Class = sync.Missing
			}
		}
	}
	return refused
}

// mayBeMissing says whether what a server says to EXAMINE can mean that there is no such folder.
func mayBeMissing(err error) bool {
	e, ok := classed(err)
	return ok && (e.Class == sync.Missing || e.Class == sync.Unavailable && e.Code != "NOPERM")
}

// listed says whether there is a folder that holds mail. To LIST, a name with "*" or "%" is one for many.
func (s *Session) listed(name string) (there bool, err error) {
	cmd := s.client.List("", name, nil)
	for l := cmd.Next(); l != nil; l = cmd.Next() { // however many there are, none is kept
		there = there || l.Mailbox == name && holdsMail(l)
	}
	if err := cmd.Close(); err != nil {
		return false, s.fault(err)
	}
	return there, nil
}

func holdsMail(l *imap.ListData) bool {
	return !slices.Contains(l.Attrs, imap.MailboxAttrNoSelect) && !slices.Contains(l.Attrs, imap.MailboxAttrNonExistent)
}

// create makes a folder, subscribes to it, so that mail programs show it, and opens it. One whose name says what it is for
// is marked as that, if the server lets us (RFC 6154 §3): it may have another such folder already.
func (s *Session) create(folder, name string, use []imap.MailboxAttr) (sync.Folder, error) {
	creating := s.client.Create(name, &imap.CreateOptions{SpecialUse: use})
	subscribing, examining := s.client.Subscribe(name), s.examining(name)
	created, subscribed := creating.Wait(), subscribing.Wait()
	f, err := s.examined(folder, name, examining)
	switch {
	case created == nil:
		f.Created = true
	case !isRefusal(created):
		return f, s.fault(created)
	case use != nil && isRefusal(err):
		return s.create(folder, name, nil)
	}
	if err = s.closed(folder, name, err); created != nil && isClass(err, sync.Missing) {
		return f, s.uncreated(folder, created, err)
	}
	if err == nil && subscribed != nil && !isRefusal(subscribed) { // a server may have no subscriptions
		err = s.fault(subscribed)
	}
	return f, err
}

// createAbove makes the folders above one, the topmost first. A server only should do that itself (RFC 9051 §6.3.4).
func (s *Session) createAbove(name string) (made bool) {
	if s.names.delimiter == "" {
		return false
	}
	for i := len(s.names.prefix); i < len(name); i++ {
		if above := name[:i]; strings.HasPrefix(name[i:], s.names.delimiter) && above != "INBOX" {
			made = s.client.Create(above, nil).Wait() == nil || made
		}
	}
	return made
}

// uncreated says why there is still no folder; missing is what EXAMINE said to that.
func (s *Session) uncreated(folder string, refused, missing error) error {
	e := s.fault(refused).(*sync.Error)
	if e.Code == "ALREADYEXISTS" { // the server does not agree with itself
		return missing
	}
	e.Err = fmt.Errorf("cannot create the folder %q on %s", folder, s.server.Host)
	if e.Class == sync.Unavailable {
		e.Class = sync.Config
		e.Remedy = "create it with your mail program, or choose another with --folder"
	}
	return e
}

// appendLimit gives the largest message that can be appended (RFC 7889), or 0.
func (s *Session) appendLimit(name string) (int64, error) {
	for _, v := range s.caps.values("APPENDLIMIT") {
		if n, err := strconv.ParseInt(v, 10, 63); err == nil {
			return n, nil
		}
	}
	if !s.caps.has("APPENDLIMIT") {
		return 0, nil
	}
	data, err := s.client.Status(name, &imap.StatusOptions{AppendLimit: true}).Wait() // it differs among folders
	switch {
	case isRefusal(err):
		return 0, nil
	case err != nil:
		return 0, s.fault(err)
	case data.AppendLimit == nil, *data.AppendLimit == math.MaxUint32: // that is imapclient's word for NIL
		return 0, nil
	}
	return int64(*data.AppendLimit), nil
}
