package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/sync"
)

// secretMax is more than any password or token has, in octets.
const secretMax = 64 << 10

// A Secret says where a password, or a token, is. The first that has it wins: file, command, environment, keyring,
// systemd's credentials, the user. Nothing of the secret itself ever gets into an error.
type Secret struct {
	File    string
	Command string

	value     string   // from Ask
	missed    error    // why Ask found none
	side, who string   // "from" or "to"; user and host
	label     string   // in the keyring, and of the credential
	variables []string // in the environment
	getenv    func(string) string
	keyring   *Ring
	missing   string // what to do when there is none
}

// Prepare says where else the passwords may be. alone: no other account runs, so that POP2IMAP_FROM_PASSWORD is meant
// for this one; of several each would give it to its own server.
func (j *Job) Prepare(getenv func(string) string, k *Ring, alone bool) {
	for _, e := range []*End{&j.From, &j.To} {
		options := fmt.Sprintf("--%s-password-file, --%s-password-command, or ", e.Side, e.Side)
		if j.Account != nil {
			options = fmt.Sprintf("%s_password_file or %s_password_command in [accounts.%s], ", e.Side, e.Side, j.Account.Name)
		}
		e.Secret.getenv, e.Secret.keyring = getenv, k
		j.prepare(&e.Secret, e.Side, e.Endpoint, options, alone)
	}
	if j.Twin != nil {
		j.Twin.Secret.getenv, j.Twin.Secret.keyring = getenv, k
		j.prepare(&j.Twin.Secret, "twin", j.Twin.Endpoint, "", alone)
	}
}

// prepare says where the password of one server may be. options are the flags or keys that could say it.
func (j *Job) prepare(s *Secret, side string, e Endpoint, options string, alone bool) {
	s.side, s.who = side, e.User+" at "+e.Host
	common := variable(side + "-password")
	if j.Account == nil {
		s.label, s.variables = e.place()+"."+side, []string{common}
		s.missing = fmt.Sprintf("set %s%s in the environment", options, common)
		return
	}
	own := j.Account.variable(side)
	s.label, s.variables = j.Account.Name+"."+side, []string{own}
	if alone {
		s.variables = append(s.variables, common)
	}
	s.missing = fmt.Sprintf("set %s%s in the environment, or say: pop2imap secret set %s %s", options, own, j.Account.Name, side)
}

// variable is the one in the environment with a password of the account: POP2IMAP_OFFICE_FROM_PASSWORD.
func (a *Account) variable(side string) string {
	name := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, a.Name)
	return variable(name + "_" + side + "_password")
}

// How says in words how the secret is got, as far as that is known without looking.
func (s *Secret) How() string {
	switch {
	case s.File != "":
		return "the file " + s.File
	case s.Command != "":
		return "a command"
	case s.fromEnvironment() != "":
		return "the environment"
	}
	return "the keyring, systemd's credentials, or a prompt"
}

// Ask gets the secret from where the user may have to say it, so that nobody is asked in the middle of a run. One from a
// file or a command is left to Get: a token does not last. ask is nil where there is no terminal.
func (s *Secret) Ask(ctx context.Context, ask func(prompt string) (string, error)) error {
	if s.File == "" && s.Command == "" && s.value == "" {
		s.value, s.missed = s.fromElsewhere(ctx, ask)
	}
	return s.missed
}

// Get gives the secret, after Ask, or the error of that. stderr is for what a command says.
func (s *Secret) Get(ctx context.Context, stderr io.Writer) (secret string, err error) {
	switch {
	case s.File != "":
		secret, err = s.fromFile()
	case s.Command != "":
		secret, err = s.fromCommand(ctx, stderr)
	default:
		secret, err = s.value, s.missed
	}
	if err == nil && secret == "" {
		err = s.empty()
	}
	return secret, err
}

// empty says who gave a secret without a letter.
func (s *Secret) empty() error {
	switch {
	case s.File != "":
		return s.problem(fmt.Errorf("the first line of %s is empty", s.File), "write the password there")
	case s.Command != "":
		return s.problem(fmt.Errorf("the command in --%s-password-command printed none", s.side), byHand)
	}
	return s.problem(errors.New("it is empty"), "")
}

// byHand is what to do about a command that gives no password.
const byHand = "run it by hand: it must print the password and end with status 0"

func (s *Secret) fromElsewhere(ctx context.Context, ask func(prompt string) (string, error)) (string, error) {
	if secret := s.fromEnvironment(); secret != "" {
		return secret, nil
	}
	secret, trouble := s.fromKeyring(ctx)
	if secret != "" {
		return secret, nil
	}
	secret, err := s.fromCredentials()
	if secret != "" || err != nil {
		return secret, err
	}
	if ask == nil {
		err := errors.New("there is none, and no terminal to ask at")
		if trouble != nil {
			err = fmt.Errorf("%w (%w)", err, trouble)
		}
		return "", s.problem(err, s.missing)
	}
	return ask(fmt.Sprintf("Password for %s: ", s.who))
}

func (s *Secret) problem(err error, remedy string) error {
	return &sync.Error{Class: sync.Config, Err: fmt.Errorf("password for %s: %w", s.who, err), Remedy: remedy}
}

func (s *Secret) fromEnvironment() string {
	for _, name := range s.variables {
		if secret := s.getenv(name); secret != "" {
			return secret
		}
	}
	return ""
}

// fromKeyring gives "" where the keyring has none, or there is no keyring. The error says what is wrong with it.
func (s *Secret) fromKeyring(ctx context.Context) (secret string, err error) {
	var kept string
	err = s.keyring.Do(ctx, func() (err error) {
		kept, err = s.keyring.Get(s.label)
		return err
	})
	if err == nil {
		secret = kept // not before: Do may have given up, and somebody still writes
	}
	if errors.Is(err, ErrNotKept) {
		err = nil
	}
	return secret, err
}

// fromCredentials looks for what systemd has prepared (systemd.exec(5), LoadCredential=); "" if it has not. Who can read
// it is systemd's business: an access list makes the mode look open.
func (s *Secret) fromCredentials() (string, error) {
	dir := s.getenv("CREDENTIALS_DIRECTORY")
	if dir == "" || strings.ContainsRune(s.label, filepath.Separator) {
		return "", nil
	}
	f, err := os.Open(filepath.Join(dir, s.label))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", s.problem(err, "")
	}
	defer f.Close()
	return s.read(f)
}

// fromFile reads a file that nobody else can read.
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
	return s.read(f)
}

// read reads the first line.
func (s *Secret) read(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, secretMax))
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
		return "", s.problem(fmt.Errorf("the command in --%s-password-command failed: %w", s.side, err), byHand)
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
