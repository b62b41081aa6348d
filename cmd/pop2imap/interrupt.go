package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/pop2imap/pop2imap/sync"
)

// signalled is what the user, or the system, wants of a run that is under way: the first SIGINT or SIGTERM to finish what
// is on the wire, the second to leave at once.
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
	select {
	case <-s.stop:
		return &stopped{err, 128 + int(s.first.(syscall.Signal))}
	default:
		return err
	}
}

// An asker asks for a password; nil: there is no terminal.
type asker = func(prompt string) (string, error)

// asker asks for a password at a terminal, until stop is closed; it is nil where there is no terminal.
func (p *program) asker(stop <-chan struct{}) asker {
	fd := int(p.in.Fd())
	if !term.IsTerminal(fd) || !isTerminal(p.err) {
		return nil
	}
	return func(prompt string) (secret string, err error) {
		before, err := term.GetState(fd)
		if err != nil {
			return "", err
		}
		fmt.Fprint(p.err, prompt)
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			var line []byte
			line, err = term.ReadPassword(fd)
			secret = string(line)
		}()
		select {
		case <-answered:
			fmt.Fprintln(p.err)
			return secret, err
		case <-stop:
			term.Restore(fd, before) // ReadPassword had turned the echo off
			fmt.Fprintln(p.err)
			return "", &sync.Error{Class: sync.Stopped, Err: errors.New("stopped while asking for a password")}
		}
	}
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
