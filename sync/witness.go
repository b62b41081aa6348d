package sync

import (
	"context"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
)

// A Witness knows messages of the maildrop from elsewhere: its IMAP twin, the files of the client that read it until now.
// It is only asked; nothing is ever written there.
type Witness interface {
	// Know says what it knows of a message. found is false if it does not know it, or cannot tell it from another one. An
	// error is of the witness itself: the run goes on without it.
	Know(ctx context.Context, s Subject) (t Testimony, found bool, err error)
}

// A Subject is what a message may be known by.
type Subject struct {
	UIDL        string   // "" if the maildrop has none
	Size        int64    // octets, line ends CRLF
	Fingerprint [32]byte // message.Fingerprint of its header
	MessageID   string   // message.ID of its header
	Header      []byte   // as it came, line ends CRLF
}

// A Testimony is what a Witness says of one message.
type Testimony struct {
	Flags []message.Flag // all that it has there, with the reason for each; never \Deleted, never \Recent
	// Whole means that what is not among Flags is not set: the message is \Seen only if it is here. Otherwise the witness
	// knows only some flags, and others may come from the header.
	Whole   bool
	Deleted string    // why it counts as deleted there; "": it does not. It is copied all the same
	Date    time.Time // when it arrived there; zero: unknown
	Why     string    // where Date is from
}
