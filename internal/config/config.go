// Package config turns flags and environment into one validated value, and finds the secrets. What it returns has
// been checked as far as that is possible without a network: whoever gets a [Job] need not ask again whether it makes
// sense. A bad value is a [BadValue] (nothing was touched); what is wrong with a file or a secret has class
// [sync.Config].
package config

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// A BadValue is one that cannot be right: a flag, or what stands for it in the environment.
type BadValue struct {
	Flag string // without dashes; "": more than one
	Name string // the variable in the environment; "": it is not from there
	Err  error
}

func (e *BadValue) Error() string {
	switch {
	case e.Name != "":
		return e.Name + ": " + e.Err.Error()
	case e.Flag != "":
		return "--" + e.Flag + ": " + e.Err.Error()
	}
	return e.Err.Error()
}
func (e *BadValue) Unwrap() error { return e.Err }

func bad(flag, format string, args ...any) error {
	return &BadValue{Flag: flag, Err: fmt.Errorf(format, args...)}
}

// A Run is what the user wants of all accounts together.
type Run struct {
	Config string // "": the file that is found
	State  string // after Check never ""
	Jobs   int    // accounts side by side
	DryRun bool
	Report string // file; "": none is wanted

	Ping      Ping
	Metrics   string // file; "": none are wanted
	LogFormat LogFormat
	LogFile   string // "": stderr is the log

	Every    time.Duration // from the beginning of a pass to that of the next; 0: there is only one
	Shortest time.Duration // that this may be; 0: a minute
}

// A Job is what the user wants of one account.
type Job struct {
	Account  *Account // nil: --from and --to say which it is
	From, To End
	Folder   string // "" before Check: the one in --to

	Since, Until Date
	MaxMessages  int
	MaxSize      Size
	Rate         Rate
	Connections  int // to the destination; 0: tuned
	Flags        Mode
	SeenBefore   Age
	FlagsFrom    []string
	Twin         *End // the one that is a URL, set by Check; nil: none is
	TrustHeaders bool
	Identities   []string
	Sent, Junk   Filing
	NoDedup      bool
	Verify       Level
	Delete       Deletion
	MaxDelete    Limit
	Settle       time.Duration

	Timeout  time.Duration
	Patience time.Duration

	ComplainAfter Span // 0: at once
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
	f.Var(&j.Delete, "delete", "`WHEN` a message is deleted at the source: never; verified, once it was read "+
		"back at the destination; or an age such as 14d, so long after it was delivered, and verified")
	f.Var(&j.MaxDelete, "max-delete", "delete none if more than `N` messages, or N% of the maildrop, are due (default no limit)")
	f.Var(&j.Verify, "verify", "read back what was stored, and compare: off, size or digest (`LEVEL`)")
	f.BoolVar(&j.NoDedup, "no-dedup", false, "do not look for messages that the destination already has")
	f.Var(&j.Since, "since", "copy only what arrived on or after `DATE` (2020-01-31)")
	f.Var(&j.Until, "until", "copy only what arrived before the end of `DATE`")
	f.IntVar(&j.MaxMessages, "max-messages", 0, "copy at most `N` messages in this run (0: all)")
	f.Var(&j.MaxSize, "max-size", "leave messages larger than `SIZE` (25M) at the source")
	j.registerEvidence(f)
	f.Var(&j.Rate, "rate", "retrieve, and so append, at most `SIZE/s` (500K)")
	f.IntVar(&j.Connections, "imap-connections", 0, "connections to the destination (`N`; default 1). More are faster where the "+
		"server has no LITERAL+, and messages then arrive out of order")
	f.DurationVar(&j.Settle, "settle", 30*time.Second, "wait before an interrupted APPEND may be taken for lost (`D`)")
	j.registerLines(f)
	j.ComplainAfter = Span(6 * time.Hour) // an evening's maintenance; a night's outage is told in the morning
	f.Var(&j.ComplainAfter, "complain-after", "with --quiet, temporary trouble (exit code 75) stays unsaid until it has lasted `D` "+
		"(90m, 6h, 2d; 0: at once)")
}

// RegisterVerify registers the flags of a job that only looks at the destination.
func (j *Job) RegisterVerify(f *pflag.FlagSet) {
	j.registerEnds(f)
	f.Var(proof{&j.Verify}, "level", "how closely: size or digest, which reads every message whole (`LEVEL`)")
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
		RegisterTrust(f, e.Side, &e.CA, &e.Pin)
	}
}

// RegisterTrust registers what says which certificate of a side is trusted, if not by the system's store.
func RegisterTrust(f *pflag.FlagSet, side string, ca *string, pin *Fingerprint) {
	f.StringVar(ca, side+"-tls-ca", "", "trust the authorities in `FILE` (PEM) instead of the system's")
	f.Var(pin, side+"-tls-fingerprint", "trust this one certificate: `sha256:HEX`")
}

