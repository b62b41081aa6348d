// Package imap is a login at an IMAP server (RFC 3501, RFC 9051) that mail is appended to. Commands with small answers
// go through go-imap's imapclient; what it has not (an APPEND whose literal need not wait, a refusal that does not cost
// the connection, limits, time) is done here, on the same connection: see mux.go. It knows nothing of POP3, of the
// state, or of what has been copied before.
package imap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// A Login says who we are. Auth is "" for the strongest that both sides offer, or one of the names in SPEC §2.
type Login struct {
	User, Password string
	Auth           string

	// Clear is set when a server agrees to compression and is not understood then: sessions that share it go on without. nil
	// is not remembered.
	Clear *atomic.Bool
}

// A Session is a connection that is logged in. See [sync.Destination] for the contract of its methods.
type Session struct {
	server wire.Server
	w      *wire.Conn
	mux    *mux
	client *imapclient.Client
	caps   capabilities
	first  capabilities // before the login, and within TLS if there is any
	names  naming
	out    *sender

	clear   *atomic.Bool // see Login
	unnamed atomic.Bool  // a message came in an order in which it may be lost, see overlooked

	selected string          // the folder that is EXAMINEd; "": none
	sure     bool            // the server takes messages for the folder that is
	shy      bool            // it does not
	asked    bool            // for compression
	unsticky map[string]bool // folders whose UIDs mean nothing later
	mute     map[string]bool // folders whose UIDVALIDITY EXAMINE does not tell
}

var _ sync.Destination = (*Session)(nil)

// Dial connects, protects the connection as s asks, and logs in. The errors have classes.
func Dial(ctx context.Context, s wire.Server, l Login) (*Session, error) {
	return dial(ctx, s, l, chatterMax)
}

func dial(ctx context.Context, s wire.Server, l Login, chatter int64) (*Session, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	w, err := wire.Dial(ctx, s)
	if err != nil {
		return nil, err
	}
	ss := &Session{server: s, w: w, clear: l.Clear, out: newSender(w), unsticky: map[string]bool{}, mute: map[string]bool{}}
	defer w.Bind(ctx)()
	if err := ss.open(ctx, l, chatter); err != nil {
		ss.drop()
		return nil, err
	}
	return ss, nil
}

func (s *Session) open(ctx context.Context, l Login, chatter int64) (err error) {
	g := &gate{w: s.w, server: s.server, login: l}
	if err := g.pass(ctx); err != nil {
		return err
	}
	s.caps, s.first = g.caps, g.first
	// What was written and not yet delivered when we die must not arrive later: an APPEND that nobody waits for any
	// more would be stored behind the back of the next run (docs/design.md, "The lost reply").
	s.w.Linger(false)
	// imapclient is told no more than it needs: with IMAP4rev2 it would write mailbox names in a form that a server
	// takes only after ENABLE (RFC 9051 §6.3.1), and that Append does not write.
	s.mux = newMux(s.w, g.veil, "* PREAUTH [CAPABILITY IMAP4rev1] go on\r\n", chatter)
	s.client = imapclient.New(s.mux, &imapclient.Options{
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{Fetch: s.overlooked}})
	if err := s.client.WaitGreeting(); err != nil {
		return s.fault(err)
	}
	err = s.introduce()
	s.mux.expect(false)
	return err
}

// introduce asks how names are written. Before that it gives ours: some (163.com) serve nobody who has not (RFC 2971).
func (s *Session) introduce() (err error) {
	var id *imapclient.IDCommand
	if s.caps.has("ID") {
		id = s.client.ID(&imap.IDData{Name: "pop2imap"})
	}
	if s.names, err = s.namespace(); err != nil || id == nil {
		return err
	}
	if _, err := id.Wait(); err != nil && !isRefusal(err) {
		return s.fault(err)
	}
	return nil
}

// begin opens a step: an answer is awaited now, and the end of ctx ends the wait. The caller must call the result.
func (s *Session) begin(ctx context.Context) (end func()) {
	release := s.w.Bind(ctx)
	s.mux.expect(true)
	return func() {
		s.mux.expect(false)
		release()
	}
}

// fault gives an error of imapclient its class: a server's NO is a refusal; anything else has cost the connection,
// and the mux may know why.
func (s *Session) fault(err error) error {
	if e, ok := errors.AsType[*imap.Error](err); ok {
		text := e.Text
		if e.Code != "" {
			text = "[" + string(e.Code) + "] " + text
		}
		return refusal(sync.Unavailable, string(e.Type), s.mux.veil.over(text))
	}
	s.client.Close() // returns when nobody reads any more: then it is known why
	if why := s.mux.why(); why != nil {
		return why
	}
	words := sync.Clean(s.mux.veil.over(err.Error())) // which may quote the server
	return &sync.Error{Class: sync.Protocol, Err: fmt.Errorf("cannot understand %s: %s", s.server.Host, words)}
}

// Close says LOGOUT. The answer tells nothing that we need, and is not waited for: what was stored was answered before.
func (s *Session) Close(ctx context.Context) error {
	defer s.begin(ctx)()
	defer s.drop()
	if s.mux.why() == nil && s.mux.answered() {
		s.w.Linger(true)
		s.client.Logout()
	}
	return nil
}

func (s *Session) drop() {
	if s.client != nil {
		s.client.Close()
	}
	s.w.Close()
}

// capabilities are upper-case names; those with a value, such as APPENDLIMIT=35882577, have it behind the "=".
type capabilities map[string]bool

func parseCapabilities(list string) capabilities {
	caps := capabilities{}
	for _, name := range strings.Fields(strings.ToUpper(list)) {
		caps[name] = true
	}
	return caps
}

func (c capabilities) has(name string) bool { return c[name] }

// values gives what stands behind NAME= in each capability of that name.
func (c capabilities) values(name string) (list []string) {
	for full := range c {
		if v, ok := strings.CutPrefix(full, name+"="); ok {
			list = append(list, v)
		}
	}
	return list
}
