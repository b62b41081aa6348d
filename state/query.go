package state

import (
	"context"
	"iter"
	"slices"
	"strings"
)

// Counts says how many records an account has in each phase.
type Counts struct{ Stored, Refused, Intents int }

// Intents gives the messages of which nobody knows whether they were stored, in the order in which they were sent.
func (a *Account) Intents(ctx context.Context) ([]Record, error) {
	return a.records(ctx, "phase = 'intent' ORDER BY begun, id")
}

// Unplaced gives the stored messages whose UID is not known, in the order in which they were sent.
func (a *Account) Unplaced(ctx context.Context) ([]Record, error) {
	return a.records(ctx, "phase = 'stored' AND uid = 0 ORDER BY begun, id")
}

// RefusedList gives the messages that the destination refused, the one that was refused first before the others.
func (a *Account) RefusedList(ctx context.Context) ([]Record, error) {
	return a.records(ctx, "phase = 'refused' ORDER BY id")
}

// ByHeader gives the records with that fingerprint of the header, in order of ID.
func (a *Account) ByHeader(ctx context.Context, header [32]byte) ([]Record, error) {
	return a.records(ctx, "header = ? ORDER BY id", header[:])
}

// ByDigest gives the records of messages with exactly that content, in order of ID.
func (a *Account) ByDigest(ctx context.Context, digest [32]byte) ([]Record, error) {
	return a.records(ctx, "digest = ? ORDER BY id", digest[:])
}

// ByUIDL gives the records with those UIDLs, those of one UIDL in order of ID. A UIDL without a record has no entry.
func (a *Account) ByUIDL(ctx context.Context, uidls []string) (map[string][]Record, error) {
	known := make(map[string][]Record, len(uidls))
	for some := range slices.Chunk(distinct(uidls), 500) { // SQLite takes 32,766 at most
		args := make([]any, len(some))
		for i, uidl := range some {
			args[i] = []byte(uidl)
		}
		marks := strings.Repeat(", ?", len(some))[2:]
		rs, err := a.records(ctx, "uidl IN ("+marks+") ORDER BY id", args...)
		if err != nil {
			return nil, err
		}
		for _, r := range rs {
			known[r.UIDL] = append(known[r.UIDL], r)
		}
	}
	return known, nil
}

// distinct gives each string once: one that fell into two chunks would be found twice.
func distinct(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// Claimed gives the UIDs, from from on, that records already have in a folder of that UIDVALIDITY.
func (a *Account) Claimed(ctx context.Context, folder string, uidvalidity, from uint32) (map[uint32]bool, error) {
	claimed := map[uint32]bool{}
	err := each(ctx, a.store.read, func(row scanner) error {
		var uid uint32
		err := row.Scan(&uid)
		claimed[uid] = true
		return err
	}, "SELECT uid FROM record WHERE account = ? AND folder = ? AND uidvalidity = ? AND uid >= ? AND uid <> 0",
		a.id, folder, uidvalidity, from)
	if err != nil {
		return nil, a.store.fail("read the claimed UIDs of account "+a.Name, err)
	}
	return claimed, nil
}

// Records goes through all records in order of ID, as they were when it began. After an error it ends.
func (a *Account) Records(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		rows, err := a.store.read.QueryContext(ctx,
			"SELECT "+columns+" FROM record WHERE account = ? ORDER BY id", a.id)
		if err != nil {
			yield(Record{}, a.failed(err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			r, err := scanRecord(rows)
			if err != nil {
				yield(Record{}, a.failed(err))
				return
			}
			if !yield(r, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Record{}, a.failed(err))
		}
	}
}

// Counts counts the records by phase.
func (a *Account) Counts(ctx context.Context) (c Counts, err error) {
	var all int
	err = a.store.read.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM record WHERE account = ?1),
		(SELECT count(*) FROM record WHERE account = ?1 AND phase = 'refused'),
		(SELECT count(*) FROM record WHERE account = ?1 AND phase = 'intent')`,
		a.id).Scan(&all, &c.Refused, &c.Intents)
	if err != nil {
		return Counts{}, a.failed(err)
	}
	c.Stored = all - c.Refused - c.Intents
	return c, nil
}

// records gives the account's records that meet a condition.
func (a *Account) records(ctx context.Context, where string, args ...any) ([]Record, error) {
	rs, err := collect(ctx, a.store.read, scanRecord,
		"SELECT "+columns+" FROM record WHERE account = ? AND "+where, append([]any{a.id}, args...)...)
	if err != nil {
		return nil, a.failed(err)
	}
	return rs, nil
}

func (a *Account) failed(err error) error {
	return a.store.fail("read the records of account "+a.Name, err)
}
