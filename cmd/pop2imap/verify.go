package main

import (
	"context"
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
	w := wish{register: (*config.Job).RegisterVerify, before: true, onlyTo: true}
	w.progress = "never"
	cmd := &cobra.Command{
		Use:   "verify [ACCOUNT...] | verify --from URL --to URL",
		Short: "Prove that each message that was delivered is at the destination",
		Long: `verify looks at the destination for each message that is recorded as delivered,
where it was stored and in the folders into which filters move mail, and tells
which are not there. It changes nothing there and does not talk to the maildrop:
--from only says which account it is, and only the destination's password is
needed.

What you have deleted or moved yourself is told too. It is not copied again.
With 0 all were found; with 4 some are not there or in doubt.`,
		Example: `  pop2imap verify --from pop3s://alice@pop.old.example --to imaps://alice@imap.new.example/INBOX --level digest`,
		RunE: func(cmd *cobra.Command, names []string) error {
			return p.accounts(cmd, names, &w, "verify", func(ctx context.Context, r *round, c *candidate, s *screen, err error) (int, any) {
				v := verified{Verification: sync.Verification{Err: err}}
				if err == nil {
					v = r.verifyAccount(ctx, c.job, s)
				}
				exit := verifyExit(v.Verification)
				s.verified(v)
				return exit, verifiedLine(s.account, v, exit)
			})
		},
	}
	w.register(&w.job, cmd.Flags())
	w.Register(cmd.Flags())
	w.look.register(cmd.Flags())
	cmd.Flags().SortFlags = false
	return cmd
}

// verified is what came of the verification of one account.
type verified struct {
	sync.Verification
	level sync.Level
	lost  []state.Record
	took  time.Duration
}

// verifyAccount verifies one account. The result is there even when it could not begin.
func (r *round) verifyAccount(ctx context.Context, job *config.Job, s *screen) (v verified) {
	began := time.Now()
	v.level = sync.Level(job.Verify)
	o := sync.Options{Verify: v.level, Settle: job.Settle, Patience: job.Patience, Stop: r.sig.stop, Watch: s}
	if v.Err = r.known(ctx, job); v.Err == nil {
		o.To, v.Err = r.destination(ctx, job, s)
	}
	if v.Err == nil {
		o.State, v.Err = r.remember(ctx, job)
	}
	if v.Err == nil {
		v.Verification = sync.Verify(ctx, o, func(rec state.Record) { v.lost = append(v.lost, rec) })
		v.lost = v.lost[len(v.lost)-v.Absent-v.Unsure:] // what came before, a lost line undid
	}
	v.Err, v.took = r.sig.wrap(v.Err), time.Since(began)
	return v
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
func (s *screen) verified(v verified) {
	for _, rec := range v.lost {
		result := lostHow(rec)
		if s.json {
			s.line(recordLine(s.name, result, rec))
		} else {
			s.say("%s  %s: message %q of %d octets, sha256 %x, in %s", s.name, result, rec.UIDL, rec.Size, rec.Digest[:6], place(rec))
		}
	}
	if v.Err != nil {
		s.failed(v.Err, "nothing was changed; not all messages were looked for")
	}
	if !s.quiet && !s.json && v.Err == nil {
		s.result("%s  %s", s.name, verifyTally(v.Verification, v.took))
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