// Register registers the flags of a run that works on accounts.
func (r *Run) Register(f *pflag.FlagSet) {
	f.IntVar(&r.Jobs, "jobs", 4, "accounts at the same time (`N`)")
	r.RegisterFiles(f)
}

// RegisterCopying registers those of a run that copies.
func (r *Run) RegisterCopying(f *pflag.FlagSet) {
	f.BoolVarP(&r.DryRun, "dry-run", "n", false, "say what would happen; change nothing at either end, write no state")
	f.StringVar(&r.Report, "report", "", "write to `FILE` a JSON line a message: uidl, digest, size, folder, uid, flags and date and "+
		"why, outcome. It is begun anew in each run")
	r.registerTalk(f)
	r.Register(f)
}

// RegisterEvery registers what makes one run after the other.
func (r *Run) RegisterEvery(f *pflag.FlagSet) {
	f.DurationVar(&r.Every, "every", 0, "run again and again, `D` (15m) after the last run began, until SIGINT or SIGTERM: where "+
		"there is no cron (0: run once, as a dry run does)")
}

// RegisterFiles registers what says where config and memory are.
func (r *Run) RegisterFiles(f *pflag.FlagSet) {
	f.StringVar(&r.State, "state", "", "`FILE` of the state (default $XDG_STATE_HOME/pop2imap/state.db)")
	r.RegisterConfig(f)
}

// RegisterConfig registers --config alone.
func (r *Run) RegisterConfig(f *pflag.FlagSet) {
	f.StringVarP(&r.Config, "config", "c", "", "`FILE` with accounts (default $XDG_CONFIG_HOME/pop2imap/config.toml)")
}

// Check validates the run and fills in what follows from it.
func (r *Run) Check(getenv func(string) string) (err error) {
	if r.Jobs < 1 || r.Jobs > 100 { // each has some 20 MiB and a few connections
		return bad("jobs", "it can be 1 to 100")
	}
	if least := cmp.Or(r.Shortest, time.Minute); r.Every != 0 && r.Every < least {
		return bad("every", "it must be at least %s, or 0 for one run", least)
	}
	r.State, err = StatePath(r.State, getenv)
	return err
}

// Check validates a job that --from and --to describe.
func (j *Job) Check() error {
	if j.From.URL == "" || j.To.URL == "" {
		return bad("", "both --from and --to are needed, or a config file with accounts, as pop2imap init writes it")
	}
	return j.check()
}

// check validates the job and fills in what follows from it.
func (j *Job) check() (err error) {
	for _, e := range []*End{&j.From, &j.To} {
		if e.URL == "" {
			return bad(e.Side, "it is missing")
		}
	}
	if j.From.Endpoint, err = ParseFrom(j.From.URL); err != nil {
		return bad("from", "%w", err)
	}
	if j.To.Endpoint, err = ParseTo(j.To.URL); err != nil {
		return bad("to", "%w", err)
	}
	if j.Folder == "" {
		j.Folder = j.To.Endpoint.Folder
	}
	if j.Folder, err = folder(j.Folder); err != nil {
		return bad("folder", "%w", err)
	}
	j.To.Endpoint.Folder = j.Folder
	if err := j.checkEvidence(); err != nil {
		return err
	}
	return j.checkNumbers()
}

// checkNumbers looks at what a flag alone could not see.
func (j *Job) checkNumbers() error {
	switch {
	case j.Timeout <= 0:
		return bad("timeout", "it must be more than 0")
	case j.Settle < 0:
		return bad("settle", "it must not be less than 0")
	case j.Connections < 0 || j.Connections > 20: // servers allow ten or so
		return bad("imap-connections", "it can be 1 to 20")
	case j.MaxMessages < 0:
		return bad("max-messages", "it must not be less than 0")
	case !j.Since.IsZero() && !j.Until.IsZero() && j.Until.Before(j.Since.Time):
		return bad("until", "it lies before --since")
	case j.Patience < 0:
		return bad("patience", "it must not be less than 0")
	case j.Delete.On && j.Verify == Level(sync.Unproved):
		return bad("delete", "%s needs proof: --verify can be size or digest then, not off", j.Delete.String())
	}
	return nil
}

// Name is what the account is called: in the file, or else by the user at the maildrop.
func (j *Job) Name() string {
	if j.Account != nil {
		return j.Account.Name
	}
	return j.From.Endpoint.User
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

// Mailbox names the IMAP account at the destination.
func (j *Job) Mailbox() string { return j.To.Endpoint.place() }

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

// CheckFiles looks for what the job names: password files, that nobody else can read, and certificates. The error tells
// all that is wrong.
func (j *Job) CheckFiles() error {
	var wrong []error
	for _, e := range []*End{&j.From, &j.To} {
		e.Secret.who = e.Endpoint.User + " at " + e.Endpoint.Host
		if e.Secret.File != "" {
			_, err := e.Secret.fromFile()
			wrong = append(wrong, err)
		}
		_, err := e.Server(j.Timeout, nil)
		wrong = append(wrong, err)
	}
	return errors.Join(append(wrong, j.CheckWitnesses())...)
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
