package sync

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/state"
)

// A Class says what an error is about, and so what can be done about it. It is given once, by the package that knows
// the protocol; sync decides by it and never by text. The zero class stops everything.
type Class int

const (
	Bug         Class = iota // about us, or not understood: stop
	Refused                  // about this message: the destination said no; the others go on
	Vanished                 // about this message: the source does not give it; the others go on
	Full                     // about this account: the destination has no room left for any message
	Missing                  // the folder does not exist
	Temporary                // about this connection, or about now: worth another try later
	Unavailable              // about this server: it does not serve us, or its certificate is not trusted
	Protocol                 // about this server: it broke the protocol beyond tolerance
	Login                    // the login was refused
	Storage                  // our own disk: state or spool
	Config                   // the command, the config or a secret: the user can mend it
	Stopped                  // by the user
)

// An Error is one that has a class. The zero value of each other field means that there is nothing to say.
type Error struct {
	Class  Class
	Err    error  // what failed and where, in our words; never nil
	Code   string // the server's response code, upper case, without brackets: "OVERQUOTA", "SYS/TEMP"
	Server string // the server's own words, cleaned for printing
	Remedy string // what the user can do
	Unsent bool   // from an APPEND: certainly nothing was stored

	// Together, with class Refused: the server refused a batch as one (RFC 3502), and the others may be to blame.
	Together bool

	BadDate bool // with class Refused: the server's words are about INTERNALDATE

	// Lasting: it will hardly pass in a minute (a name that does not exist, nobody who listens). Only a run that has got
	// somewhere tries again.
	Lasting bool

	// Pause is how long the server wants us to wait before we try again; 0: it does not say.
	Pause time.Duration
}

func (e *Error) Error() string {
	if e.Server == "" {
		return e.Err.Error()
	}
	return e.Err.Error() + ": server said: " + e.Server
}

func (e *Error) Unwrap() error { return e.Err }

// ClassOf gives the class of the outermost [Error] in err, or Bug if there is none. err must not be nil.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Bug
}

// NotStored says whether err, from [Destination.Append], proves that nothing was stored.
func NotStored(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Unsent
}

// Doing says before err what was being done. All else that an [Error] tells stays as it is. nil stays nil.
func Doing(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	var e Error
	if inner, ok := errors.AsType[*Error](err); ok {
		e = *inner
	} else {
		e.Err = err
	}
	e.Err = fmt.Errorf(format+": %w", append(args, e.Err)...)
	return &e
}

// StateError gives an error of package state its class. nil stays nil.
func StateError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, state.ErrLocked):
		return &Error{Class: Temporary, Err: err, Remedy: "wait until the other run of pop2imap is done"}
	case errors.Is(err, state.ErrNewer):
		return &Error{Class: Config, Err: err, Remedy: "use the newer pop2imap, or another file with --state"}
	case errors.Is(err, state.ErrCorrupt):
		return &Error{Class: Storage, Err: err,
			Remedy: "restore it from a backup, or name another file with --state: what the destination holds is recognised then"}
	case errors.Is(err, state.ErrMove):
		return &Error{Class: Bug, Err: err}
	}
	return &Error{Class: Storage, Err: err, Remedy: remedies[Storage]}
}

func lasting(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Lasting
}

// askedPause is how long the server wants us to wait before we try again.
func askedPause(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Pause
	}
	return 0
}

// Clean makes a server's words fit for a terminal and a log: control characters (which could forge a line or drive
// the terminal) and what is not UTF-8 become "?", and the length is bounded. The line end behind them goes.
func Clean(s string) string {
	const most = 500
	s = strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r == 0x7f, r >= 0x80 && r < 0xa0, // C0, DEL, C1
			r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, // bidirectional controls
			r == 0xfffd:
			return '?'
		}
		return r
	}, strings.ToValidUTF8(strings.TrimSpace(s), "?"))
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}
