package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/pop2imap/pop2imap/sync"
)

// signalled is what the user, or the system, wants of a run that is under way: the first SIGINT or SIGTERM to finish what
// is on the wire, the second to leave at once. SIGUSR1 only asks how things are.
type signalled struct {
	stop    chan struct{}
	first   os.Signal // set when stop is closed
	release func()
}

func signals(ctx context.Context, t *terminal) (context.Context, *signalled) {
	ctx, cancel := context.WithCancelCause(ctx)
	in := make(chan os.Signal, 2)
	signal.Notify(in, syscall.SIGINT, syscall.SIGTERM)
	sig := &signalled{stop: make(chan struct{})}
	sig.release = func() {
		signal.Stop(in)
		cancel(nil)
	}
	asked := asks()
	go func() {
		for {
			select {
			case <-asked:
				t.tellStanding()
			case <-ctx.Done():
				return
			}
		}
	}()
	go func() {
		select {
		case sig.first = <-in:
			t.notice(t.all, "stopping (once more: at once)")
			close(sig.stop)
		case <-ctx.Done():
			return
		}
		select {
		case <-in:
			cancel(errors.New("stopped at once"))
		case <-ctx.Done():
		}
	}()
	return ctx, sig
}

// wrap gives the error of a run that was stopped the exit code of the signal.
func (s *signalled) wrap(err error) error {
	if err == nil || sync.ClassOf(err) != sync.Stopped {
		return err
	}
	if !closed(s.stop) {
		return err
	}
	return &stopped{err, s.exit()}
}

// exit is the exit code of a run that was stopped.
func (s *signalled) exit() int {
	if !closed(s.stop) { // not by a signal
		return exits[sync.Stopped]
	}
	return 128 + int(s.first.(syscall.Signal))
}
