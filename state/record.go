package state

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// A Phase is how far a message has come.
type Phase int

const (
	none Phase = iota // there is no record

	PhaseIntent   // about to be appended, or appended and the reply was lost: nobody knows
	PhaseStored   // the destination said that it has it
	PhaseVerified // read-back has found it there
	PhaseMissing  // the destination said that it has it, and read-back did not find it
	PhaseRefused  // the destination does not want it
	PhaseDeleting // it was verified, and is about to be deleted at the source, or the reply to QUIT was lost
	PhaseDeleted  // the source said that it is deleted
)

var phases = [...]string{none: "none", PhaseIntent: "intent", PhaseStored: "stored", PhaseVerified: "verified",
	PhaseMissing: "missing", PhaseRefused: "refused", PhaseDeleting: "deleting", PhaseDeleted: "deleted"}

// Delivered says whether the destination has the message, for all that is known.
func (p Phase) Delivered() bool {
	return p == PhaseStored || p == PhaseVerified || p == PhaseDeleting || p == PhaseDeleted
}

func (p Phase) String() string {
	if p < 0 || int(p) >= len(phases) {
		return fmt.Sprintf("phase(%d)", int(p))
	}
	return phases[p]
}

// A Record is what is remembered of one message of the maildrop. Zero values mean that a fact is not known.
// Times are kept to the nanosecond and come back in UTC.
type Record struct {
	ID        int64    // given by the state, never twice
	UIDL      string   // any octets; "" if the server gives none
	Listed    int64    // octets as LIST said: advice
	Size      int64    // octets
	Digest    [32]byte // SHA-256 of the message
	Header    [32]byte // fingerprint of the header
	Body      [32]byte // SHA-256 of what follows the header
	MessageID string   // as it stands in the header, any octets
	Sent      int64    // octets as they were sent: Size, unless the message had to be repaired

	Folder      string // at the destination
	UIDValidity uint32 // of the folder
	UIDNext     uint32 // of the folder before the append
	UID         uint32 // 0: not known
	Given       Given  // what it arrives with

	Phase        Phase
	Proof        string    // level of the read-back, "size" or "digest"; "" if there was none
	Keep         string    // why it must never be deleted at the source; "" if it may be
	Begun        time.Time // when the intent was formed
	Ended        time.Time // when the outcome was known; in an intent, that of the last try
	Code, Server string    // why it was refused last; "" once it is stored
	Tries        int       // how often it was refused
	NextTry      time.Time // of a refused message: not before
	Run          int64     // the run that tried last
}

// A Given is what a message has at the destination beside its octets. An intent has what it is to have.
type Given struct {
	Date    time.Time // INTERNALDATE, to the second; zero: none was asked for, or not known
	Flags   string    // with a space between them
	Flagged bool      // whether Flags is known: not if the destination had the message before
}

// columns gives the columns of a Given.
func (g Given) columns() (date sql.NullInt64, flags sql.NullString) {
	return sql.NullInt64{Int64: g.Date.Unix(), Valid: !g.Date.IsZero()}, sql.NullString{String: g.Flags, Valid: g.Flagged}
}

const columns = `id, uidl, listed, size, digest, header, body, message_id, sent, folder, uidvalidity, uidnext, uid,
	phase, proof, keep, begun, ended, code, server, tries, next_try, run, date, flags`

// A scanner is a row of an answer.
type scanner interface{ Scan(to ...any) error }

// scanRecord reads what [columns] asks for.
func scanRecord(row scanner) (r Record, err error) {
	var uidl, digest, header, body, messageID sql.RawBytes
	var date sql.NullInt64
	var flags sql.NullString
	err = row.Scan(&r.ID, &uidl, &r.Listed, &r.Size, &digest, &header, &body, &messageID, &r.Sent, &r.Folder,
		&r.UIDValidity, &r.UIDNext, &r.UID, &r.Phase, &r.Proof, &r.Keep, nanoseconds{&r.Begun}, nanoseconds{&r.Ended},
		&r.Code, &r.Server, &r.Tries, nanoseconds{&r.NextTry}, &r.Run, &date, &flags)
	if err != nil {
		return Record{}, err
	}
	if r.Given.Flags, r.Given.Flagged = flags.String, flags.Valid; date.Valid {
		r.Given.Date = time.Unix(date.Int64, 0).UTC()
	}
	if len(digest) != len(r.Digest) || len(header) != len(r.Header) || len(body) != len(r.Body) {
		return Record{}, fmt.Errorf("%w: record %d has a digest of a wrong length", ErrCorrupt, r.ID)
	}
	r.UIDL, r.MessageID = string(uidl), string(messageID)
	r.Digest, r.Header, r.Body = [32]byte(digest), [32]byte(header), [32]byte(body)
	return r, nil
}

// Scan reads a phase from its name.
func (p *Phase) Scan(value any) error {
	for i, name := range phases {
		if value == name {
			*p = Phase(i)
			return nil
		}
	}
	return fmt.Errorf("%w: there is no phase %v", ErrCorrupt, value)
}

// nanoseconds reads a time from a column that may be NULL.
type nanoseconds struct{ *time.Time }

func (n nanoseconds) Scan(value any) error {
	switch ns := value.(type) {
	case nil:
		*n.Time = time.Time{}
	case int64:
		*n.Time = time.Unix(0, ns).UTC()
	default:
		return fmt.Errorf("%w: %v is no time", ErrCorrupt, value)
	}
	return nil
}

// instant is how a time is stored.
func instant(t time.Time) sql.NullInt64 {
	if t.IsZero() {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: t.UnixNano(), Valid: true}
}

// A querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each calls f with every row of an answer.
func each(ctx context.Context, q querier, f func(scanner) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// collect makes a list of the rows of an answer.
func collect[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) (
	list []T, err error) {
	err = each(ctx, q, func(row scanner) error {
		t, err := scan(row)
		list = append(list, t)
		return err
	}, query, args...)
	return list, err
}
