package lab

import (
	"path"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
)

// An imapSession is imapmemserver's, but for what that one does not do exactly: it re-makes headers in FETCH, and
// gives nothing of a message whose header it cannot parse.
type imapSession struct {
	*imapmemserver.UserSession // nil before login
	srv                        *IMAP
	tap                        *tap
	validity                   uint32 // of the selected folder
	examined                   bool   // and it is read-only
}

// limitedSession announces APPENDLIMIT.
type limitedSession struct{ *imapSession }

func (s limitedSession) AppendLimit() uint32 { return s.srv.o.AppendLimit }

func (s *IMAP) session(c *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
	ss := &imapSession{srv: s, tap: c.NetConn().(*tap)}
	if s.o.AppendLimit > 0 {
		return limitedSession{ss}, nil, nil
	}
	return ss, nil, nil
}

func (s *imapSession) Close() error {
	defer close(s.tap.done)
	return s.UserSession.Close()
}

func (s *imapSession) Login(user, password string) error {
	if err := s.srv.user.Login(user, password); err != nil {
		return err
	}
	s.UserSession = imapmemserver.NewUserSession(s.srv.user)
	s.tap.in = true
	return nil
}

func (s *imapSession) AuthenticateMechanisms() []string { return s.srv.o.Mechs }

func (s *imapSession) Authenticate(mechanism string) (sasl.Server, error) {
	if !offers(s.srv.o.Mechs, mechanism) {
		return nil, &imap.Error{Type: imap.StatusResponseTypeNo, Text: "unknown mechanism"}
	}
	v, err := verifier(mechanism, s.srv.o.User, s.srv.o.Password)
	return &saslLogin{v, s}, err
}

// saslLogin is a login when its exchange has come to a good end.
type saslLogin struct {
	sasl.Server
	session *imapSession
}

func (l *saslLogin) Next(response []byte) ([]byte, bool, error) {
	challenge, done, err := l.Server.Next(response)
	if err != nil {
		return nil, false, imapserver.ErrAuthFailed
	}
	if done {
		err = l.session.Login(l.session.srv.o.User, l.session.srv.o.Password)
	}
	return challenge, done, err
}

// Select answers as Dovecot does: in a folder that is only examined no flag is permanent (RFC 9051 §6.3.3).
func (s *imapSession) Select(name string, o *imap.SelectOptions) (*imap.SelectData, error) {
	data, err := s.UserSession.Select(name, o)
	if err != nil {
		return nil, err
	}
	s.validity, s.examined = data.UIDValidity, o.ReadOnly
	flags := []imap.Flag{imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted, imap.FlagSeen, imap.FlagDraft}
	for _, f := range data.Flags {
		if f = spell(f); !slices.Contains(flags, f) {
			flags = append(flags, f)
		}
	}
	data.Flags, data.PermanentFlags = flags, append(slices.Clone(flags), imap.FlagWildcard)
	if s.srv.o.Permanent != nil {
		data.PermanentFlags = s.srv.o.Permanent
	}
	if o.ReadOnly {
		data.PermanentFlags = nil
	}
	return data, nil
}

func (s *imapSession) Create(name string, o *imap.CreateOptions) error {
	if s.srv.o.RefuseCreate != nil {
		return s.srv.o.RefuseCreate
	}
	if above := path.Dir(name); s.srv.o.NoSuperiors && above != "." && !slices.Contains(s.srv.Folders(), above) {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Text: "the folder above is missing"}
	}
	s.srv.know(name)
	return s.UserSession.Create(name, o)
}

// List is imapmemserver's, which knows of no special use. It is told without being asked for (RFC 6154 §2), but not with
// the folders that are subscribed to.
func (s *imapSession) List(w *imapserver.ListWriter, ref string, patterns []string, o *imap.ListOptions) error {
	uses := s.srv.o.SpecialUse
	if len(uses) == 0 || len(patterns) == 0 || o.SelectSubscribed {
		return s.UserSession.List(w, ref, patterns, o)
	}
	for _, name := range s.srv.Folders() {
		use, special := uses[name]
		matches := func(pattern string) bool { return imapserver.MatchList(name, '/', ref, pattern) }
		if !slices.ContainsFunc(patterns, matches) || o.SelectSpecialUse && !special {
			continue
		}
		data := &imap.ListData{Mailbox: name, Delim: '/'}
		if special {
			data.Attrs = []imap.MailboxAttr{use}
		}
		if o.ReturnStatus != nil {
			data.Status, _ = s.srv.user.Status(name, o.ReturnStatus)
		}
		if err := w.WriteList(data); err != nil {
			return err
		}
	}
	return nil
}

func (s *imapSession) Rename(from, to string, o *imap.RenameOptions) error {
	s.srv.know(to)
	s.srv.boxMu.Lock()
	defer s.srv.boxMu.Unlock()
	return s.UserSession.Rename(from, to, o)
}

func (s *imapSession) Delete(name string) error {
	s.srv.boxMu.Lock()
	defer s.srv.boxMu.Unlock()
	return s.UserSession.Delete(name)
}

func (s *imapSession) Copy(set imap.NumSet, to string) (*imap.CopyData, error) {
	s.srv.boxMu.Lock()
	defer s.srv.boxMu.Unlock()
	data, err := s.UserSession.Copy(set, to)
	if err != nil {
		return nil, err
	}
	from, _ := data.SourceUIDs.Nums()
	uids, _ := data.DestUIDs.Nums()
	for i, uid := range uids {
		m := s.srv.copies[place{s.validity, from[i]}].clone()
		m.UID = uint32(uid)
		s.srv.copies[place{data.UIDValidity, uid}] = m
	}
	if !s.srv.has(imap.CapUIDPlus) || len(uids) == 0 {
		return nil, nil
	}
	return data, nil
}

// Move is not announced: COPY, STORE and EXPUNGE do it.
func (s *imapSession) Move(*imapserver.MoveWriter, imap.NumSet, string) error {
	return &imap.Error{Type: imap.StatusResponseTypeBad, Text: "MOVE is not supported"}
}

func (s *imapSession) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	if s.examined { // CLOSE too (RFC 9051 §6.4.1)
		return nil
	}
	s.srv.boxMu.Lock()
	defer s.srv.boxMu.Unlock()
	return s.UserSession.Expunge(w, uids)
}

func (s *imapSession) Store(w *imapserver.FetchWriter, set imap.NumSet, f *imap.StoreFlags, o *imap.StoreOptions) error {
	if s.examined {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Text: "the folder is read-only"}
	}
	if err := s.mark(set, f); err != nil || f.Silent {
		return err
	}
	return s.Fetch(w, set, &imap.FetchOptions{Flags: true})
}
