package state

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

// A Mark is a flag that an own message gives another one: that it was answered, say. It is kept from the moment at which
// the own message is about to be appended until the run that does so is done with marks: one that was killed leaves its
// marks to the next.
type Mark struct {
	MessageID string    // of the other one, as in [Record]
	Flag      string    // as IMAP spells it
	Written   time.Time // when the own message was; zero: not known. Of several, the last
	Last      int64     // ID of the newest record when the own message came; given by Marks. Of several, the last
}

// note keeps marks. Records that come after them are known by their ID.
func (m moving) note(marks []Mark) error {
	for _, k := range marks {
		written := int64(0)
		if !k.Written.IsZero() {
			written = k.Written.UnixNano()
		}
		_, err := m.run(`INSERT INTO mark VALUES (?, ?, ?, ?, (SELECT coalesce(max(id), 0) FROM record))
			ON CONFLICT DO UPDATE SET written = max(written, excluded.written), last = max(last, excluded.last)`,
			m.a.id, []byte(k.MessageID), k.Flag, written)
		if err != nil {
			return err
		}
	}
	return nil
}

// Marks gives the marks of messages with those Message-IDs, at most 1,000. A Message-ID without a mark has no entry.
func (a *Account) Marks(ctx context.Context, messageIDs []string) (map[string][]Mark, error) {
	marks := map[string][]Mark{}
	if len(messageIDs) == 0 {
		return marks, nil
	}
	args := []any{a.id}
	for _, id := range messageIDs {
		args = append(args, []byte(id))
	}
	err := each(ctx, a.store.read, func(row scanner) error {
		var id []byte
		var k Mark
		err := row.Scan(&id, &k.Flag, nanoseconds{&k.Written}, &k.Last)
		k.MessageID = string(id)
		marks[k.MessageID] = append(marks[k.MessageID], k)
		return err
	}, "SELECT message_id, flag, nullif(written, 0), last FROM mark WHERE account = ? AND message_id IN ("+
		strings.Repeat(", ?", len(messageIDs))[2:]+") ORDER BY message_id, flag", args...)
	if err != nil {
		return nil, a.failedMarks(err)
	}
	return marks, nil
}

// Marked gives the messages that have a mark and were begun before the own message: those that were stored by this run, or
// by one before it that came to no good end, and are not yet read back. In order of ID.
func (a *Account) Marked(ctx context.Context) ([]Record, error) {
	if any, err := a.anyMarks(ctx); err != nil || !any {
		return nil, err
	}
	return a.records(ctx, `phase = 'stored' AND run > (
			SELECT coalesce(max(id), 0) FROM run WHERE account = record.account AND ended IS NOT NULL AND error = '')
		AND EXISTS (SELECT 1 FROM mark
			WHERE account = record.account AND message_id = record.message_id AND last >= record.id) ORDER BY id`)
}

// Unmark forgets all marks.
func (a *Account) Unmark(ctx context.Context) error {
	if any, err := a.anyMarks(ctx); err != nil || !any {
		return err
	}
	err := a.store.update(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return apply(ctx, tx, "DELETE FROM mark WHERE account = ?", a.id)
	})
	if err != nil {
		return a.store.fail("forget the marks of account "+a.Name, err)
	}
	return nil
}

func (a *Account) anyMarks(ctx context.Context) (any bool, err error) {
	err = a.store.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM mark WHERE account = ?)", a.id).Scan(&any)
	if err != nil {
		return false, a.failedMarks(err)
	}
	return any, nil
}

func (a *Account) failedMarks(err error) error {
	return a.store.fail("read the marks of account "+a.Name, err)
}
