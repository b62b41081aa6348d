package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// sync is the command that does the job.
func (p *program) sync() *cobra.Command {
	cmd := p.copying(false)
	cmd.Use = "sync [ACCOUNT...] | sync --from URL --to URL"
	cmd.Short = "Copy what is new in a maildrop into an IMAP folder"
	cmd.Long = `sync copies what is new in the maildrop at --from into the IMAP folder at --to,
or does so for the accounts of the config file (pop2imap config --help): those
that are named, or all. Up to --jobs of them run at the same time, but no more
than two at one POP3 host, one at a maildrop and one at an IMAP account. One
that fails does not stop the others; the exit code is the gravest.

  pop3s:// imaps://                    TLS from the first byte
  pop3:// imap://                      STLS or STARTTLS, or no connection
  pop3+insecure:// imap+insecure://    cleartext: all can be read on the way
  ?auth=MECH                           one way to log in: plain, login,
                                       cram-md5, scram-sha-256, xoauth2,
                                       oauthbearer, for POP3 also apop and user
                                       (default: the strongest that both know)

The password comes from --from-password-file, --from-password-command,
POP2IMAP_FROM_PASSWORD in the environment, the keyring (pop2imap secret --help),
systemd's credentials, or is asked for; the same with "to". With several
accounts the variable is POP2IMAP_NAME_FROM_PASSWORD. With xoauth2 and
oauthbearer the password is the token.

Flags and dates are taken from what --flags-from names: the IMAP server of the
maildrop, or the files of the client that read it until now; else from the
header. Own sent mail goes to the folder for that (--sent), and rules of the
config file can send mail to other folders: pop2imap rules --help.

What the folder has already is recognised and not stored again. Every message
that was stored is read back (--verify). Nothing is deleted at the source unless
--delete says so, and then only what was read back; at the destination nothing
is ever deleted. A line that is lost is dialled again (--patience). SIGUSR1 asks
what it is doing: a line an account.

Every flag can be set in the environment too, --max-size as POP2IMAP_MAX_SIZE,
and in the config file, as max_size.`
	cmd.Example = `  pop2imap sync
  pop2imap sync alice office --dry-run
  pop2imap sync --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example/INBOX --dry-run
  pop2imap sync --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example/INBOX
  pop2imap sync --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example/INBOX --delete 14d
  pop2imap sync --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example --flags-from imaps://alice@imap.old.example
  pop2imap sync alice --flags-from ~/.thunderbird/xyz.default --identity alice@old.example`
	return cmd
}

// retry is the command that tries again what went wrong.
func (p *program) retry() *cobra.Command {
	cmd := p.copying(true)
	cmd.Use = "retry [ACCOUNT...] | retry --from URL --to URL"
	cmd.Short = "Try refused messages again, and those that the destination lost"
	cmd.Long = `retry tries again now what sync would try later, or not at all: messages that
the destination refused, and messages that it said it had stored and that were
not found there. Look for those before: if somebody moved them to a folder that
pop2imap does not look into, they are there twice afterwards. Nothing else is
copied, and nothing is deleted. Flags and summary are those of sync.`
	cmd.Example = `  pop2imap retry --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example/INBOX`
	return cmd
}

// copying is a command that copies: all that is new, or only what went wrong before.
func (p *program) copying(again bool) *cobra.Command {
	w := wish{register: (*config.Job).Register, before: again}
	w.Shortest = p.shortest
	cmd := &cobra.Command{
		RunE: func(cmd *cobra.Command, names []string) error {
			return p.accounts(cmd, names, &w, "summary", func(ctx context.Context, r *round, c *candidate, s *screen, err error) (int, any) {
				report := sync.Report{Err: err, Flags: map[string]int{}, Folders: map[string]int{}}
				if s.again = again; err == nil {
					report = r.copyAccount(ctx, c.job, s, again)
				}
				exit := reportExit(report)
				r.conclude(ctx, c, s, report, exit)
				line := accountLine(s.account, report, exit)
				if w.DryRun {
					line.WouldCopy, line.WouldDelete = &s.would, &report.Deletable
				}
				return exit, line
			})
		},
	}
	w.register(&w.job, cmd.Flags())
	if again {
		w.registerOnce(cmd.Flags())
	} else {
		w.registerRun(cmd.Flags())
	}
	cmd.Flags().SortFlags = false
	return cmd
}

// copyAccount runs one account. The report is there even when the run could not begin.
func (r *round) copyAccount(ctx context.Context, job *config.Job, s *screen, again bool) sync.Report {
	o, err := r.options(ctx, job, s)
	if err == nil {
		var w *witnesses
		if w, err = r.witnesses(ctx, job, s); err == nil {
			o.Witnesses = w.open
			defer w.close(ctx)
		}
	}
	if err == nil && again {
		err = r.known(ctx, job)
	}
	if err == nil {
		o.State, err = r.remember(ctx, job)
	}
	if err != nil {
		return sync.Report{Err: r.sig.wrap(err), Flags: map[string]int{}, Folders: map[string]int{}}
	}
	o.DryRun, o.Retry, o.Stop, o.Watch = r.wish.DryRun, again, r.sig.stop, s
	report := sync.Run(ctx, o)
	report.Err = r.sig.wrap(report.Err)
	return report
}

// options turns the job into what package sync wants. Nothing is connected yet, but the passwords are there.
func (p *program) options(ctx context.Context, job *config.Job, s *screen) (o sync.Options, err error) {
	o = sync.Options{
		Folder: job.Folder,
		Narrow: sync.Narrow{Since: job.Since.Time, Until: job.Until.End(), Messages: job.MaxMessages,
			Size: int64(job.MaxSize)},
		Flags: sync.FlagMode(job.Flags), SeenBefore: time.Duration(job.SeenBefore), TrustHeaders: job.TrustHeaders,
		Identities: job.Own(), Junk: job.Junk != "off",
		NoDedup: job.NoDedup, Verify: sync.Level(job.Verify), Delete: job.Deletion(),
		Settle: job.Settle, Patience: job.Patience, Rate: int64(job.Rate.Size),
	}
	filer{job}.into(&o)
	if o.From, err = p.source(ctx, job, s); err != nil {
		return o, err
	}
	o.To, err = p.destination(ctx, job, s)
	return o, err
}

// remember gives the state's memory of an account. A dry run makes none: without one, nothing is known.
func (r *round) remember(ctx context.Context, job *config.Job) (a *state.Account, err error) {
	switch {
	case r.store == nil:
		return nil, nil
	case r.wish.DryRun:
		a, err = r.store.Find(ctx, job.Key())
		if errors.Is(err, state.ErrNoAccount) {
			return nil, nil
		}
	default:
		a, err = r.store.Account(ctx, job.Name(), job.Key())
	}
	return a, sync.StateError(err)
}

// known refuses a job of which the state has no memory, and leaves none behind.
func (r *round) known(ctx context.Context, job *config.Job) error {
	_, err := r.store.Find(ctx, job.Key())
	if errors.Is(err, state.ErrNoAccount) {
		key := job.Key()
		return unknownJob(fmt.Errorf("the state %s knows of nothing that went from %s to %s", r.wish.State, key.From, key.To))
	}
	return sync.StateError(err)
}

func unknownJob(err error) error {
	return &sync.Error{Class: sync.Config, Err: err,
		Remedy: "give the --from, --to and --state of the sync: pop2imap status shows what the state knows"}
}
