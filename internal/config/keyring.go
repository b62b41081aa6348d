package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/zalando/go-keyring"
)

// A Keyring keeps passwords, by a label. It may wait, for a person to unlock it.
type Keyring interface {
	// Get gives [ErrNotKept] if there is no password with the label.
	Get(label string) (string, error)
	Set(label, secret string) error
	// Delete gives [ErrNotKept] if there was none.
	Delete(label string) error
}

// ErrNotKept: the keyring has no such password.
var ErrNotKept = keyring.ErrNotFound

// keyringTime is what a person needs to type the password of the keyring; from cron nobody does.
const keyringTime = 30 * time.Second

// A Ring is a keyring as one run uses it, from one goroutine. After it has failed once it is not asked again: twenty accounts do not
// wait twenty times for somebody who would unlock it.
type Ring struct {
	Keyring
	failed error
}

// Do does something with the keyring, but not for longer than a person needs to unlock it. The error is that of do,
// the context's, or an earlier one.
func (r *Ring) Do(ctx context.Context, do func() error) error {
	if r.failed != nil {
		return r.failed
	}
	ctx, cancel := context.WithTimeoutCause(ctx, keyringTime, errors.New("the keyring does not answer: is it locked?"))
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do() }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, ErrNotKept) {
		r.failed = err
	}
	return err
}

// SystemKeyring is that of the user's session: Secret Service over D-Bus, the macOS keychain, or Windows' credentials.
type SystemKeyring struct{ Getenv func(string) string }

var _ Keyring = SystemKeyring{}

const keyringService = "pop2imap"

func (k SystemKeyring) Get(label string) (string, error) {
	if err := k.there(); err != nil {
		return "", err
	}
	return keyring.Get(keyringService, label)
}

func (k SystemKeyring) Set(label, secret string) error {
	if err := k.there(); err != nil {
		return err
	}
	return keyring.Set(keyringService, label, secret)
}

func (k SystemKeyring) Delete(label string) error {
	if err := k.there(); err != nil {
		return err
	}
	return keyring.Delete(keyringService, label)
}

// there says whether there is a session bus. Without one the D-Bus library would start a bus of its own (dbus-launch),
// with each run from cron another.
func (k SystemKeyring) there() error {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		return nil
	}
	if a := k.Getenv("DBUS_SESSION_BUS_ADDRESS"); a != "" && a != "autolaunch:" {
		return nil
	}
	if _, err := os.Stat(fmt.Sprintf("/run/user/%d/bus", os.Getuid())); err == nil {
		return nil
	}
	return errors.New("there is no session bus, and so no keyring")
}
