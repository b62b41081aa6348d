package main

import (
	"context"
	"time"

	"github.com/pop2imap/pop2imap/sync"
)

// begin tells others that a pass begins, and gives what tells them how it ended; that gives the summary with what came of telling
// it. A dry run is nobody's business.
func (r *round) begin(ctx context.Context, t *terminal) (end func([]*candidate, summaryJSON) summaryJSON) {
	r.complained.Store(false)
	began, ping := time.Now(), (*pinger)(nil)
	if r.wish.DryRun {
		return func(_ []*candidate, s summaryJSON) summaryJSON { return s }
	}
	if r.wish.Ping.URL != nil {
		ping = newPinger(r.wish.Ping, pingTimeout, func(text string) { t.notice(t.all, text) })
		ping.begin(ctx)
	}
	return func(list []*candidate, s summaryJSON) summaryJSON {
		if r.wish.Metrics != "" {
			m := metrics{began: began, ended: time.Now(), summary: s, delivered: r.delivered(ctx, list)}
			if err := m.write(r.wish.Metrics); err != nil {
				t.tell(failing(t.all, "", err))
				s.Exit = gravest(s.Exit, exitCode(err))
			}
		}
		if ping != nil {
			ping.end(ctx, s.Exit, r.complained.Load(), pingText(s))
		}
		return s
	}
}

// unbegun is the summary of accounts of which none could begin.
func unbegun(list []*candidate, kind string, err error) summaryJSON {
	s := summaryJSON{Type: kind, Exit: exitCode(err)}
	for _, c := range list {
		s.Accounts = append(s.Accounts, accountLine(c.account, sync.Report{Err: err, Flags: map[string]int{}, Folders: map[string]int{}}, s.Exit))
	}
	return s
}

// delivered counts what the state knows as delivered, by the names of the accounts. Who is not in it, the state does not tell.
func (r *round) delivered(ctx context.Context, list []*candidate) map[string]int {
	all := map[string]int{}
	for _, c := range list {
		if c.job == nil || r.store == nil {
			continue
		}
		if a, err := r.store.Find(ctx, c.job.Key()); err == nil {
			if counts, err := a.Counts(ctx); err == nil {
				all[c.account.name] = counts.Delivered
			}
		}
	}
	return all
}
