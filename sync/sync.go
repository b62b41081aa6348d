// Package sync is one account's run: what a maildrop holds is compared with what is remembered, and what is new is
// copied into a mailbox, once. It knows no POP3, no IMAP and no SQL: package pop3 and package imap implement the two
// interfaces below, package state remembers.
//
// One message goes through it like this: listed, planned (plan.go), retrieved into a spool (spool.go), its intent
// made durable, appended, its outcome made durable (copy.go). What a dead run left open is settled first (settle.go).
package sync

import (
	"context"
	"io"
	"iter"
	"time"
)

// A Source is one session with a POP3 maildrop. Message numbers mean something within it only.
// Its methods are called from one goroutine. Every error they return carries a [Class].
type Source interface {
	// List gives the whole maildrop in its own order: what UIDL and LIST say (RFC 1939 §5, §7).
	List(ctx context.Context) (Listing, error)

	// Headers calls each, in order, with the header of each message (TOP n 0), its blank line included when there is
	// one, line ends CRLF. It marks nothing as read. The slice is valid during the call. A message that is no longer
	// there is passed over. An error from each ends the call and is returned as it is.
	Headers(ctx context.Context, numbers []int, each func(number int, header []byte) error) error

	// Retrieve calls each, in order, with a body to be read to io.EOF: the message's octets after dot-unstuffing, line
	// ends CRLF, final CRLF included. Only io.EOF says that the whole message came, on a healthy line (RFC 1939 §3);
	// any other error means the message does not count as retrieved. More than one message may be asked for ahead.
	// For a message that the server will not give, each is called with a nil body and the server's refusal (class
	// Vanished); the rest goes on. An error from each ends the call and is returned as it is; the session is then
	// good only for Abandon.
	Retrieve(ctx context.Context, messages []Listed, each func(number int, body io.Reader, err error) error) error

	// Delete marks messages (DELE), each only after the server has said again that its number has its UIDL
	// (UIDL n). It takes effect only when Close returns nil. An error means that the session must be abandoned: then
	// nothing is removed. A message without a UIDL is an error of class Bug.
	Delete(ctx context.Context, messages []Listed) error

	// Close sends QUIT. The server may take this as leave to expire what was retrieved (RFC 2449 §6.7), so it must not
	// be called while a retrieved message is not stored. nil means that the server said +OK: what was deleted is gone.
	Close(ctx context.Context) error

	// Abandon drops the line without QUIT: nothing is removed from the maildrop (RFC 1939 §6). It may follow Close.
	Abandon()
}

// A Listing is a maildrop at one instant.
type Listing struct {
	Messages   []Listed      // in the maildrop's order
	HasTop     bool          // false: Headers cannot be had
	Last       int           // highest number that was accessed in earlier sessions (LAST, RFC 1081); 0: none, or unknown
	Status     bool          // the server may end each header with a Status of its own (UW); false: it is none of those
	LoginDelay time.Duration // the server wants that long between two logins (RFC 2449 §6.5); 0: it does not say
	Expires    bool          // the server removes what was retrieved, at QUIT (EXPIRE 0, RFC 2449 §6.7)
	Partial    bool          // the server lists a few hundred, and the next session others (Gmail)
}

// Listed is one message of a listing.
type Listed struct {
	Number int    // of this session only; from 1
	UIDL   string // any octets; "" if the server gives none
	Size   int64  // octets as LIST says: advice, often an estimate
}

