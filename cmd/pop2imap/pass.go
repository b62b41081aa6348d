package main

import "context"

// begin tells others that a pass begins, and gives what tells them how it ended. A dry run is nobody's business.
func (r *round) begin(ctx context.Context, t *terminal) (end func(summaryJSON)) {
	r.complained.Store(false)
	if r.wish.DryRun || r.wish.Ping.URL == nil {
		return func(summaryJSON) {}
	}
	ping := newPinger(r.wish.Ping, pingTimeout, func(text string) { t.notice(t.all, text) })
	ping.begin(ctx)
	return func(s summaryJSON) {
		ping.end(ctx, s.Exit, r.complained.Load(), pingText(s))
	}
}
