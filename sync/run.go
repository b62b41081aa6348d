package sync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	stdsync "sync"
	"time"

	"github.com/pop2imap/pop2imap/internal/sabotage"
	"github.com/pop2imap/pop2imap/state"
)

// Run does what is to be done in one account. The report is complete even when the run ends early, with [Report.Err].
func Run(ctx context.Context, o Options) Report {
	r := newRun(o)
	r.report.Err = orStopped(ctx, r.whole(ctx, r.recorded))
	return r.report
}

// orStopped gives the error of a run that was told to leave at once: whatever failed did so because of that.
func orStopped(ctx context.Context, err error) error {
	if err != nil && ClassOf(err) != Stopped && ctx.Err() != nil {
		return stopped(ctx)
	}
	return err
}

// run is one run under way.
type run struct {
	Options
	id     int64 // in the state
	report Report
	book   book
	watch  stdsync.Mutex // so that one method of Watch is called at a time

	src  Source      // nil: no session
	dest Destination // nil: no connection
	door *door       // nil: no login under way

	goodbyes  stdsync.WaitGroup // sessions that are being left
	boxes     []*mailbox        // the folders that are open, in the order in which they were needed
	uses      map[string]string // folders of special uses, as far as they were asked for
	spellings map[string]string // by which of its names a folder is known
	habits    map[string]*habit // what folders make of flags and dates

	witnesses []Witness // those that were opened and have not failed
	marking   bool      // the maildrop's server ends each header with a Status of its own, in this session
	neighbour neighbour // in this session; nobody: the zero value
	asked     bool      // it was noted what LAST says

	listing Listing          // of the last session
	matches []match          // what that listing means
	settled map[int64]bool   // records that this run found at the destination
	used    map[int64]bool   // records that stand for a message of the last listing
	entryOf map[int64]*entry // of records
	orphans bool             // there are records whose message that listing did not have
	short   map[*entry]bool
	undated map[*entry]bool // messages whose date the destination refused

	freed     map[string]bool // UIDLs of messages that turned out not to be stored: a retry sends them again
	provedNow map[int64]bool  // records that were read back in this run
	last      state.Run       // the one before this one; the zero value: there was none
	killed    bool            // that one was
	remade    bool            // a folder had to be made anew
	retaken   bool            // what was too short was retrieved once more
	late      error           // a bug that showed while nobody waited
	unmarked  int             // lines that STORE has cost
	unheard   bool            // a session that deletes is not known to have ended well
	reached   bool            // one of the servers was there in this run
	picky     bool            // the destination refuses messages: one batch at a time keeps the others in order
	block     blockage        // where it goes no further
	wary      int             // lines in a row that a batch cost, see oneByOne
	lost      bool            // this one is one of them
	died      time.Time       // when a line died with appends on it; zero: never
	progress  *progress       // of a verification; nil: it is none
	changed   int             // messages that the destination has in another form
	achieved  int             // things that were done for good
	dealt     int             // messages that something became of
	fetched   int             // messages that were retrieved in this session
	unsaved   int             // and are not stored
}

func newRun(o Options) *run {
	return &run{Options: o, report: Report{Began: time.Now(), Flags: map[string]int{}, Folders: map[string]int{}}, book: book{},
		settled: map[int64]bool{}, used: map[int64]bool{}, entryOf: map[int64]*entry{}, short: map[*entry]bool{},
		uses: map[string]string{}, spellings: map[string]string{}, habits: map[string]*habit{}, undated: map[*entry]bool{}, freed: map[string]bool{}, provedNow: map[int64]bool{}}
}

// whole does work while the account is ours.
func (r *run) whole(ctx context.Context, work func(context.Context) error) (err error) {
	if r.State == nil && !r.DryRun {
		return errors.New("a run needs a state")
	}
	defer func() { err = firstOf(err, r.late) }()
	defer Caught(&err)
	defer r.close()
	defer r.leave(ctx)
	if r.DryRun {
		return work(ctx)
	}
	unlock, err := r.State.Lock()
	if err != nil {
		return StateError(err)
	}
	defer unlock()
	var ok bool
	if r.last, ok, err = r.State.LastRun(ctx); err != nil {
		return StateError(err)
	}
	r.killed = ok && r.last.Ended.IsZero()
	return work(ctx)
}

