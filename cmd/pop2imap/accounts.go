package main

import (
	"cmp"
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/config"
)

// A wish is what the command line asks for, of a command that works on accounts.
type wish struct {
	config.Run
	look
	job      config.Job // of --from and --to; and its flags go before what the file says of each account
	register func(*config.Job, *pflag.FlagSet)
	before   bool // only what was synced before is of interest: the state must be there
	onlyTo   bool // the maildrop is not talked to
	looks    bool // what is missing (a password, the state) does not end it: the task looks for itself
}

// copies says whether the command is one that copies, and remembers that.
func (w *wish) copies() bool { return !w.onlyTo && !w.looks }

// account is what the user calls an account and its two ends.
type account struct{ name, from, to string }

// A candidate is one account of a run.
type candidate struct {
	job     *config.Job // nil: what is wrong is in the config
	account account
	err     error // why it cannot begin
}

// hear finds the config file, and completes the flags by it and by the environment.
func (p *program) hear(f *pflag.FlagSet, path string) (*config.Said, error) {
	if path == "" {
		path = p.getenv("POP2IMAP_CONFIG")
	}
	file, err := config.Find(path, ofRun(), p.getenv)
	if err != nil {
		return nil, err
	}
	return config.Hear(f, file, p.getenv)
}

// ofRun are the flags that are of a run as a whole.
func ofRun() *pflag.FlagSet {
	var w wish
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	w.registerRun(f)
	return f
}

func (w *wish) registerRun(f *pflag.FlagSet) {
	w.registerOnce(f)
	w.RegisterEvery(f)
}

// registerOnce is without what makes one run after the other.
func (w *wish) registerOnce(f *pflag.FlagSet) {
	w.RegisterCopying(f)
	w.look.register(f)
	w.look.registerProgress(f)
}

// choose gives the accounts that a command works on: that of --from and --to, those that are named, or all of the config
// file. An error means that nothing is to be touched.
func (p *program) choose(cmd *cobra.Command, names []string, w *wish) ([]*candidate, error) {
	said, err := p.hear(cmd.Flags(), w.Config)
	if err != nil {
		return nil, err
	}
	p.log = &journal{run: &w.Run}
	if err := cmp.Or(w.Run.Check(p.getenv), w.look.check()); err != nil {
		return nil, said.Blame(err)
	}
	if w.job.From.URL == "" && w.job.To.URL == "" && (said.File != nil || len(names) > 0) {
		return p.fromFile(said, names, w)
	}
	if len(names) > 0 {
		return nil, &usage{errors.New("name accounts of the config file, or say --from and --to, but not both")}
	}
	if err := w.job.Check(); err != nil {
		return nil, said.Blame(err)
	}
	return []*candidate{{&w.job, accountOf(&w.job), nil}}, nil
}

func (p *program) fromFile(said *config.Said, names []string, w *wish) (list []*candidate, err error) {
	if said.File == nil {
		return nil, config.NoFile(p.getenv)
	}
	accounts, err := said.File.Choose(names)
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		job, err := said.Job(a, w.register)
		if bad, ok := errors.AsType[*config.BadValue](err); ok {
			return nil, bad
		}
		c := &candidate{job, account{name: a.Name}, err}
		if err == nil {
			c.account = accountOf(job)
		}
		list = append(list, c)
	}
	return list, nil
}

func accountOf(job *config.Job) account {
	return account{job.Name(), job.From.Endpoint.String(), job.To.Endpoint.String()}
}
