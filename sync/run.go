package sync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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

	Narrow       Narrow
	Flags        FlagMode
	SeenBefore   time.Duration // messages older than that arrive as \Seen; 0: none
	TrustHeaders bool          // believe Status and X-Status wherever they stand
	DryRun       bool          // say what would happen, change nothing

	// Settle is how long after an APPEND without a reply the server may still be storing it.
	Settle time.Duration

	Stop  <-chan struct{} // closed: finish the message under way and leave; nil: never
	Watch Watcher         // sees the run go by; nil: nobody does
}

// Narrow leaves messages for another run. Zero values leave none.
type Narrow struct {
	Since, Until time.Time // by arrival: from Since on, before Until
	Messages     int       // at the most
	Size         int64     // octets of the largest
}

// FlagMode says how flags are set.
type FlagMode int

const (
	Infer  FlagMode = iota // from what the header tells
	Seen                   // all as \Seen
	Unseen                 // none
)

// A Watcher is told how a run goes. Its methods are called from one goroutine.
type Watcher interface {
	// Planned comes once: so many messages with so many octets (as LIST says) are to be copied.
	Planned(messages int, octets int64)
	// Moved comes while a message is retrieved: octets since the last call.
	Moved(octets int)
	// Done comes once for each message that is dealt with.
	Done(Outcome)
	// Notice is something that a person may want to know: a folder was created, a wait of half a minute.
	Notice(text string)
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
	Code        string // of the server's refusal
	Server      string // its words
}

// Result of one message.
type Result string

const (
	Copied     Result = "copied"     // appended now
	WouldCopy  Result = "would copy" // in a dry run
	RefusedOne Result = "refused"    // the destination said no
	Gone       Result = "vanished"   // the source does not give it
)

// A Report is what a run came to. Listed = Known + Quarantined + New, and
// New = Copied + Recognised + Refused + InDoubt + Vanished + Left.
type Report struct {
	Listed, Known, New, Copied, Recognised, Refused, InDoubt, Vanished, Left, Quarantined int

	Bytes    int64          // octets appended
	Flags    map[string]int // how often each was set
	Refusals []Outcome      // of this run
	Began    time.Time
	Took     time.Duration
	Err      error // why the run ended early; nil if it did not
}

// Run copies what is new in one account. The report is complete even when the run ends early, with [Report.Err].
func Run(ctx context.Context, o Options) Report {
	r := &run{Options: o, report: Report{Began: time.Now(), Flags: map[string]int{}},
		settled: map[int64]bool{}, used: map[int64]bool{}}
	err := r.whole(ctx)
	if err != nil && ClassOf(err) != Stopped && ctx.Err() != nil {
		err = stopped(ctx) // what failed did so because it was told to
	}
	r.report.Err = err
	return r.report
}

// close strikes the balance.
func (r *Report) close() {
	r.New = r.Listed - r.Known - r.Quarantined
	r.Left = r.New - r.Copied - r.Recognised - r.Refused - r.InDoubt - r.Vanished
	r.Took = time.Since(r.Began)
}

// run is one run under way.
type run struct {
	Options
	id      int64 // in the state
	report  Report
	dest    Destination
	folder  Folder         // the zero value: not opened yet
	settled map[int64]bool // records that this run found at the destination
	used    map[int64]bool // records that stand for a message that came by in this run: see byContent
	last    state.Run      // the one before this one; the zero value: there was none
	dealt   int            // messages that something became of
	unsaved int            // messages that were retrieved in this session and are not stored
}

func (r *run) whole(ctx context.Context) error {
	if r.State == nil && !r.DryRun {
		return errors.New("a run needs a state")
	}
	defer r.report.close()
	defer r.leave(ctx)
	if r.DryRun {
		return r.work(ctx)
	}
	unlock, err := r.State.Lock()
	if err != nil {
		return StateError(err)
	}
	defer unlock()
	if r.last, _, err = r.State.LastRun(ctx); err != nil {
		return StateError(err)
	}
	if r.id, err = r.State.RunStarted(ctx, r.report.Began); err != nil {
		return StateError(err)
	}
	err = r.work(ctx)
	if failed := r.ended(context.WithoutCancel(ctx), err); failed != nil && err == nil {
		err = StateError(failed)
	}
	return err
}

