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
	// any other error means the message does not count as retrieved.
	// For a message that the server will not give, each is called with a nil body and the server's refusal (class
	// Vanished); the rest goes on. An error from each ends the call and is returned as it is; the session is then
	// good only for Abandon.
	Retrieve(ctx context.Context, numbers []int, each func(number int, body io.Reader, err error) error) error

	// Close sends QUIT. The server may take this as leave to expire what was retrieved (RFC 2449 §6.7), so it must not
	// be called while a retrieved message is not stored.
	Close(ctx context.Context) error

	// Abandon drops the line without QUIT: nothing is removed from the maildrop (RFC 1939 §6). It may follow Close.
	Abandon()
}

// A Listing is a maildrop at one instant.
type Listing struct {
	Messages []Listed // in the maildrop's order
	HasTop   bool     // false: Headers cannot be had
}

// Listed is one message of a listing.
type Listed struct {
	Number int    // of this session only; from 1
	UIDL   string // any octets; "" if the server gives none
	Size   int64  // octets as LIST says: advice, often an estimate
}

// A Destination is a login at an IMAP server. Its methods are called from one goroutine.
// Every error they return carries a [Class]; after one of class Temporary or Protocol the connection is gone.
type Destination interface {
	// Open looks at a folder without changing a flag in it (EXAMINE). Folder names are UTF-8 with "/" between levels.
	// A missing folder is created and subscribed to if create is set; otherwise the error is of class Missing.
	Open(ctx context.Context, folder string, create bool) (Folder, error)

	// Append stores one message. An error of class Refused means that the server said no to this message and stored
	// nothing. Any other error leaves open whether it was stored, unless [NotStored] says it was certainly not.
	Append(ctx context.Context, f Folder, m Outgoing) (Placed, error)

	// Find goes through the messages of a folder whose UID is at least from, in order of UID. It reads and changes
	// nothing else.
	Find(ctx context.Context, f Folder, from uint32) iter.Seq2[Copy, error]

	// Close says LOGOUT; what was appended stays.
	Close(ctx context.Context) error
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
