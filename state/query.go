package state

import (
	"context"
	"database/sql"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
)

// Counts says how many records an account has: delivered ones, and how many of those are verified and how many deleted
// at the source; refused ones; and those in doubt.
type Counts struct{ Delivered, Verified, Deleted, Refused, Doubted int }

// Intents gives the messages of which nobody knows whether they were stored, in the order in which they were sent.
func (a *Account) Intents(ctx context.Context) ([]Record, error) {
	return a.records(ctx, "phase = 'intent' ORDER BY begun, id")
}

// MissingList gives the messages that the destination said it had stored and has not, in order of ID.
func (a *Account) MissingList(ctx context.Context) ([]Record, error) {
	return a.records(ctx, "phase = 'missing' ORDER BY id")
}

// Unverified gives at most most of the stored messages that were not yet read back and whose ID is above after, in order
// of ID.
func (a *Account) Unverified(ctx context.Context, after int64, most int) ([]Record, error) {
	return a.records(ctx, "phase = 'stored' AND id > ? ORDER BY id LIMIT ?", after, most)
}

// InDeletion gives the messages of which nobody knows whether the source has deleted them, in order of ID.
func (a *Account) InDeletion(ctx context.Context) ([]Record, error) {
	return a.records(ctx, "phase = 'deleting' ORDER BY id")
}

// Deletable gives the messages that may be deleted at the source: verified, and delivered before a certain time.
func (a *Account) Deletable(ctx context.Context, before time.Time) ([]Record, error) {
	return a.records(ctx, "phase IN "+from(mark)+" AND keep = '' AND ended <= ? ORDER BY id", instant(before))
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

// brief is what a plan needs of a record: reading all of it would take most of the time of a run with nothing new.
const brief = "id, uidl, listed, phase, tries, next_try, run"

func scanBrief(row scanner) (r Record, err error) {
	var uidl sql.RawBytes
	err = row.Scan(&r.ID, &uidl, &r.Listed, &r.Phase, &r.Tries, nanoseconds{&r.NextTry}, &r.Run)
	r.UIDL = string(uidl)
	return r, err
}

// ByUIDL gives the records with those UIDLs, those of one UIDL in order of ID. A UIDL without a record has no entry. Of a
// record it gives ID, UIDL, Listed, Phase, Tries, NextTry and Run.
func (a *Account) ByUIDL(ctx context.Context, uidls []string) (map[string][]Record, error) {
	uidls = distinct(uidls)
	var all int
	err := a.store.read.QueryRowContext(ctx, "SELECT count(*) FROM record WHERE account = ?", a.id).Scan(&all)
	if err != nil {
		return nil, a.failed(err)
	}
	if len(uidls) > 500 && len(uidls) > all/2 { // to look up a record takes twice as long as to pass by it
		return a.amongAll(ctx, uidls)
	}
	known := make(map[string][]Record, len(uidls))
	for some := range slices.Chunk(uidls, 500) { // SQLite takes 32,766 at most
		args := []any{a.id}
		for _, uidl := range some {
			args = append(args, []byte(uidl))
		}
		marks := strings.Repeat(", ?", len(some))[2:]
		err := each(ctx, a.store.read, func(row scanner) error {
			r, err := scanBrief(row)
			known[r.UIDL] = append(known[r.UIDL], r)
			return err
		}, "SELECT "+brief+" FROM record WHERE account = ? AND uidl IN ("+marks+") ORDER BY uidl, id", args...)
		if err != nil {
			return nil, a.failed(err)
		}
	}
	return known, nil
}

// amongAll is ByUIDL for a sorted list with most of the records.
func (a *Account) amongAll(ctx context.Context, uidls []string) (map[string][]Record, error) {
	known := make(map[string][]Record, len(uidls))
	for _, uidl := range uidls {
		known[uidl] = nil
	}
	err := each(ctx, a.store.read, func(row scanner) error {
		r, err := scanBrief(row)
		if rs, asked := known[r.UIDL]; asked {
			known[r.UIDL] = append(rs, r)
		}
		return err
	}, "SELECT "+brief+" FROM record NOT INDEXED WHERE account = ? ORDER BY id", a.id)
	if err != nil {
		return nil, a.failed(err)
	}
	maps.DeleteFunc(known, func(_ string, rs []Record) bool { return len(rs) == 0 })
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

// KnowsFolder says whether any record is of a message in that folder.
func (a *Account) KnowsFolder(ctx context.Context, folder string) (known bool, err error) {
	err = each(ctx, a.store.read, func(row scanner) error { return row.Scan(&known) },
		"SELECT EXISTS (SELECT 1 FROM record WHERE account = ? AND folder = ?)", a.id, folder)
	if err != nil {
		return false, a.store.fail("look for the folders of account "+a.Name, err)
	}
	return known, nil
}

// everything reads the table as it lies: by an index, SQLite would have to sort a million rows first.
const everything = "SELECT " + columns + " FROM record NOT INDEXED WHERE account = ? ORDER BY id"

// Records goes through all records in order of ID, as they were when it began. After an error it ends.
func (a *Account) Records(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		rows, err := a.store.read.QueryContext(ctx, everything, a.id)
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

// tally counts in indexes alone. Those that are in none of them, which are nearly all, are verified.
const tally = `SELECT
	(SELECT count(*) FROM record WHERE account = ?1),
	(SELECT count(*) FROM record WHERE account = ?1 AND phase = 'intent'),
	(SELECT count(*) FROM record WHERE account = ?1 AND phase = 'missing'),
	(SELECT count(*) FROM record WHERE account = ?1 AND phase = 'refused'),
	(SELECT count(*) FROM record WHERE account = ?1 AND phase = 'stored'),
	(SELECT count(*) FROM record WHERE account = ?1 AND phase = 'deleted')`

// Counts counts the records by phase.
func (a *Account) Counts(ctx context.Context) (c Counts, err error) {
	var all, intents, missing, stored int
	err = a.store.read.QueryRowContext(ctx, tally, a.id).Scan(
		&all, &intents, &missing, &c.Refused, &stored, &c.Deleted)
	if err != nil {
		return Counts{}, a.failed(err)
	}
	c.Doubted = intents + missing
	c.Delivered = all - c.Doubted - c.Refused
	c.Verified = c.Delivered - stored - c.Deleted
	return c, nil
}

// Keeps counts the delivered messages that must never be deleted at the source, by the reason why.
func (a *Account) Keeps(ctx context.Context) (map[string]int, error) {
	why := map[string]int{}
	err := each(ctx, a.store.read, func(row scanner) error {
		var keep string
		var n int
		err := row.Scan(&keep, &n)
		why[keep] = n
		return err
	}, "SELECT keep, count(*) FROM record WHERE account = ? AND phase IN ('stored', 'verified') AND keep <> '' GROUP BY keep", a.id)
	if err != nil {
		return nil, a.failed(err)
	}
	return why, nil
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
