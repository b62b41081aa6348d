package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

// line prints a JSON line on stdout.
func (s *screen) line(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	printJSON(s.out, v)
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
	Code        string            `json:"code,omitempty"`
	Server      string            `json:"server,omitempty"`
}

func messageLine(account string, o sync.Outcome) messageJSON {
	m := messageJSON{Type: "message", Account: account, Result: o.Result, UIDL: o.UIDL, Size: size(o), Folder: o.Folder,
		UIDValidity: o.UIDValidity, UID: o.UID, Flags: reasons(o.Flags), DateWhy: o.DateWhy, Code: o.Code, Server: o.Server}
	if o.Digest != [32]byte{} {
		m.Digest = "sha256:" + hex.EncodeToString(o.Digest[:])
	}
	if !o.Date.IsZero() {
		m.Date = o.Date.Format(time.RFC3339)
	}
	return m
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
	Type     string        `json:"type"`
	Exit     int           `json:"exit"`
	Accounts []accountJSON `json:"accounts"`
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
	Refusals    []refusalJSON  `json:"refusals"`
	Error       *string        `json:"error"`
}

type refusalJSON struct {
	UIDL   string `json:"uidl"`
	Size   int64  `json:"size"`
	Code   string `json:"code"`
	Server string `json:"server"`
}

func summaryLine(a account, r sync.Report, exit int) summaryJSON {
	refusals := []refusalJSON{}
	for _, o := range r.Refusals {
		refusals = append(refusals, refusalJSON{o.UIDL, size(o), o.Code, o.Server})
	}
	var failed *string
	if r.Err != nil {
		failed = orNull(sync.Clean(r.Err.Error()))
	}
	return summaryJSON{"summary", exit, []accountJSON{{Account: a.name, From: a.from, To: a.to, Exit: exit,
		Listed: r.Listed, Known: r.Known, New: r.New, Copied: r.Copied, Recognised: r.Recognised, Refused: r.Refused,
		InDoubt: r.InDoubt, Vanished: r.Vanished, Left: r.Left, Quarantined: r.Quarantined, Bytes: r.Bytes,
		Seconds: r.Took.Seconds(), Flags: r.Flags, Refusals: refusals, Error: failed}}}
}
