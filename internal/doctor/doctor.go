// Package doctor looks at all that a run of one account needs, and says what is well, what is not, and what to do about it.
// It changes nothing at either end: it lists the maildrop and opens the folder with EXAMINE, and nothing is retrieved,
// stored, marked or made. It writes no state. What it finds is data; how that is shown is left to the command.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// A Level says how bad a finding is.
type Level int

const (
	OK      Level = iota
	Warning       // a run works, and not as well as it could
	Failure       // a run would fail
)

func (l Level) String() string { return [...]string{"ok", "warning", "failure"}[l] }

// A Finding is what came of one check.
type Finding struct {
	Check  string // one word: "dns", "tls", "uidl"
	End    string // "from", "to", or "" for this machine
	Level  Level
	Text   string // fit for a terminal
	Server string // the server's own words, if it refused something
	Remedy string // what to do; "" only if it is well
	Err    error  // of a failure; it has a class
	Detail bool   // for who wants to know all: what it means to the user is in another finding
}

// Options say what is looked at.
type Options struct {
	From, To End
	Folder   string    // at the destination, as the user writes it
	Key      state.Key // of the account in the state
	State    string    // file

	// Of the run that is to come:
	MaxSize     int64 // larger messages are left; 0: none
	Rate        int64 // octets a second; 0: no limit
	Connections int   // to the destination; 0: one

	// TwinPort is where the source is asked for IMAP; 0: it is not.
	TwinPort int

	// Lookup finds the addresses of a host; nil: the system does.
	Lookup func(ctx context.Context, host string) ([]net.IPAddr, error)
	// FileSystem is the function of that name; nil: that.
	FileSystem func(path string) string
}

// An End is one of the two.
type End struct {
	Server             wire.Server // without a Host, but with a Side, if Err says why there is none
	User, Secret, Auth string
	Err                error // why there is no Server or no Secret; it has a class
}

// An examination is one under way.
type examination struct {
	Options
	findings []Finding

	account *state.Account // nil: there is no memory
	busy    bool           // a run of the account is going on
	listed  bool           // what waits is known
	waiting []sync.Listed
	way     way // to both ends, for the estimate
}

// Examine looks at everything in the order in which a run needs it. What depends on something that failed is left out. After
// the end of ctx the last finding is of class [sync.Stopped].
func Examine(ctx context.Context, o Options) []Finding {
	if o.Lookup == nil {
		o.Lookup = net.DefaultResolver.LookupIPAddr
	}
	if o.FileSystem == nil {
		o.FileSystem = FileSystem
	}
	x := &examination{Options: o}
	defer x.remember(ctx)()
	for _, step := range []func(context.Context){x.lookAtMaildrop, x.lookForTwin, x.lookAtMailbox} {
		if ctx.Err() == nil {
			step(ctx)
		}
	}
	if ctx.Err() != nil {
		x.fail("stopped", "", &sync.Error{Class: sync.Stopped, Err: context.Cause(ctx)})
		return x.findings
	}
	x.estimate()
	return x.findings
}

func (x *examination) ok(check, end, format string, args ...any) {
	x.findings = append(x.findings, Finding{Check: check, End: end, Text: fmt.Sprintf(format, args...)})
}

func (x *examination) warn(check, end, remedy, format string, args ...any) {
	x.findings = append(x.findings, Finding{Check: check, End: end, Level: Warning, Text: fmt.Sprintf(format, args...), Remedy: remedy})
}

// fail notes an error, unless it came of our being stopped.
func (x *examination) fail(check, end string, err error) {
	if sync.ClassOf(err) != sync.Stopped || check == "stopped" {
		x.findings = append(x.findings, Failed(check, end, err))
	}
}

// Failed is the finding that an error means.
func Failed(check, end string, err error) Finding {
	f := Finding{Check: check, End: end, Level: Failure, Text: sync.Clean(err.Error()), Remedy: (&sync.Error{Class: sync.ClassOf(err)}).Advice(), Err: err}
	if e, ok := errors.AsType[*sync.Error](err); ok {
		f.Text, f.Server, f.Remedy = sync.Clean(e.Err.Error()), e.Server, e.Advice()
	}
	return f
}

// rounded is a time span as a person says it.
func rounded(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(100 * time.Microsecond).String()
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
}