// recorded is work with its report in the state.
func (r *run) recorded(ctx context.Context) (err error) {
	if r.DryRun {
		return r.work(ctx)
	}
	if r.id, err = r.State.RunStarted(ctx, r.report.Began); err != nil {
		return StateError(err)
	}
	err = orStopped(ctx, r.work(ctx))
	if failed := r.ended(context.WithoutCancel(ctx), err); failed != nil && err == nil {
		err = StateError(failed)
	}
	return err
}

// close strikes the balance.
func (r *run) close() {
	r.report.Listed = 0
	r.book.strike(&r.report)
	r.report.Took = time.Since(r.report.Began)
}

// ended leaves the report in the state, for status.
func (r *run) ended(ctx context.Context, err error) error {
	r.close()
	p := r.report
	end := state.Run{ID: r.id, Ended: time.Now(), Listed: p.Listed, Known: p.Known, New: p.New, Copied: p.Copied,
		Recognised: p.Recognised, Refused: p.Refused, InDoubt: p.InDoubt, Vanished: p.Vanished, Left: p.Left,
		Quarantined: p.Quarantined, Deleted: p.Deleted, Bytes: p.Bytes}
	switch {
	case err == nil:
	case ClassOf(err) == Stopped: // what was under way then is of no interest
		end.Error = "stopped"
	default:
		end.Error = err.Error()
	}
	return r.State.RunEnded(ctx, end)
}

// work goes through the account: copy, mark what own messages speak of, read back, delete. Each is a phase of its own, and
// may need several sessions.
func (r *run) work(ctx context.Context) (err error) {
	defer Caught(&err)
	defer r.tellDropped()
	for _, phase := range []func(context.Context) error{r.transfer, r.mark} {
		if err := r.persist(ctx, phase); err != nil {
			return err
		}
	}
	if r.fetched > 0 {
		debug.FreeOSMemory() // of messages: none is on its way any more
	}
	if r.fetched > 0 || !r.Delete.On { // a session that retrieved nothing can serve to delete
		r.quit(ctx)
	}
	phases := []func(context.Context) error{r.prove, r.remove}
	if sabotage.DeleBeforeVerified {
		slices.Reverse(phases)
	}
	for _, phase := range phases {
		if err := r.persist(ctx, phase); err != nil {
			return err
		}
	}
	r.quit(ctx)
	return nil
}

// transfer brings what is new from the one end to the other. What a dead run or a dead line left open comes first, so
// that it is not copied again.
func (r *run) transfer(ctx context.Context) error {
	for {
		again, err := r.session(ctx)
		if err != nil || !again {
			return err
		}
		r.quit(ctx)
	}
}

// session is one session with the maildrop. again says that another one is needed.
func (r *run) session(ctx context.Context) (again bool, err error) {
	early, release := r.untilStop(ctx)
	defer release()
	defer r.turnAway() // a login that has not come through yet hangs on this session
	list, err := r.prepare(early)
	if err != nil && early.Err() != nil {
		return false, stopped(early) // what failed did so because it was told to
	}
	if err != nil {
		return false, err
	}
	if list, err = r.unblock(ctx, list); err != nil {
		return false, err
	}
	before := r.achieved
	err = r.copyAll(ctx, list)
	r.blocked(list, err)
	if err != nil && ClassOf(err) == Missing && !r.remade { // someone removed the folder meanwhile
		r.boxes, r.remade = nil, true
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if r.shortLeft() && !r.retaken {
		r.retaken = true
		return true, nil
	}
	if err := r.placeAll(ctx); err != nil {
		return false, err
	}
	if err := r.remember(ctx); err != nil {
		return false, err
	}
	return r.listing.Partial && r.achieved > before, nil
}

// prepare does all that comes before the first message.
func (r *run) prepare(ctx context.Context) (list []todo, err error) {
	if err := r.settle(ctx); err != nil {
		return nil, err
	}
	if err := r.lookAgain(ctx); err != nil {
		return nil, err
	}
	if err := r.knock(ctx); err != nil {
		return nil, err
	}
	r.doing("looking at the maildrop")
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	if list, err = r.plan(ctx); err != nil {
		return nil, err
	}
	return list, r.inquire(ctx, list)
}

func (r *run) notice(format string, args ...any) {
	r.tell(func(w Watcher) { w.Notice(fmt.Sprintf(format, args...)) })
}

func (r *run) doing(what string) { r.tell(func(w Watcher) { w.Doing(what) }) }

func (r *run) done(o Outcome) { r.tell(func(w Watcher) { w.Done(o) }) }

func (r *run) tell(what func(Watcher)) {
	if r.Watch == nil {
		return
	}
	r.watch.Lock()
	defer r.watch.Unlock()
	what(r.Watch)
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
