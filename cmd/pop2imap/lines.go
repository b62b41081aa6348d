package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// line prints a JSON line on stdout.
func (t *terminal) line(v any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	printJSON(t.out, v)
}

// printJSON prints v as one line. What is not UTF-8 in it (a UIDL may be anything) has U+FFFD in its place.
func printJSON(w io.Writer, v any) {
	text, err := json.Marshal(v)
	if err != nil { // the types below hold nothing that cannot be marshalled
		panic(err)
	}
	fmt.Fprintf(w, "%s\n", text)
}

// A messageJSON is the line of one message.
type messageJSON struct {
	Type        string            `json:"type"`
	Account     string            `json:"account"`
	Result      sync.Result       `json:"result"`
	UIDL        string            `json:"uidl"`
	Size        int64             `json:"size"`
	Digest      string            `json:"digest,omitempty"`
	Folder      string            `json:"folder,omitempty"`
	UIDValidity uint32            `json:"uidvalidity,omitempty"`
	UID         uint32            `json:"uid,omitempty"`
	Flags       map[string]string `json:"flags,omitempty"` // and why
	Date        string            `json:"date,omitempty"`
	DateWhy     string            `json:"date_why,omitempty"`
	Deleted     string            `json:"deleted_mark,omitempty"` // what marks it as deleted; it is copied all the same
	Doubted     []doubtedJSON     `json:"not_believed,omitempty"`
	Why         string            `json:"why,omitempty"`  // why it is left
	Keep        string            `json:"keep,omitempty"` // why it will never be deleted at the source
	Code        string            `json:"code,omitempty"`
	Server      string            `json:"server,omitempty"`
}

func messageLine(account string, o sync.Outcome) messageJSON {
	m := messageJSON{Type: "message", Account: account, Result: o.Result, UIDL: o.UIDL, Size: size(o), Folder: o.Folder,
		UIDValidity: o.UIDValidity, UID: o.UID, Flags: reasons(o.Flags), DateWhy: o.DateWhy, Deleted: o.Deleted,
		Why: o.Why, Keep: o.Keep, Code: o.Code, Server: o.Server}
	if o.Digest != [32]byte{} {
		m.Digest = digest(o.Digest)
	}
	if !o.Date.IsZero() {
		m.Date = o.Date.Format(time.RFC3339)
	}
	for _, d := range o.Doubted {
		m.Doubted = append(m.Doubted, doubtedJSON(d))
	}
	return m
}

func digest(d [32]byte) string { return "sha256:" + hex.EncodeToString(d[:]) }

// recordLine is the line of a message that is only remembered.
func recordLine(account string, result sync.Result, rec state.Record) messageJSON {
	return messageJSON{Type: "message", Account: account, Result: result, UIDL: rec.UIDL, Size: rec.Size,
		Digest: digest(rec.Digest), Folder: rec.Folder, UIDValidity: rec.UIDValidity, UID: rec.UID, Keep: rec.Keep}
}

// size is that of the message, or what LIST says of it.
func size(o sync.Outcome) int64 {
	if o.Size == 0 {
		return o.Listed
	}
	return o.Size
}

func reasons(flags []message.Flag) map[string]string {
	why := map[string]string{}
	for _, f := range flags {
		why[f.Name] = f.Why
	}
	return why
}

// A summaryJSON is the last line (SPEC §4).
type summaryJSON struct {
	Type     string `json:"type"` // "summary" of accountJSON, "verify" of verifiedJSON
	Exit     int    `json:"exit"`
	Accounts []any  `json:"accounts"`
}

type accountJSON struct {
	Account     string         `json:"account"`
	From        string         `json:"from"`
	To          string         `json:"to"`
	Exit        int            `json:"exit"`
	Listed      int            `json:"listed"`
	Known       int            `json:"known"`
	New         int            `json:"new"`
	Copied      int            `json:"copied"`
	Recognised  int            `json:"recognised"`
	Refused     int            `json:"refused"`
	InDoubt     int            `json:"in_doubt"`
	Vanished    int            `json:"vanished"`
	Left        int            `json:"left"`
	Quarantined int            `json:"quarantined"`
	Deleted     int            `json:"deleted"`
	Bytes       int64          `json:"bytes"`
	Seconds     float64        `json:"seconds"`
	Flags       map[string]int `json:"flags"`
	Folders     map[string]int `json:"folders"` // how many were copied into each
	Refusals    []refusalJSON  `json:"refusals"`
	Error       *string        `json:"error"`
	Missing     int            `json:"missing"` // in doubt too, but no longer listed

	Changed      int  `json:"changed"`       // what the destination stored in another form
	DatesIgnored bool `json:"dates_ignored"` // it sets its own

	WouldCopy   *int `json:"would_copy,omitempty"`   // of a dry run only
	WouldDelete *int `json:"would_delete,omitempty"` // of what was delivered before
}

type refusalJSON struct {
	UIDL   string `json:"uidl"`
	Size   int64  `json:"size"`
	Code   string `json:"code"`
	Server string `json:"server"`
}

func accountLine(a account, r sync.Report, exit int) accountJSON {
	refusals := []refusalJSON{}
	for _, o := range r.Refusals {
		refusals = append(refusals, refusalJSON{o.UIDL, size(o), o.Code, o.Server})
	}
	return accountJSON{Account: a.name, From: a.from, To: a.to, Exit: exit,
		Listed: r.Listed, Known: r.Known, New: r.New, Copied: r.Copied, Recognised: r.Recognised, Refused: r.Refused,
		InDoubt: r.InDoubt, Missing: r.Missing, Vanished: r.Vanished, Left: r.Left, Quarantined: r.Quarantined,
		Deleted: r.Deleted, Bytes: r.Bytes, Seconds: r.Took.Seconds(), Flags: r.Flags, Folders: r.Folders, Refusals: refusals,
		Error: failure(r.Err), Changed: r.Changed, DatesIgnored: r.DatesIgnored}
}

type verifiedJSON struct {
	Account  string  `json:"account"`
	From     string  `json:"from"`
	To       string  `json:"to"`
	Exit     int     `json:"exit"`
	Level    string  `json:"level"`
	Verified int     `json:"verified"`
	Changed  int     `json:"changed"` // of those: by the server
	NotThere int     `json:"not_there"`
	InDoubt  int     `json:"in_doubt"`
	Seconds  float64 `json:"seconds"`
	Error    *string `json:"error"`
}

func verifiedLine(a account, v verified, exit int) verifiedJSON {
	return verifiedJSON{Account: a.name, From: a.from, To: a.to, Exit: exit,
		Level: v.level.String(), Verified: v.Proved, Changed: v.Changed, NotThere: v.Absent, InDoubt: v.Unsure,
		Seconds: v.took.Seconds(), Error: failure(v.Err)}
}

// failure is null where nothing failed.
func failure(err error) *string {
	if err == nil {
		return nil
	}
	return orNull(sync.Clean(err.Error()))
}
