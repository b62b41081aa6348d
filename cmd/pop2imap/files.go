package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/sync"
)

// foreign refuses a file that a flag names and that holds something else than it would write, which may be the state. What it
// writes begins with one of starts. The file need not be there.
func foreign(path, flag, kind string, starts ...string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fileError(flag, err)
	case !info.Mode().IsRegular() || info.Size() == 0: // a pipe or a terminal has nothing to lose
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return fileError(flag, err)
	}
	defer file.Close()
	head := make([]byte, 100)
	n, err := io.ReadFull(file, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return fileError(flag, err)
	}
	if !slices.ContainsFunc(starts, func(start string) bool { return bytes.HasPrefix(head[:n], []byte(start)) }) {
		return &config.BadValue{Flag: flag, Err: fmt.Errorf("%s is there and is no %s: remove it, or choose another file", path, kind)}
	}
	return nil
}

// fileError is what is wrong with a file that a flag names.
func fileError(flag string, err error) error {
	return &sync.Error{Class: sync.Storage, Err: fmt.Errorf("--%s: %w", flag, err), Remedy: "look at the disk, or choose another file"}
}

// replace puts a file in the place of another, whole or not at all: who reads it sees this one, or that.
func replace(path, text string, mode fs.FileMode) error {
	part, err := beside(path)
	if err != nil {
		return err
	}
	_, err = part.WriteString(text)
	err = errors.Join(err, part.Chmod(mode), part.Sync(), part.Close())
	if err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		os.Remove(part.Name())
	}
	return err
}

// beside makes a file that is to take the place of another. Who looks for names that end as that one's passes it over.
func beside(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
}
