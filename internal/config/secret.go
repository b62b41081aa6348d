package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/sync"
)

// secretMax is more than any password or token has, in octets.
const secretMax = 64 << 10

// A Secret says where a password, or a token, is. The first that is set wins, in this order. Nothing of the secret
// itself ever gets into an error.
type Secret struct {
	File    string
	Command string
	value   string // from the environment

	side, who string
}

// prepare fills in what the other settings of the end say.
func (s *Secret) prepare(e End, getenv func(string) string) {
	s.side = e.Side
	s.who = e.Endpoint.User + " at " + e.Endpoint.Host
	s.value = getenv("POP2IMAP_" + strings.ToUpper(e.Side) + "_PASSWORD")
}

// Get finds the secret. ask asks the user; it is nil where there is no terminal. stderr is for what a command says.
func (s *Secret) Get(ctx context.Context, ask func(prompt string) (string, error), stderr io.Writer) (string, error) {
	var secret string
	var err error
	switch {
	case s.File != "":
		secret, err = s.fromFile()
	case s.Command != "":
		secret, err = s.fromCommand(ctx, stderr)
	case s.value != "":
		return s.value, nil
	case ask != nil:
		secret, err = ask(fmt.Sprintf("Password for %s: ", s.who))
	default:
		return "", s.problem(errors.New("there is none, and no terminal to ask at"), fmt.Sprintf(
			"set --%s-password-file, --%s-password-command, or POP2IMAP_%s_PASSWORD in the environment",
			s.side, s.side, strings.ToUpper(s.side)))
	}
	if err != nil {
		return "", err
	}
	if secret == "" {
		return "", s.problem(errors.New("it is empty"), "")
	}
	return secret, nil
}

func (s *Secret) problem(err error, remedy string) error {
	return &sync.Error{Class: sync.Config, Err: fmt.Errorf("password for %s: %w", s.who, err), Remedy: remedy}
}

// fromFile reads the first line of a file that nobody else can read.
func (s *Secret) fromFile() (string, error) {
	f, err := os.Open(s.File)
	if err != nil {
		return "", s.problem(err, "")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", s.problem(err, "")
	}
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o077 != 0 {
		return "", s.problem(fmt.Errorf("others can read %s (mode %04o)", s.File, mode.Perm()), "chmod 600 "+s.File)
	}
	text, err := io.ReadAll(io.LimitReader(f, secretMax))
	if err != nil {
		return "", s.problem(err, "")
	}
	return firstLine(text), nil
}

// fromCommand runs a shell command and takes the first line that it prints.
func (s *Secret) fromCommand(ctx context.Context, stderr io.Writer) (string, error) {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", s.Command)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, &limited{&out}, stderr // it may ask for a passphrase
	cmd.WaitDelay = 5 * time.Second                                      // a child that keeps the pipe open must not keep us
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", &sync.Error{Class: sync.Stopped, Err: context.Cause(ctx)}
		}
		return "", s.problem(fmt.Errorf("the command in --%s-password-command failed: %w", s.side, err),
			"run it by hand: it must print the password and end with status 0")
	}
	return firstLine(out.Bytes()), nil
}

// limited takes what a secret can have and refuses the rest. (Not by embedding: io.Copy would find ReadFrom.)
type limited struct{ to *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.to.Len()+len(p) > secretMax {
		return 0, errors.New("it printed more than a password")
	}
	return l.to.Write(p)
}

func firstLine(text []byte) string {
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(line, "\r")
}
