package main

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/imap"
	"github.com/pop2imap/pop2imap/internal/pop3"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// sync is the command that does the job.
func (p *program) sync() *cobra.Command {
	var job config.Job
	var look look
	cmd := &cobra.Command{
		Use:   "sync --from URL --to URL",
		Short: "Copy what is new in a maildrop into an IMAP folder",
		Long: `sync copies what is new in the maildrop at --from into the IMAP folder at --to.

  pop3s:// imaps://                    TLS from the first byte
  pop3:// imap://                      STLS or STARTTLS; a server without it is refused
  pop3+insecure:// imap+insecure://    cleartext: password and mail can be read on the way
  ?auth=MECH                           one way to log in: plain, login, cram-md5, scram-sha-256, xoauth2, oauthbearer,
                                       for POP3 also apop and user (default: the strongest that both sides know)

The password comes from --from-password-file, --from-password-command, POP2IMAP_FROM_PASSWORD in the environment, or
is asked for; the same with "to". With xoauth2 and oauthbearer it is the token.
Every flag can be set in the environment too: --max-size as POP2IMAP_MAX_SIZE.`,
		Example: `  pop2imap sync --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example/INBOX --dry-run
  pop2imap sync --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example/INBOX`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := config.Environment(cmd.Flags(), p.getenv); err != nil {
				return err
			}
			if err := job.Check(p.getenv); err != nil {
				return err
			}
			if err := look.check(); err != nil {
				return err
			}
			return p.copyAccount(cmd.Context(), &job, &look)
		},
	}
	job.Register(cmd.Flags())
	look.register(cmd.Flags())
	cmd.Flags().SortFlags = false
	return cmd
}

// copyAccount runs one account and shows how it goes. An error means that the run could not even begin.
func (p *program) copyAccount(ctx context.Context, job *config.Job, look *look) error {
	s := newScreen(p.stdio, look, account{job.From.Endpoint.User, job.From.Endpoint.String(), job.To.Endpoint.String()})
	ctx, sig := p.signals(ctx, s)
	defer sig.release()
	o, err := p.options(ctx, job, s, p.asker(sig.stop))
	if err != nil {
		return sig.wrap(err)
	}
	o.Stop, o.Watch = sig.stop, s
	store, err := p.remember(ctx, job, &o)
	if err != nil {
		return sig.wrap(err)
	}
	if store != nil {
		defer store.Close()
	}
	report := sync.Run(ctx, o)
	report.Err = sig.wrap(report.Err)
	p.exit = reportExit(report)
	s.summary(report, p.exit, job.DryRun)
	return nil
}

// options turns the job into what package sync wants. Nothing is connected yet, but the passwords are there.
func (p *program) options(ctx context.Context, job *config.Job, s *screen, ask func(string) (string, error)) (
	o sync.Options, err error) {
	from, err := job.From.Server(job.Timeout, s.tracer("from"))
	if err != nil {
		return o, err
	}
	to, err := job.To.Server(job.Timeout, s.tracer("to"))
	if err != nil {
		return o, err
	}
	fromSecret, err := job.From.Secret.Get(ctx, ask, p.err)
	if err != nil {
		return o, err
	}
	toSecret, err := job.To.Secret.Get(ctx, ask, p.err)
	if err != nil {
		return o, err
	}
	return sync.Options{
		From: func(ctx context.Context) (sync.Source, error) {
			e := job.From.Endpoint
			session, err := pop3.Dial(ctx, from, pop3.Login{User: e.User, Password: fromSecret, Auth: e.Auth})
			if err != nil {
				return nil, err
			}
			return session, nil
		},
		To: func(ctx context.Context) (sync.Destination, error) {
			e := job.To.Endpoint
			session, err := imap.Dial(ctx, to, imap.Login{User: e.User, Password: toSecret, Auth: e.Auth})
			if err != nil {
				return nil, err
			}
			return session, nil
		},
		Folder: job.Folder,
		Narrow: sync.Narrow{Since: job.Since.Time, Until: job.Until.End(), Messages: job.MaxMessages,
			Size: int64(job.MaxSize)},
		Flags: sync.FlagMode(job.Flags), SeenBefore: time.Duration(job.SeenBefore), TrustHeaders: job.TrustHeaders,
		DryRun: job.DryRun, Settle: job.Settle,
	}, nil
}

// remember opens the state. A dry run writes none: it looks into the one that is there, if any.
func (p *program) remember(ctx context.Context, job *config.Job, o *sync.Options) (*state.Store, error) {
	open := state.Open
	if job.DryRun {
		open = state.OpenReadOnly
	}
	store, err := open(ctx, job.State)
	if job.DryRun && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, sync.StateError(err)
	}
	if job.DryRun {
		o.State, err = store.Find(ctx, job.Key())
		if errors.Is(err, state.ErrNoAccount) {
			err = nil
		}
	} else {
		o.State, err = store.Account(ctx, job.From.Endpoint.User, job.Key())
	}
	if err != nil {
		store.Close()
		return nil, sync.StateError(err)
	}
	return store, nil
}
