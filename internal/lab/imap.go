package lab

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// IMAPOptions say how an IMAP server behaves. The zero value of each other field is a server that does all it can, in
// cleartext, with LOGIN only.
type IMAPOptions struct {
	User, Password string      // with XOAUTH2 and OAUTHBEARER Password is the token
	TLS            *tls.Config // STARTTLS is offered with it; nil: no TLS
	Implicit       bool        // TLS from the first byte instead
	Mechs          []string    // SASL mechanisms, as in POP3Options
	Without        []imap.Cap  // of IMAPCaps; without UIDPLUS there is no APPENDUID either

	// AppendLimit is the largest message in octets, announced as APPENDLIMIT=n (RFC 7889); 0: none is announced. The
	// answer to a larger one is NO [TOOBIG], before its literal; the hook does not see it. A RefuseAppend that looks at
	// the size refuses unannounced, and after the literal.
	AppendLimit uint32

	// RefuseAppend, if not nil, sees each message before it is stored. What it returns is the answer instead:
	// an *imap.Error as it is.
	RefuseAppend func(size int64, raw []byte) error

	// RefuseHead, if not nil, is RefuseAppend for what stands in front of each message. A zero date is none.
	RefuseHead func(flags []string, date time.Time) error

	// Permanent is what SELECT says that a folder keeps of the flags, PERMANENTFLAGS (RFC 9051 §7.1). What else a message is
	// appended with is lost. Nil: all, and that keywords can be created.
	Permanent []imap.Flag

	OwnDates bool // INTERNALDATE is when a message was stored, whatever APPEND says

	// Alter, if not nil, makes of each message that is appended what is stored. The octets it gets are not to be changed.
	Alter func(raw []byte) []byte

	RefuseCreate error // the answer to CREATE; nil: the folder is made
	NoSuperiors  bool  // CREATE is refused where the folder above is missing

	// SpecialUse are folders that are there from the start, and what LIST says that they are for (RFC 6154).
	SpecialUse map[string]imap.MailboxAttr

	// Hook, if not nil, sees each command when its last octet has come, and before it is executed, spelled as in
	// Commands: without its tag and its literals. Sessions count from 1. It is called from the goroutine of its session:
	// while it waits, a server works that is slow, even if its client is gone.
	Hook func(session int, command string) Fate
}

// Fate is what becomes of a command.
type Fate int

const (
	Execute  Fate = iota
	Cut           // the line is cut and nothing executed
	CutReply      // executed, but the line is cut before the reply
	CutLate       // an APPEND: as CutReply, but not executed before Commit; any other command: as CutReply
	Lie           // an APPEND: the answer is OK, but nothing is there afterwards; any other command: as Execute
)

// IMAPCaps are the capabilities that IMAPOptions.Without can take away. The others come with imapserver.
var IMAPCaps = []imap.Cap{imap.CapNamespace, imap.CapUIDPlus, imap.CapESearch, imap.CapListExtended,
	imap.CapListStatus, imap.CapStatusSize, imap.CapLiteralPlus, imap.CapMultiAppend}

// An IMAP is a server with one account, in which INBOX exists. "/" is the delimiter.
type IMAP struct {
	*door
	journal
	o      IMAPOptions
	arrive *feed
	user   *imapmemserver.User

	boxMu   sync.Mutex        // keeps user and what follows in step
	folders map[string]bool   // every name there has been
	copies  map[place]*Stored // every message there has been
	late    []order           // what Commit is to store
}

// place is a message's identity (RFC 9051 §2.3.1.1); UIDVALIDITY is unique among the folders here.
type place struct {
	validity uint32
	uid      imap.UID
}

// Stored is a message in a folder.
type Stored struct {
	UID   uint32
	Raw   []byte // exactly the literal of APPEND, or what Alter made of it
	Flags []string
	Date  time.Time // INTERNALDATE: to the second, with its offset
	Size  int64     // RFC822.SIZE
}

// StartIMAP starts a server. It listens until Close.
func StartIMAP(o IMAPOptions) (*IMAP, error) {
	d, err := openDoorWith(o.Mechs, o.User, o.Password)
	if err != nil {
		return nil, err
	}
	s := &IMAP{door: d, o: o, arrive: newFeed(d.ln.Addr()), user: imapmemserver.NewUser(o.User, o.Password),
		folders: make(map[string]bool), copies: make(map[place]*Stored)}
	for _, name := range append([]string{"INBOX"}, slices.Sorted(maps.Keys(o.SpecialUse))...) {
		if err := s.user.Create(name, nil); err != nil {
			d.Close()
			return nil, fmt.Errorf("make %s: %w", name, err)
		}
		s.folders[name] = true
	}
	options := &imapserver.Options{Caps: imap.CapSet{imap.CapIMAP4rev1: {}}, InsecureAuth: true,
		NewSession: s.session, Logger: log.New(io.Discard, "", 0)}
	for _, c := range IMAPCaps {
		if s.has(c) {
			options.Caps[c] = struct{}{}
		}
	}
	if len(o.SpecialUse) > 0 {
		options.Caps[imap.CapSpecialUse] = struct{}{}
	}
	server := imapserver.New(options)
	s.all.Go(func() { server.Serve(s.arrive) })
	d.serve(s.admitted)
	return s, nil
}

// has says whether one of IMAPCaps is there.
func (s *IMAP) has(c imap.Cap) bool { return !slices.Contains(s.o.Without, c) }

// admitted hands a connection to imapserver and waits until its session is over.
func (s *IMAP) admitted(n int, c net.Conn) {
	t := newTap(s, n, c)
	if s.arrive.push(t) {
		<-t.done
	}
}

// Close cuts all connections and returns when the server has nothing running any more. Closing twice is allowed.
func (s *IMAP) Close() {
	s.arrive.Close()
	s.door.Close()
}
