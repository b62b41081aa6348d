package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// remember looks at the state, and leaves it open, for reading only, until the caller calls the result.
func (x *examination) remember(ctx context.Context) (done func()) {
	done = func() {}
	x.lookAtDisk()
	store, err := state.OpenReadOnly(ctx, x.State)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.lookAtFolder()
		return done
	case errors.Is(err, state.ErrOlder):
		x.ok("state", "", "%s is of an older program: the first run brings it up to date, and leaves a backup of it", x.State)
		return done
	case err != nil:
		x.fail("state", "", sync.StateError(err))
		return done
	}
	if err := writable(x.State); err != nil {
		x.unwritable(err)
	}
	if info, err := os.Stat(x.State); err == nil && info.Mode().Perm()&0o077 != 0 {
		x.warn("state", "", "chmod 600 "+x.State, "others can read %s (mode %04o): it tells who gets how much mail", x.State,
			info.Mode().Perm())
	}
	if err := x.recall(ctx, store); err != nil {
		x.fail("state", "", sync.StateError(err))
	}
	return func() { store.Close() }
}

// recall says what the state knows of the account.
func (x *examination) recall(ctx context.Context, store *state.Store) error {
	a, err := store.Find(ctx, x.Key)
	if errors.Is(err, state.ErrNoAccount) {
		x.ok("state", "", "%s does not know this account yet: the first run enters it", x.State)
		return nil
	}
	if err != nil {
		return err
	}
	c, err := a.Counts(ctx)
	if err != nil {
		return err
	}
	x.account = a
	x.ok("state", "", "%s can be read; %s delivered, %d of them read back at the destination", x.State, units.Plural(c.Delivered, "message"),
		c.Verified+c.Deleted)
	if c.Refused > 0 {
		x.warn("state", "", "pop2imap status tells the server's reasons; pop2imap retry tries them now", "%s refused by the destination",
			units.Plural(c.Refused, "message"))
	}
	if c.Doubted > 0 {
		x.warn("state", "", "the next run finds out what can be found out; pop2imap status shows the rest", "%s in doubt",
			units.Plural(c.Doubted, "message"))
	}
	return x.lookAtLock(ctx, a)
}

// lookAtLock says whether a run is going on, if the state does not say that the last one ended.
func (x *examination) lookAtLock(ctx context.Context, a *state.Account) error {
	last, ran, err := a.LastRun(ctx)
	if err != nil || !ran || !last.Ended.IsZero() {
		return err
	}
	switch locked, err := a.Locked(); {
	case err != nil:
		return err
	case locked:
		x.busy = true // a maildrop takes one session at a time (RFC 1939 §4)
		x.warn("lock", "", "wait until it is done, and run doctor again", "a run of this account is going on: the maildrop is left to it")
	default:
		x.ok("lock", "", "the last run was interrupted: the next one settles what it left open")
	}
	return nil
}

// lookAtFolder says whether a state can be made where there is none.
func (x *examination) lookAtFolder() {
	folder, err := filepath.Abs(filepath.Dir(x.State))
	for err == nil {
		var info fs.FileInfo
		if info, err = os.Stat(folder); err == nil {
			if !info.IsDir() {
				err = fmt.Errorf("%s is no folder", folder)
			}
			break
		}
		parent := filepath.Dir(folder)
		if !errors.Is(err, fs.ErrNotExist) || parent == folder {
			break
		}
		folder, err = parent, nil
	}
	if err == nil {
		err = writable(folder)
	}
	if err != nil {
		x.unwritable(err)
		return
	}
	x.ok("state", "", "there is none yet: the first run makes %s", x.State)
}

func (x *examination) unwritable(err error) {
	x.fail("state", "", &sync.Error{Class: sync.Storage, Err: fmt.Errorf("the state cannot be written: %w", err),
		Remedy: "give yourself the right to write there, or choose another file with --state"})
}

// lookAtDisk warns of a file system on which the state is not safe.
func (x *examination) lookAtDisk() {
	switch kind := x.FileSystem(x.State); kind {
	case "":
	case "tmpfs":
		x.warn("disk", "", "keep it on a disk with --state FILE; in a container, on a volume",
			"the state lies in memory (tmpfs): after a restart nothing is remembered, and all has to be recognised again")
	default:
		x.warn("disk", "", "keep it on a local disk with --state FILE",
			"the state lies on a network file system (%s), whose locks may not keep two runs apart", kind)
	}
}
