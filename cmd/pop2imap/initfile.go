package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/sync"
)

// label is what sync looks for in the keyring.
func (s *setup) label(e *newEnd) string { return s.name + "." + e.side }

// passwordFile is where a password that was typed goes, if not to the keyring.
func (s *setup) passwordFile(e *newEnd) string {
	return filepath.Join(filepath.Dir(s.path), s.label(e))
}

// keyrings asks whether the keyring shall have a password: of somebody at a terminal, and only where there is a keyring.
func (s *setup) keyrings(ctx context.Context) error {
	ring := &config.Ring{Keyring: s.keyring}
	for _, e := range []*newEnd{&s.from, &s.to} {
		if s.q.ask == nil || e.password == "" {
			continue
		}
		err := ring.Do(ctx, func() error { _, err := s.keyring.Get(s.label(e)); return err })
		switch {
		case ctx.Err() != nil:
			return &sync.Error{Class: sync.Stopped, Err: context.Cause(ctx)}
		case err == nil:
			s.q.say("The keyring has a password %s, which is not overwritten: this one goes to a file.", s.label(e))
		case errors.Is(err, config.ErrNotKept):
			prompt := fmt.Sprintf("Keep the password for %s in the keyring, which cron has not, and not in a file [y/N]: ", e.endpoint.Host)
			if err := s.q.until(prompt, yes(&e.keyring)); err != nil {
				return err
			}
		}
	}
	return nil
}

// yes takes the answer to a question that is no unless somebody says y.
func yes(is *bool) func(answer string) error {
	return func(answer string) error {
		switch strings.ToLower(answer) {
		case "y", "yes":
			*is = true
		case "", "n", "no":
			*is = false
		default:
			return errors.New("it can be y or n")
		}
		return nil
	}
}

// What to do about a file that is there: the config, or one with a password.
const (
	addByHand  = "add the account to it by hand (pop2imap help config), or name another file with --config FILE"
	otherNames = "name another config file with --config FILE, or another account with --name"
)

// absent refuses a file that is there, before the user has answered a single question for nothing.
func absent(path, remedy string) error {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return there(path, remedy)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return &sync.Error{Class: sync.Config, Err: fmt.Errorf("look for the config: %w", err)}
	}
}

func there(path, remedy string) error {
	return &sync.Error{Class: sync.Config, Err: fmt.Errorf("%s is there already, and is not overwritten", path), Remedy: remedy}
}

// write writes the passwords, and then the config that names their files. If something goes wrong nothing is left.
func (s *setup) write(ctx context.Context) (err error) {
	if !utf8.ValidString(s.path + "\n" + s.from.command + "\n" + s.to.command) {
		return &sync.Error{Class: sync.Config, Err: errors.New("a path or a command is not UTF-8, as the config must be")}
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return &sync.Error{Class: sync.Storage, Err: fmt.Errorf("write the config: %w", err)}
	}
	var made []func()
	defer func() {
		if err != nil {
			for _, undo := range made {
				undo()
			}
		}
	}()
	for _, e := range []*newEnd{&s.from, &s.to} {
		if e.password == "" {
			continue
		}
		if err := s.keepPassword(ctx, e); err != nil {
			return err
		}
		made = append(made, func() { s.dropPassword(ctx, e) })
	}
	return create(s.path, s.text())
}

func (s *setup) keepPassword(ctx context.Context, e *newEnd) error {
	if e.keyring {
		return s.inKeyring(ctx, s.label(e), "kept in the keyring", func() error { return s.keyring.Set(s.label(e), e.password) })
	}
	return create(s.passwordFile(e), e.password+"\n")
}

// dropPassword undoes that as far as it can: what went wrong is what the user is told.
func (s *setup) dropPassword(ctx context.Context, e *newEnd) {
	if e.keyring {
		ring := &config.Ring{Keyring: s.keyring}
		ring.Do(context.WithoutCancel(ctx), func() error { return s.keyring.Delete(s.label(e)) })
		return
	}
	os.Remove(s.passwordFile(e))
}

// create makes a file that nobody else can read. It never writes into one that is there.
func create(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return there(path, otherNames)
	}
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Sync(), f.Close())
		if err != nil {
			os.Remove(path)
		}
	}
	if err != nil {
		return &sync.Error{Class: sync.Storage, Err: fmt.Errorf("write the config: %w", err)}
	}
	return nil
}

// text is the config file.
func (s *setup) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Made by pop2imap init. Every flag of pop2imap sync can be a key here, with _ for -.\n\n[accounts.%s]\n", s.name)
	for _, e := range []*newEnd{&s.from, &s.to} {
		fmt.Fprintf(&b, "%s = %s\n", e.side, quoted(e.endpoint.String()))
	}
	if own := s.identities(); len(own) > 0 {
		fmt.Fprintf(&b, "identity = [%s]\n", strings.Join(own, ", "))
	}
	for _, e := range []*newEnd{&s.from, &s.to} {
		if e.ca != "" {
			fmt.Fprintf(&b, "%s_tls_ca = %s\n", e.side, quoted(e.ca))
		}
		if pin := e.pin.String(); pin != "" {
			fmt.Fprintf(&b, "%s_tls_fingerprint = %s\n", e.side, quoted(pin))
		}
		switch {
		case e.keyring:
			fmt.Fprintf(&b, "# the password for %s is in the keyring, as %s\n", e.side, s.label(e))
		case e.password != "":
			fmt.Fprintf(&b, "%s_password_file = %s\n", e.side, quoted(s.passwordFile(e)))
		default:
			fmt.Fprintf(&b, "%s_password_command = %s\n", e.side, quoted(e.command))
		}
	}
	return b.String()
}

// identities are the two addresses, quoted: mail from them is the user's own.
func (s *setup) identities() (list []string) {
	for _, e := range []*newEnd{&s.from, &s.to} {
		address := e.address.Local + "@" + e.address.Domain
		if same := quoted(address); config.IsAddress(address) && utf8.ValidString(address) && !slices.Contains(list, same) {
			list = append(list, same)
		}
	}
	return list
}

// quoted is a basic string of TOML (v1.0.0, String).
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
