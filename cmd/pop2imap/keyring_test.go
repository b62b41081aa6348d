package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pop2imap/pop2imap/internal/config"
)

// A drawer is a keyring for tests: a folder with a file a password. "": there is no keyring.
type drawer string

func (d drawer) there() error {
	if d == "" {
		return errors.New("there is no keyring here")
	}
	return os.MkdirAll(string(d), 0o700)
}

func (d drawer) path(label string) string { return filepath.Join(string(d), label) }

func (d drawer) Get(label string) (string, error) {
	if err := d.there(); err != nil {
		return "", err
	}
	secret, err := os.ReadFile(d.path(label))
	if errors.Is(err, fs.ErrNotExist) {
		err = config.ErrNotKept
	}
	return string(secret), err
}

func (d drawer) Set(label, secret string) error {
	if err := d.there(); err != nil {
		return err
	}
	return os.WriteFile(d.path(label), []byte(secret), 0o600)
}

func (d drawer) Delete(label string) error {
	if err := d.there(); err != nil {
		return err
	}
	err := os.Remove(d.path(label))
	if errors.Is(err, fs.ErrNotExist) {
		err = config.ErrNotKept
	}
	return err
}
