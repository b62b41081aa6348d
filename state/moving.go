package state

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// all does the same to several records.
func (a *Account) all(ctx context.Context, v verb, ids []int64, condition, set string) error {
	return a.change(ctx, v, func(m moving) error {
		for _, id := range ids {
			if err := m.setIf(id, condition, set); err != nil {
				return err
			}
		}
		return nil
	})
}

// moving is a verb at work, in one transaction.
type moving struct {
	tx   *sql.Tx
	a    *Account
	from string               // the phases from which it may start, as SQL
	made map[string]*sql.Stmt // by their text; they live as long as tx
}

// change lets a verb change records in one durable transaction.
func (a *Account) change(ctx context.Context, v verb, do func(moving) error) error {
	err := a.store.update(ctx, func(_ context.Context, tx *sql.Tx) error {
		return do(moving{tx, a, from(v), map[string]*sql.Stmt{}})
	})
	if err != nil {
		return a.store.fail(fmt.Sprintf("%s a record of account %s", v, a.Name), err)
	}
	return nil
}

// from gives the phases from which a verb may start, as SQL.
func from(v verb) string {
	var names []string
	for _, p := range legal[v] {
		names = append(names, "'"+p.String()+"'")
	}
	return "(" + strings.Join(names, ", ") + ")"
}

// set changes a record, if that is legal. setIf makes one condition more.
func (m moving) set(id int64, set string, args ...any) error {
	return m.setIf(id, "true", set, args...)
}

func (m moving) setIf(id int64, condition, set string, args ...any) error {
	n, err := m.exec(fmt.Sprintf("UPDATE record SET %s WHERE id = ? AND account = ? AND phase IN %s AND %s",
		set, m.from, condition), append(args, id, m.a.id)...)
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: record %d is not there, or not in %s with %s", ErrMove, id, m.from, condition)
	}
	return err
}

func (m moving) exec(query string, args ...any) (changed int64, err error) {
	result, err := m.run(query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// run executes a statement, which is prepared once for the whole batch. Nothing interrupts it: see [Store.update].
func (m moving) run(query string, args ...any) (sql.Result, error) {
	stmt := m.made[query]
	if stmt == nil {
		var err error
		if stmt, err = m.tx.Prepare(query); err != nil {
			return nil, err
		}
		m.made[query] = stmt
	}
	return stmt.Exec(args...)
}

// put makes a record of what r tells of a message, or puts that into the one that is there. Its past stays.
func (m moving) put(r Record, to Phase) (id int64, err error) {
	date, flags := r.Given.columns()
	if r.ID != 0 {
		return r.ID, m.set(r.ID, `uidl = ?, listed = ?, size = ?, digest = ?, header = ?, body = ?, message_id = ?,
			sent = ?, keep = ?, folder = ?, uidvalidity = ?, uidnext = ?, uid = 0, phase = ?, begun = ?, run = ?,
			date = ?, flags = ?`,
			[]byte(r.UIDL), r.Listed, r.Size, r.Digest[:], r.Header[:], r.Body[:], []byte(r.MessageID), r.Sent, r.Keep,
			r.Folder, r.UIDValidity, r.UIDNext, to.String(), instant(r.Begun), r.Run, date, flags)
	}
	result, err := m.run(`INSERT INTO record (account, uidl, listed, size, digest, header, body,
			message_id, sent, keep, folder, uidvalidity, uidnext, uid, phase, proof, begun, code, server, tries, run,
			date, flags)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, '', ?, '', '', 0, ?, ?, ?)`,
		m.a.id, []byte(r.UIDL), r.Listed, r.Size, r.Digest[:], r.Header[:], r.Body[:], []byte(r.MessageID), r.Sent,
		r.Keep, r.Folder, r.UIDValidity, r.UIDNext, to.String(), instant(r.Begun), r.Run, date, flags)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// refused makes a record a refused one, once more.
func (m moving) refused(id int64, code, server string, at, next time.Time) error {
	return m.set(id, "phase = 'refused', code = ?, server = ?, ended = ?, next_try = ?, tries = tries + 1",
		code, server, instant(at), instant(next))
}

// apply executes a statement of which only success matters.
func apply(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	_, err := tx.ExecContext(ctx, query, args...)
	return err
}
