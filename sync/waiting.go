package sync

import (
	"context"
	"time"

	"github.com/pop2imap/pop2imap/state"
)

// Waiting gives those messages of a listing that a run would look at more closely: what is new, or refused before and due
// for another try. a is nil if there is no memory. It goes by UIDL and size alone, and asks no server: a message without a
// UIDL is among them, and so is one that merely has another UIDL than before.
func Waiting(ctx context.Context, a *state.Account, l Listing) (list []Listed, err error) {
	all, keys := make([]todo, len(l.Messages)), make([]string, len(l.Messages))
	var uidls []string
	for i, m := range l.Messages {
		all[i].Listed, keys[i] = m, m.UIDL
		if m.UIDL != "" {
			uidls = append(uidls, m.UIDL)
		}
	}
	records := map[string][]state.Record{}
	if a != nil {
		if records, err = a.ByUIDL(ctx, uidls); err != nil {
			return nil, StateError(err)
		}
	}
	for _, m := range compare(all, keys, records, time.Now()) {
		if m.verdict == fresh || m.verdict == unsure || m.verdict == due {
			list = append(list, m.Listed)
		}
	}
	return list, nil
}
