package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// sync is the command that does the job.
func (p *program) sync() *cobra.Command {
	cmd := p.copying(false)
	cmd.Use = "sync --from URL --to URL"
	cmd.Short = "Copy what is new in a maildrop into an IMAP folder"
	cmd.Long = `sync copies what is new in the maildrop at --from into the IMAP folder at --to.

  pop3s:// imaps://                    TLS from the first byte
  pop3:// imap://                      STLS or STARTTLS; a server without it is refused
  pop3+insecure:// imap+insecure://    cleartext: password and mail can be read on the way
  ?auth=MECH                           one way to log in: plain, login, cram-md5, scram-sha-256, xoauth2, oauthbearer,
                                       for POP3 also apop and user (default: the strongest that both sides know)

The password comes from --from-password-file, --from-password-command, POP2IMAP_FROM_PASSWORD in the environment, or
is asked for; the same with "to". With xoauth2 and oauthbearer it is the token.

What the folder has already is recognised and not stored again. Every message that was stored is read back (--verify).
Nothing is deleted at the source unless --delete says so, and then only what was read back; at the destination nothing
is ever deleted. A line that is lost is dialled again (--patience).

Every flag can be set in the environment too: --max-size as POP2IMAP_MAX_SIZE.`
	cmd.Example = `  pop2imap sync --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example/INBOX --dry-run
  pop2imap sync --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example/INBOX
  pop2imap sync --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example/INBOX --delete 14d`
	return cmd
}

// retry is the command that tries again what went wrong.
func (p *program) retry() *cobra.Command {
	cmd := p.copying(true)
	cmd.Use = "retry --from URL --to URL"
	cmd.Short = "Try refused messages again, and those that the destination lost"
	cmd.Long = `retry tries again now what sync would try later, or not at all: messages that the destination refused, and messages
that it said it had stored and that were not found there. Look for those before: if somebody moved them to a folder that
pop2imap does not look into, they are there twice afterwards. Nothing else is copied, and nothing is deleted.
Flags and summary are those of sync.`
	cmd.Example = `  pop2imap retry --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example/INBOX`
	return cmd
}

// copying is a command that copies: all that is new, or only what went wrong before.
func (p *program) copying(again bool) *cobra.Command {
	var job config.Job
	var look look
	cmd := &cobra.Command{
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.check(cmd, &job, &look); err != nil {
				return err
			}
			return p.copyAccount(cmd.Context(), &job, &look, again)
		},
	}
	job.Register(cmd.Flags())
	look.register(cmd.Flags())
	look.registerProgress(cmd.Flags())
	cmd.Flags().SortFlags = false
	return cmd
}

// check completes the flags from the environment, and validates them.
func (p *program) check(cmd *cobra.Command, job *config.Job, look *look) error {
	if err := config.Environment(cmd.Flags(), p.getenv); err != nil {
		return err
	}
	if err := job.Check(p.getenv); err != nil {
		return err
	}
	return look.check()
}

// copyAccount runs one account and shows how it goes. An error means that the run could not even begin.
func (p *program) copyAccount(ctx context.Context, job *config.Job, look *look, again bool) error {
	if again {
		if err := known(ctx, job); err != nil {
			return err
		}
	}
	s := newScreen(p.stdio, look, accountOf(job))
	ctx, sig := p.signals(ctx, s)
	defer sig.release()
	o, err := p.options(ctx, job, s, p.asker(sig.stop))
	if err != nil {
		return sig.wrap(err)
	}
	o.Retry, o.Stop, o.Watch = again, sig.stop, s
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

func accountOf(job *config.Job) account {
	return account{job.From.Endpoint.User, job.From.Endpoint.String(), job.To.Endpoint.String()}
}

// options turns the job into what package sync wants. Nothing is connected yet, but the passwords are there.
func (p *program) options(ctx context.Context, job *config.Job, s *screen, ask asker) (o sync.Options, err error) {
	o = sync.Options{
		Folder: job.Folder,
		Narrow: sync.Narrow{Since: job.Since.Time, Until: job.Until.End(), Messages: job.MaxMessages,
			Size: int64(job.MaxSize)},
		Flags: sync.FlagMode(job.Flags), SeenBefore: time.Duration(job.SeenBefore), TrustHeaders: job.TrustHeaders,
		DryRun: job.DryRun, NoDedup: job.NoDedup, Verify: sync.Level(job.Verify), Delete: job.Deletion(),
		Settle: job.Settle, Patience: job.Patience, Rate: int64(job.Rate.Size),
	}
	if o.From, err = p.source(ctx, job, s, ask); err != nil {
		return o, err
	}
	o.To, err = p.destination(ctx, job, s, ask)
	return o, err
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

// known refuses a job of which the state has no memory, and leaves none behind.
func known(ctx context.Context, job *config.Job) error {
	store, err := state.OpenReadOnly(ctx, job.State)
	if errors.Is(err, fs.ErrNotExist) {
		return unknownJob(fmt.Errorf("nothing has been synced yet: there is no state at %s", job.State))
	}
	if err != nil {
		return sync.StateError(err)
	}
	defer store.Close()
	_, err = store.Find(ctx, job.Key())
	if errors.Is(err, state.ErrNoAccount) {
		key := job.Key()
		return unknownJob(fmt.Errorf("the state %s knows of nothing that went from %s to %s", job.State, key.From, key.To))
	}
	return sync.StateError(err)
}

func unknownJob(err error) error {
	return &sync.Error{Class: sync.Config, Err: err,
		Remedy: "give the --from, --to and --state of the sync: pop2imap status shows what the state knows"}
}