// A Destination is a login at an IMAP server. Its methods are called from one goroutine, and none but Append and Close
// while a Pending has not been waited for.
// Every error they return carries a [Class]; after one of class Temporary or Protocol the connection is gone.
type Destination interface {
	// Open looks at a folder without changing a flag in it (EXAMINE). Folder names are UTF-8 with "/" between levels.
	// A missing folder is created and subscribed to if create is set; otherwise the error is of class Missing.
	Open(ctx context.Context, folder string, create bool) (Folder, error)

	// Pace says what batches the server likes.
	Pace() Pace

	// Permanent gives the flags that a folder keeps, as IMAP spells them: system flags, keywords, and `\*` if more can be
	// created (RFC 9051 §7.1, PERMANENTFLAGS). None: the server does not say. It changes no flag but \Recent, which
	// tells other clients what nobody has seen: so it is called only when it matters.
	Permanent(ctx context.Context, f Folder) ([]string, error)

	// Append sends messages to be stored, in order, and returns when they are written, or when it is known that they
	// cannot be. What became of them the Pending tells. It may be called again before that was waited for. Batches are
	// stored in the order in which they were sent, unless they travel over several connections.
	Append(ctx context.Context, f Folder, batch []Outgoing) Pending

	// Find goes through the messages of a folder whose UID is at least from, in order of UID. It reads and changes
	// nothing else.
	Find(ctx context.Context, f Folder, from uint32) iter.Seq2[Copy, error]

	// Sizes gives RFC822.SIZE of those of the UIDs that are there, as the server knows it now.
	Sizes(ctx context.Context, f Folder, uids []uint32) (map[uint32]int64, error)

	// Dates gives INTERNALDATE of those of the UIDs that are there.
	Dates(ctx context.Context, f Folder, uids []uint32) (map[uint32]time.Time, error)

	// Read calls each with every one of the messages that is there, whole, without setting \Seen, in no certain order.
	// A body that each does not read to its end is skipped. An error from each ends the call and is returned as it is.
	Read(ctx context.Context, f Folder, uids []uint32, each func(uid uint32, body io.Reader) error) error

	// Mark adds flags to those of the messages that are there (UID STORE +FLAGS.SILENT, RFC 9051 §6.4.6). It changes
	// nothing else, unless that what is in the folder is no longer \Recent. It returns an error for each marking, nil: it is
	// done. After a refusal some of the messages may have the flags.
	Mark(ctx context.Context, f Folder, list []Marking) []error

	// Elsewhere gives the names of other folders in which a server's filter may have put mail, by their special use
	// (\All, \Archive, \Junk, \Trash; RFC 6154), as Open takes them; none if the server does not tell.
	Elsewhere(ctx context.Context) ([]string, error)

	// Special gives the folder with a special use (`\Sent`, `\Junk`; RFC 6154 §2), as Open takes it: the one that the
	// server says has it, or else one with a name that is usual for it. "": there is none.
	Special(ctx context.Context, use string) (string, error)

	// Spellings gives the names, as Open takes them, that are one folder to the server, the usual one first: where all
	// names begin with "INBOX." (RFC 2342), "Sent" and "INBOX/Sent" are. It asks nobody.
	Spellings(folder string) []string

	// Close says LOGOUT; what was appended stays.
	Close(ctx context.Context) error
}

// A Pace says how many messages and octets a batch should have at the most, and how many batches may be on their way.
type Pace struct{ Messages, Octets, Flights int }

// A Pending is a batch on its way.
type Pending interface {
	// Wait returns one Answer for each message of the batch, in its order, when they are known; at the end of ctx the
	// connection is closed and they are known then. It may be called from another goroutine than Append, once.
	Wait(ctx context.Context) []Answer
}

// An Answer says what became of one message of a batch.
type Answer struct {
	Placed

	// Err is nil if the message is stored. An error of class Refused means that the server said no and stored nothing;
	// with [Error.Together] set it said so of the whole batch, and this message may not be to blame. Any other error
	// leaves open whether it was stored, unless [NotStored] says it was certainly not.
	Err error
}

// A Folder is an IMAP mailbox as it was when it was opened.
type Folder struct {
	Name        string // as the user writes it, "/" between levels
	UIDValidity uint32 // 0: the server did not say
	UIDNext     uint32 // 0: the server did not say
	AppendLimit int64  // largest message in octets (RFC 7889); 0: none known
	Created     bool   // by this Open
}

// Outgoing is one message to be appended.
type Outgoing struct {
	Size  int64
	Body  func() io.Reader // reads exactly Size octets; each call from the beginning
	Flags []string         // as IMAP spells them: `\Seen`
	Date  time.Time        // INTERNALDATE, with its own offset; zero: the server's clock
}

// A Marking is flags that messages of a folder are to get.
type Marking struct {
	Flags []string // as IMAP spells them; at least one
	UIDs  []uint32 // at least one
}

// Placed says where an appended message is: APPENDUID (RFC 4315 §3). Zero values: the server did not say.
type Placed struct {
	UIDValidity uint32
	UID         uint32
}

// A Copy is one message in a folder of the destination.
type Copy struct {
	UID    uint32
	Size   int64  // RFC822.SIZE
	Header []byte // its Message-ID field as it stands, or nothing; valid during the step of the iteration
}
