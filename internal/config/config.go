// Package config turns flags and environment into one validated value, and finds the secrets. What it returns has
// been checked as far as that is possible without a network: whoever gets a [Job] need not ask again whether it makes
// sense. A bad value is a [BadValue] (nothing was touched); what is wrong with a file or a secret has class
// [sync.Config].
package config

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// A BadValue is a flag or an argument that cannot be right.
type BadValue struct{ Err error }

func (e *BadValue) Error() string { return e.Err.Error() }
func (e *BadValue) Unwrap() error { return e.Err }

func bad(format string, args ...any) error { return &BadValue{fmt.Errorf(format, args...)} }

// A Job is what the user wants of one account.
type Job struct {
	From, To End
	Folder   string // "" before Check: the one in --to

	DryRun       bool
	Since, Until Date
	MaxMessages  int
	MaxSize      Size
	Rate         Rate
	Connections  int // to the destination; 0: tuned
	Flags        Mode
	SeenBefore   Age
	TrustHeaders bool
	NoDedup      bool
	Verify       Level
	Delete       Deletion
	MaxDelete    Limit
	Settle       time.Duration

	State    string
	Timeout  time.Duration
	Patience time.Duration
}

// An End is one of the two.
type End struct {
	Side     string // "from" or "to"
	URL      string
	Endpoint Endpoint // set by Check
	Secret   Secret
	CA       string // file
	Pin      Fingerprint
}

// Register registers the flags of a job that copies, with their defaults.
func (j *Job) Register(f *pflag.FlagSet) {
	j.registerEnds(f)
	f.BoolVarP(&j.DryRun, "dry-run", "n", false, "say what would happen; change nothing at either end, write no state")
	f.Var(&j.Delete, "delete", "`WHEN` a message is deleted at the source: never; verified, once it was read "+
		"back at the destination; or an age such as 14d, so long after it was delivered, and verified")
	f.Var(&j.MaxDelete, "max-delete", "delete none if more than `N` messages, or N% of the maildrop, are due (default no limit)")
	f.Var(&j.Verify, "verify", "read back what was stored, and compare: off, size or digest (`LEVEL`)")
	f.BoolVar(&j.NoDedup, "no-dedup", false, "do not look for messages that the destination already has")
	f.Var(&j.Since, "since", "copy only what arrived on or after `DATE` (2020-01-31)")
	f.Var(&j.Until, "until", "copy only what arrived before the end of `DATE`")
	f.IntVar(&j.MaxMessages, "max-messages", 0, "copy at most `N` messages in this run (0: all)")
	f.Var(&j.MaxSize, "max-size", "leave messages larger than `SIZE` (25M) at the source")
	f.Var(&j.Flags, "flags", "how flags are set: infer, seen or unseen (`MODE`)")
	f.Var(&j.SeenBefore, "seen-before", "messages older than `AGE` (30d) arrive as read")
	f.BoolVar(&j.TrustHeaders, "trust-headers", false, "believe Status and X-Status even where a sender could have written them")
	f.Var(&j.Rate, "rate", "retrieve, and so append, at most `SIZE/s` (500K)")
	f.IntVar(&j.Connections, "imap-connections", 0, "connections to the destination (`N`; default 1). More are faster where the "+
		"server has no LITERAL+, and messages then arrive out of order")
	f.DurationVar(&j.Settle, "settle", 30*time.Second, "wait before an interrupted APPEND may be taken for lost (`D`)")
	j.registerLines(f)
}

// RegisterVerify registers the flags of a job that only looks at the destination.
func (j *Job) RegisterVerify(f *pflag.FlagSet) {
	j.registerEnds(f)
	f.Var(&j.Verify, "level", "how closely: size or digest, which reads every message whole (`LEVEL`)")
	j.registerLines(f)
}

// registerEnds registers what says which account it is.
func (j *Job) registerEnds(f *pflag.FlagSet) {
	j.From.Side, j.To.Side = "from", "to"
	f.StringVar(&j.From.URL, "from", "", "the maildrop: `URL` pop3s://USER@HOST")
	f.StringVar(&j.To.URL, "to", "", "the destination: `URL` imaps://USER@HOST[/FOLDER]")
	f.StringVar(&j.Folder, "folder", "", "destination folder `NAME`, over the one in --to; created when missing (default INBOX)")
}

// registerLines registers what says how to get there, and where the memory is.
func (j *Job) registerLines(f *pflag.FlagSet) {
	f.DurationVar(&j.Timeout, "timeout", wire.DefaultTimeout, "longest silence tolerated on a connection (`D`)")
	f.DurationVar(&j.Patience, "patience", sync.DefaultPatience, "how long to go on trying after a lost line, or at a "+
		"locked maildrop (`D`; at most 10s while nothing was achieved)")
	for _, e := range []*End{&j.From, &j.To} {
		f.StringVar(&e.Secret.File, e.Side+"-password-file", "", "`FILE` with the password, readable by you alone")
		f.StringVar(&e.Secret.Command, e.Side+"-password-command", "", "`CMD` that prints the password")
		f.StringVar(&e.CA, e.Side+"-tls-ca", "", "trust the authorities in `FILE` (PEM) instead of the system's")
		f.Var(&e.Pin, e.Side+"-tls-fingerprint", "trust this one certificate: `sha256:HEX`")
	}
	RegisterState(f, &j.State)
}