// ended leaves the report in the state, for status.
func (r *run) ended(ctx context.Context, err error) error {
	r.report.close()
	p := r.report
	end := state.Run{ID: r.id, Ended: time.Now(), Listed: p.Listed, Known: p.Known, New: p.New, Copied: p.Copied,
		Recognised: p.Recognised, Refused: p.Refused, InDoubt: p.InDoubt, Vanished: p.Vanished, Left: p.Left,
		Quarantined: p.Quarantined, Bytes: p.Bytes}
	if err != nil {
		end.Error = err.Error()
	}
	return r.State.RunEnded(ctx, end)
}

// work goes through the account: what a dead run left open comes first, so that it is not copied again.
func (r *run) work(ctx context.Context) error {
	early, release := r.untilStop(ctx)
	defer release()
	src, list, err := r.prepare(early)
	if src != nil {
		defer src.Abandon()
	}
	if err != nil && early.Err() != nil {
		return stopped(early) // what failed did so because it was told to
	}
	if err != nil {
		return err
	}
	if err := r.copyAll(ctx, src, list); err != nil {
		return err
	}
	if r.unsaved > 0 {
		return nil // no QUIT: it may expire what was retrieved (RFC 2449 §6.7)
	}
	if err := src.Close(ctx); err != nil { // nothing was to be deleted, so nothing depends on it
		r.notice("leaving the maildrop failed: %v", err)
	}
	return nil
}

// prepare does all that comes before the first message. src is nil if it was not reached.
func (r *run) prepare(ctx context.Context) (src Source, list []todo, err error) {
	if err := r.settle(ctx); err != nil {
		return nil, nil, err
	}
	src, err = r.From(ctx)
	if err != nil {
		return nil, nil, err
	}
	list, err = r.plan(ctx, src)
	return src, list, err
}

// login connects to the destination when that is first needed.
func (r *run) login(ctx context.Context) (err error) {
	if r.dest == nil {
		r.dest, err = r.To(ctx)
	}
	return err
}

// destination opens the folder when that is first needed.
func (r *run) destination(ctx context.Context) error {
	if r.folder.Name != "" {
		return nil
	}
	if err := r.login(ctx); err != nil {
		return err
	}
	f, err := r.dest.Open(ctx, r.Folder, !r.DryRun)
	if r.DryRun && err != nil && ClassOf(err) == Missing {
		r.notice("the folder %q does not exist: it would be created", r.Folder)
		f, err = Folder{Name: r.Folder}, nil
	}
	if err != nil {
		return err
	}
	r.folder = f
	if f.Created {
		r.notice("created the folder %q", r.Folder)
	}
	return nil
}

// leave says goodbye to the destination. That this fails changes nothing that was done.
func (r *run) leave(ctx context.Context) {
	if r.dest == nil {
		return
	}
	if err := r.dest.Close(ctx); err != nil {
		r.notice("logging out of the destination failed: %v", err)
	}
}

func (r *run) notice(format string, args ...any) {
	if r.Watch != nil {
		r.Watch.Notice(fmt.Sprintf(format, args...))
	}
}

func (r *run) done(o Outcome) {
	r.dealt++
	if r.Watch != nil {
		r.Watch.Done(o)
	}
}

// untilStop is ctx until the user wants us to finish: where no message is under way, there is nothing to finish.
func (r *run) untilStop(ctx context.Context) (early context.Context, release func()) {
	early, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-r.Stop:
			cancel(errStopped)
		case <-early.Done():
		}
	}()
	return early, func() { cancel(nil) }
}

// stopping says whether the user wants us to finish.
func (r *run) stopping() bool {
	select {
	case <-r.Stop:
		return true
	default:
		return false
	}
}

var errStopped = errors.New("stopped")

func stopped(ctx context.Context) error {
	return &Error{Class: Stopped, Err: cmp.Or(context.Cause(ctx), errStopped)}
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
	case errors.Is(err, state.ErrMove):
		return &Error{Class: Bug, Err: err}
	}
	return &Error{Class: Storage, Err: err, Remedy: "look at the disk: is it full, read-only, or another user's?"}
}
