package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/sync"
)

// config is the command that looks at the config file.
func (p *program) config() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Look at the config file: what is in force, and whether it is right",
		Long: `pop2imap init writes a config file with one account; others can be added by
hand. It is $XDG_CONFIG_HOME/pop2imap/config.toml, or else
/etc/pop2imap/config.toml, or --config FILE:

  [defaults]
  verify = "digest"

  [accounts.alice]
  from = "pop3s://alice@pop.old.example"
  to = "imaps://alice@imap.new.example/INBOX"
  from_password_command = "pass show old/alice"
  to_password_file = "/home/alice/.secrets/new"

Each flag of sync is a key, with "_" for "-". A flag goes before the environment
(POP2IMAP_MAX_SIZE for max_size), that before the account, that before
[defaults]. The file is refused if others can write it, and passwords do not
belong there.`,
		Example: `  pop2imap config validate
  pop2imap config show alice`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.configShow(), p.configValidate())
	return cmd
}

func (p *program) configShow() *cobra.Command {
	w := wish{register: (*config.Job).Register}
	cmd := &cobra.Command{
		Use:   "show [ACCOUNT...]",
		Short: "What is in force, and where each value comes from",
		Long: `show prints what sync would work with: the value of each key, and whether it
comes from a flag, the environment, the account or [defaults] (with the line),
or is built in. No password is printed, no command that gives one, and not
where --ping goes to.`,
		Example: `  pop2imap config show
  pop2imap config show alice --verify digest`,
		RunE: func(cmd *cobra.Command, names []string) error {
			said, err := p.hear(cmd.Flags(), w.Config)
			if err != nil {
				return err
			}
			if said.File == nil {
				return config.NoFile(p.getenv)
			}
			accounts, err := said.File.Choose(names)
			if err != nil {
				return err
			}
			return p.showConfig(cmd, said, accounts)
		},
	}
	w.register(&w.job, cmd.Flags())
	w.registerRun(cmd.Flags())
	cmd.Flags().SortFlags = false
	return cmd
}

func (p *program) showConfig(cmd *cobra.Command, said *config.Said, accounts []*config.Account) error {
	fmt.Fprintf(p.out, "# %s\n", said.File.Path)
	printSettings(p.out, said.OfRun(cmd.Flags()))
	var wrong []error
	for _, a := range accounts {
		job, err := said.Job(a, (*config.Job).Register)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		list, err := said.OfAccount(a)
		if err != nil {
			return err
		}
		job.Prepare(p.getenv, &config.Ring{Keyring: p.keyring}, len(accounts) == 1)
		fmt.Fprintf(p.out, "\n[accounts.%q]\n", a.Name)
		printSettings(p.out, list)
		fmt.Fprintf(p.out, "# the password for from comes from %s\n# the password for to comes from %s\n",
			job.From.Secret.How(), job.To.Secret.How())
	}
	return together(wrong)
}

func printSettings(w io.Writer, list []config.Setting) {
	for _, s := range list {
		from := s.Layer
		switch {
		case from == "":
			from = "built in"
		case s.Line > 0:
			from = fmt.Sprintf("%s, line %d", from, s.Line)
		}
		fmt.Fprintf(w, "%-40s # %s\n", s.Key+" = "+s.Value, from)
	}
}

func (p *program) configValidate() *cobra.Command {
	var w wish
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Whether the config file is right; if not, all that is wrong",
		Long: `validate reads the config file, and looks for the files that it names:
passwords, that nobody else must be able to read, and certificates. With 0 all
is well; with 78 it has told all that is not, each with its line.`,
		Example: `  pop2imap config validate
  pop2imap config validate --config ./config.toml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.validate(cmd, &w) },
	}
	w.registerRun(cmd.Flags())
	return cmd
}

func (p *program) validate(cmd *cobra.Command, w *wish) error {
	path := w.Config
	if path == "" {
		path = p.getenv("POP2IMAP_CONFIG")
	}
	file, err := config.Find(path, ofRun(), p.getenv)
	if file == nil && err == nil {
		err = config.NoFile(p.getenv)
	}
	if file == nil {
		return err
	}
	wrong := []error{err}
	quiet := w.quiet // as said here: the file may want it of every run, and this answer is asked for
	said, err := config.Hear(cmd.Flags(), file, p.getenv)
	if err != nil {
		return err
	}
	wrong = append(wrong, said.Blame(w.Run.Check(p.getenv)), said.Blame(w.look.check()))
	for _, a := range file.Accounts {
		job, err := said.Job(a, (*config.Job).Register)
		if err != nil {
			wrong = append(wrong, err)
		} else if err = job.CheckFiles(); err != nil {
			for _, one := range apiece(err) {
				wrong = append(wrong, sync.Doing(one, "%s:%d: account %s", file.Path, a.Line(), a.Name))
			}
		}
	}
	if err := together(wrong); err != nil {
		return err
	}
	if !quiet {
		fmt.Fprintf(p.out, "%s  %s, no fault\n", file.Path, units.Plural(len(file.Accounts), "account"))
	}
	return nil
}

// together makes one error of class Config of all that are wrong; nil if none is.
func together(wrong []error) error {
	if err := errors.Join(wrong...); err != nil {
		return &sync.Error{Class: sync.Config, Err: err}
	}
	return nil
}
