package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

func (p *program) verify() *cobra.Command {
	var job config.Job
	look := look{progress: "never"}
	cmd := &cobra.Command{
		Use:   "verify --from URL --to URL",
		Short: "Prove that each message that was delivered is at the destination",
		Long: `verify looks at the destination for each message that is recorded as delivered, where it was stored and in the folders
into which filters move mail, and tells which are not there. It changes nothing there and does not talk to the maildrop:
--from only says which account it is, and only the destination's password is needed.

What you have deleted or moved yourself is told too. It is not copied again.
With 0 all were found; with 4 some are not there or in doubt.`,
		Example: `  pop2imap verify --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example/INBOX --level digest`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.check(cmd, &job, &look); err != nil {
				return err
			}
			if sync.Level(job.Verify) == sync.Unproved {
				return &usage{errors.New("--level can be size or digest")}
			}
			return p.verifyAccount(cmd.Context(), &job, &look)
		},
	}
	job.RegisterVerify(cmd.Flags())
	look.register(cmd.Flags())
	cmd.Flags().SortFlags = false
	return cmd
}

// verifyAccount verifies one account. An error means that it could not even begin.
func (p *program) verifyAccount(ctx context.Context, job *config.Job, look *look) (err error) {
	if err := known(ctx, job); err != nil {
		return err
	}
	s := newScreen(p.stdio, look, accountOf(job))
	ctx, sig := p.signals(ctx, s)
	defer sig.release()
	o := sync.Options{Verify: sync.Level(job.Verify), Settle: job.Settle, Patience: job.Patience, Stop: sig.stop, Watch: s}
	if o.To, err = p.destination(ctx, job, s, p.asker(sig.stop)); err != nil {
		return sig.wrap(err)
	}
	store, err := p.remember(ctx, job, &o)
	if err != nil {
		return sig.wrap(err)
	}
	defer store.Close()
	began := time.Now()
	var lost []state.Record
	v := sync.Verify(ctx, o, func(rec state.Record) { lost = append(lost, rec) })
	v.Err = sig.wrap(v.Err)
	p.exit = verifyExit(v)
	s.verified(v, lost[len(lost)-v.Absent-v.Unsure:], o.Verify, p.exit, time.Since(began)) // what came before, a lost line undid
	return nil
}

func verifyExit(v sync.Verification) int {
	codes := []int{0}
	if v.Absent+v.Unsure > 0 {
		codes = append(codes, exitDoubt)
	}
	if v.Err != nil {
		codes = append(codes, exitCode(v.Err))
	}
	return gravest(codes...)
}

// verified shows what came of it.
func (s *screen) verified(v sync.Verification, lost []state.Record, level sync.Level, exit int, took time.Duration) {
	for _, rec := range lost {
		result := lostHow(rec)
		if s.json {
			s.line(recordLine(s.name, result, rec))
		} else {
			s.say("%s  %s: message %q of %d octets, sha256 %x, in %s", s.name, result, rec.UIDL, rec.Size, rec.Digest[:6], place(rec))
		}
	}
	if s.json {
		s.line(verifyLine(s.account, v, level, exit, took))
	}
	if v.Err != nil {
		explain(s.err, s.name, v.Err)
		s.say("  nothing was changed; not all messages were looked for")
	}
	if !s.quiet && !s.json && v.Err == nil {
		fmt.Fprintf(s.out, "%s  %s\n", s.name, verifyTally(v, took))
	}
}

// lostHow tells a message that was there once from one that nobody has ever seen there.
func lostHow(rec state.Record) sync.Result {
	if rec.Phase == state.PhaseMissing || rec.Phase == state.PhaseStored {
		return "in doubt"
	}
	return "not there"
}

// place is where a message was stored, as far as that is known.
func place(rec state.Record) string {
	if rec.UID == 0 {
		return rec.Folder
	}
	return fmt.Sprintf("%s, UID %d", rec.Folder, rec.UID)
}

func verifyTally(v sync.Verification, took time.Duration) string {
	words := humanize.Comma(int64(v.Proved)) + " verified"
	if v.Changed > 0 {
		words += fmt.Sprintf(" (%s changed by the server)", humanize.Comma(int64(v.Changed)))
	}
	return strings.Join([]string{words, humanize.Comma(int64(v.Absent)) + " not there",
		humanize.Comma(int64(v.Unsure)) + " in doubt", "in " + took.Round(10*time.Millisecond).String()}, ", ")
}
