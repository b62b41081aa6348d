package sync

import (
	"context"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/state"
)

// Options say what one account's run is to do. The zero value of each field from Narrow on is the default.
type Options struct {
	From   func(context.Context) (Source, error)      // logs in to the maildrop
	To     func(context.Context) (Destination, error) // logs in to the destination; called only when it is needed
	Folder string                                     // at the destination, "/" between levels

	// State remembers the account. Only in a dry run may it be nil: nothing is known then.
	State *state.Account

	// Place says where a message goes, by its header, its size in octets and what the header tells; nil: all go to Folder.
	// It is called once for each message that is retrieved, in order, and before that for those whose folder must be known
	// without retrieving them (a dry run; what is larger than the destination takes), then with what LIST says of the
	// size. The header is valid during the call. A message that was copied stays where it is, whatever Place says now.
	Place func(header []byte, size int64, told message.Inference) Placement

	Narrow       Narrow
	Flags        FlagMode
	SeenBefore   time.Duration // messages older than that arrive as \Seen; 0: none
	TrustHeaders bool          // believe what mail stores and clients write wherever it stands
	Identities   []string      // own addresses: they tell own mail
	Junk         bool          // mark spam as $Junk and $Phishing

	// Witnesses open those who know more of the messages than their headers tell; the first of them that knows a message
	// is believed. They are opened, once, when there is something to copy, before the first message is retrieved. One that
	// fails is named in a notice, and the run goes on without it; its error must say which one it is.
	Witnesses []func(context.Context) (Witness, error)

	DryRun  bool  // say what would happen, change nothing
	Retry   bool  // try what was refused or is missing, now, and nothing else
	NoDedup bool  // do not look for messages that the destination already has
	Verify  Level // of the read-back
	Delete  Deletion
	Rate    int64 // octets a second that are retrieved, and so appended, at the most; 0: no limit

	// Settle is how long after an APPEND without a reply the server may still be storing it.
	Settle time.Duration
	// Patience is how long a run that has got somewhere, or follows one that was killed, goes on trying without getting
	// any further. One that has got nowhere yet ends after [firstPatience].
	Patience time.Duration

	Stop  <-chan struct{} // closed: finish what is on the wire and leave; nil: never
	Watch Watcher         // sees the run go by; nil: nobody does
}

// Narrow leaves messages for another run. Zero values leave none.
type Narrow struct {
	Since, Until time.Time // by arrival: from Since on, before Until
	Messages     int       // at the most
	Size         int64     // octets of the largest

	// Skip says why to leave a message, by the same as Options.Place; "": it is not left. nil: none is. Where the maildrop
	// has TOP it is asked before the message is retrieved, with what LIST says of the size, and then once more; both times
	// by what the header tells, and not by what witnesses say.
	Skip func(header []byte, size int64, told message.Inference) (why string)
}

// A Placement says into which folder of the destination a message goes. The zero value is [Options.Folder].
type Placement struct {
	Folder string         // "/" between levels; created when the first message needs it. "": see Use
	Use    string         // `\Sent`, `\Junk`: the folder that the destination has for that (RFC 6154 §2). "": none
	Flags  []message.Flag // that it gets besides those of its own, with the reason for each
}

// FlagMode says how flags are set.
type FlagMode int

const (
	Infer  FlagMode = iota // from what the header tells
	Seen                   // all as \Seen
	Unseen                 // none
)

// Level says how closely a copy is looked at when it is read back.
type Level int

const (
	BySize   Level = iota // RFC822.SIZE, and the octets where that is another
	ByDigest              // all octets
	Unproved              // not at all
)

// String is how the state and the user call it.
func (l Level) String() string { return [...]string{"size", "digest", "off"}[l] }

// Deletion says what is deleted at the source. The zero value deletes nothing.
type Deletion struct {
	On      bool
	Age     time.Duration // not before so long after it was delivered
	Most    int           // in one run; with more due, none is deleted. 0: no limit
	Percent int           // the same, in percent of the maildrop
}

// A Watcher is told how a run goes. One of its methods is called at a time.
type Watcher interface {
	// Planned comes whenever a maildrop was listed: so many messages with so many octets (as LIST says) are to be copied.
	Planned(messages int, octets int64)
	// Moved comes while messages are retrieved: octets since the last call.
	Moved(octets int)
	// Done comes once for each message that is dealt with.
	Done(Outcome)
	// Notice is something that a person may want to know: a folder was created, a wait of half a minute.
	Notice(text string)
	// Doing comes when it begins with something that may take a while. After Planned, where there is anything to copy, that is
	// copying.
	Doing(what string)
	// Paused comes, after a Notice, when the run begins to wait, until when and why, and with zero values when that is over.
	Paused(until time.Time, why string)
}

// Outcome is what became of one message. It holds no subject and no address.
type Outcome struct {
	Result      Result
	UIDL        string
	Listed      int64    // octets as LIST says
	Size        int64    // octets after retrieval; 0 if it was not retrieved
	Digest      [32]byte // SHA-256 of those octets
	Folder      string
	UIDValidity uint32
	UID         uint32
	Flags       []message.Flag
	Date        time.Time
	DateWhy     string
	Deleted     string          // why it counted as deleted where it was kept; "": it did not. It is copied all the same
	Doubted     []message.Doubt // what its header says and is not believed
	Why         string          // why it is left
	Keep        string          // why it will never be deleted at the source; "" if it may be
	Code        string          // of the server's refusal
	Server      string          // its words
}

// Result of one message.
type Result string

const (
	Copied     Result = "copied"      // appended now
	Recognised Result = "recognised"  // the destination had it
	WouldCopy  Result = "would copy"  // in a dry run
	WouldKnow  Result = "would match" // in a dry run: the destination seems to have it
	Skipped    Result = "left"        // the user does not want it
	RefusedOne Result = "refused"     // the destination said no
	Gone       Result = "vanished"    // the source does not give it
	Removed    Result = "deleted"     // at the source
	Marked     Result = "marked"      // it was copied before, and has got Flags now: an own message speaks of it
	Changed    Result = "changed"     // it was read back, and is there in another form, or once for several: Keep says why
	Missed     Result = "missing"     // the destination said that it stored it, and it is not there
)

// A Report is what a run came to. Listed = Known + Quarantined + New, and
// New = Copied + Recognised + Refused + InDoubt + Vanished + Left.
type Report struct {
	Listed, Known, New, Copied, Recognised, Refused, InDoubt, Vanished, Left, Quarantined int

	Missing  int            // that the destination said it had stored, and that are no longer listed: in doubt too
	Deleted  int            // at the source
	Bytes    int64          // octets appended
	Flags    map[string]int // how often each was set
	Folders  map[string]int // how many were copied into each
	Refusals []Outcome      // of this run

	Changed int // copies that read-back found in another form, for the first time

	// Of a dry run, which reads no message:
	Deletable int  // what of the messages that were delivered before would be deleted
	AtMost    bool // some that it would copy may turn out to be there already, or to be known

	DatesIgnored bool // the destination does not keep the dates that messages are stored with

	Began time.Time
	Took  time.Duration
	Err   error // why the run ended early; nil if it did not
}