// RegisterState registers --state alone.
func RegisterState(f *pflag.FlagSet, path *string) {
	f.StringVar(path, "state", "", "`FILE` of the state (default $XDG_STATE_HOME/pop2imap/state.db)")
}

// Environment gives each flag that was not set on the command line the value of POP2IMAP_…, if there is one.
func Environment(f *pflag.FlagSet, getenv func(string) string) (err error) {
	f.VisitAll(func(flag *pflag.Flag) {
		name := "POP2IMAP_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		value := getenv(name)
		if value == "" || flag.Changed || flag.Name == "help" || err != nil {
			return
		}
		if e := f.Set(flag.Name, value); e != nil {
			err = bad("%s: %w", name, errors.Unwrap(e))
		}
	})
	return err
}

// Check validates the job and fills in what follows from it.
func (j *Job) Check(getenv func(string) string) (err error) {
	if j.From.URL == "" || j.To.URL == "" {
		return bad("both --from and --to are needed")
	}
	if j.From.Endpoint, err = ParseFrom(j.From.URL); err != nil {
		return bad("--from: %w", err)
	}
	if j.To.Endpoint, err = ParseTo(j.To.URL); err != nil {
		return bad("--to: %w", err)
	}
	if j.Folder == "" {
		j.Folder = j.To.Endpoint.Folder
	}
	if j.Folder, err = folder(j.Folder); err != nil {
		return bad("--folder: %w", err)
	}
	j.To.Endpoint.Folder = j.Folder
	if err := j.checkNumbers(); err != nil {
		return err
	}
	j.From.Secret.prepare(j.From, getenv)
	j.To.Secret.prepare(j.To, getenv)
	j.State, err = StatePath(j.State, getenv)
	return err
}

// checkNumbers looks at what a flag alone could not see.
func (j *Job) checkNumbers() error {
	switch {
	case j.Timeout <= 0:
		return bad("--timeout must be more than 0")
	case j.Settle < 0:
		return bad("--settle must not be less than 0")
	case j.Connections < 0 || j.Connections > 20: // servers allow ten or so
		return bad("--imap-connections can be 1 to 20")
	case j.MaxMessages < 0:
		return bad("--max-messages must not be less than 0")
	case !j.Since.IsZero() && !j.Until.IsZero() && j.Until.Before(j.Since.Time):
		return bad("--until lies before --since")
	case j.Patience < 0:
		return bad("--patience must not be less than 0")
	case j.Delete.On && j.Verify == Level(sync.Unproved):
		return bad("--delete %s needs proof: --verify can be size or digest then, not off", j.Delete.String())
	}
	return nil
}

// Deletion is what of --delete and --max-delete package sync wants.
func (j *Job) Deletion() sync.Deletion {
	return sync.Deletion{On: j.Delete.On, Age: time.Duration(j.Delete.Age), Most: j.MaxDelete.Most, Percent: j.MaxDelete.Percent}
}

// Key is what the state knows the account by. Neither the way of protecting the line nor that of logging in is part of
// it: who goes from pop3:// to pop3s:// does not begin anew.
func (j *Job) Key() state.Key {
	return state.Key{From: j.From.Endpoint.place(), To: j.To.Endpoint.place() + "/" + j.Folder}
}

// Server says how to connect to an end.
func (e *End) Server(timeout time.Duration, trace func(dir, line string)) (wire.Server, error) {
	s := wire.Server{Host: e.Endpoint.Host, Port: e.Endpoint.Port, Security: e.Endpoint.Security, Side: e.Side,
		Fingerprint: e.Pin, Timeout: timeout, Trace: trace}
	if e.CA == "" {
		return s, nil
	}
	flag := "--" + e.Side + "-tls-ca"
	pem, err := os.ReadFile(e.CA)
	if err != nil {
		return s, &sync.Error{Class: sync.Config, Err: fmt.Errorf("%s: %w", flag, err)}
	}
	s.Roots = x509.NewCertPool()
	if !s.Roots.AppendCertsFromPEM(pem) {
		return s, &sync.Error{Class: sync.Config, Err: fmt.Errorf("%s: %s holds no certificate", flag, e.CA),
			Remedy: "it must be a PEM file: -----BEGIN CERTIFICATE-----"}
	}
	return s, nil
}

// StatePath is path, or the default place of the state (XDG Base Directory Specification).
func StatePath(path string, getenv func(string) string) (string, error) {
	if path != "" {
		return path, nil
	}
	dir := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) { // what is not absolute is to be ignored
		home := getenv("HOME")
		if home == "" {
			return "", &sync.Error{Class: sync.Config, Err: errors.New("no place for the state: HOME is not set"),
				Remedy: "say where it shall be with --state FILE"}
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "pop2imap", "state.db"), nil
}
