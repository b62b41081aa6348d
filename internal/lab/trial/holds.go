package trial

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// Balanced holds for every report.
func (w *World) Balanced(r sync.Report) {
	w.Helper()
	if r.Listed != r.Known+r.Quarantined+r.New ||
		r.New != r.Copied+r.Recognised+r.Refused+r.InDoubt+r.Vanished+r.Left {
		w.Errorf("the balance is wrong: %+v", r)
	}
	for name, n := range map[string]int{"New": r.New, "Left": r.Left} {
		if n < 0 {
			w.Errorf("%s is %d: %+v", name, n, r)
		}
	}
	if len(r.Refusals) != r.Refused {
		w.Errorf("got %d refusals for Refused %d", len(r.Refusals), r.Refused)
	}
}

// agrees checks that what was told along the way comes to the same as the report.
func (w *World) agrees(watch *Watcher, r sync.Report) {
	w.Helper()
	missed := watch.Results[sync.Missed] // told of as copied before
	for result, n := range map[sync.Result]int{sync.Copied: r.Copied + missed, sync.RefusedOne: r.Refused,
		sync.Gone: r.Vanished, sync.Removed: r.Deleted, sync.Changed: r.Changed} {
		if watch.Results[result] != n {
			w.Errorf("told of %d %s, the report says %d", watch.Results[result], result, n)
		}
	}
	if told := watch.Results[sync.Recognised] + watch.Results[sync.WouldKnow]; told != r.Recognised {
		w.Errorf("told of %d that were recognised, the report says %d", told, r.Recognised)
	}
}

// remembered checks that the memory has the same report.
func (w *World) remembered(a *state.Account, r sync.Report) {
	w.Helper()
	last, ok, err := a.LastRun(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	if !ok || last.Ended.IsZero() {
		if !errors.Is(r.Err, state.ErrLocked) { // then there was no run
			w.Errorf("the state knows of no run that ended: %+v", last)
		}
		return
	}
	got := sync.Report{Listed: last.Listed, Known: last.Known, New: last.New, Copied: last.Copied,
		Recognised: last.Recognised, Refused: last.Refused, InDoubt: last.InDoubt, Vanished: last.Vanished,
		Left: last.Left, Quarantined: last.Quarantined, Deleted: last.Deleted, Bytes: last.Bytes}
	ended := ""
	switch {
	case r.Err == nil:
	case sync.ClassOf(r.Err) == sync.Bug: // may have shown when all was done and said
		ended = last.Error
	case sync.ClassOf(r.Err) == sync.Stopped:
		ended = "stopped"
	default:
		ended = r.Err.Error()
	}
	if Counts(got) != Counts(r) || got.Bytes != r.Bytes || got.Deleted != r.Deleted || last.Error != ended {
		w.Errorf("the state says %s, %d deleted (%q), the report %s, %d deleted (%v)", Counts(got), got.Deleted, last.Error,
			Counts(r), r.Deleted, r.Err)
	}
}

// Counts spells out what is not zero.
func Counts(r sync.Report) string {
	var b strings.Builder
	for _, c := range []struct {
		name string
		n    int
	}{{"listed", r.Listed}, {"known", r.Known}, {"new", r.New}, {"copied", r.Copied}, {"recognised", r.Recognised},
		{"refused", r.Refused}, {"in doubt", r.InDoubt}, {"vanished", r.Vanished}, {"left", r.Left},
		{"quarantined", r.Quarantined}} {
		if c.n != 0 {
			fmt.Fprintf(&b, ", %d %s", c.n, c.name)
		}
	}
	return strings.TrimPrefix(b.String(), ", ")
}

// Holds checks what is in the folder, octet for octet and in order.
func (w *World) Holds(mail ...lab.Mail) {
	w.Helper()
	w.HoldsIn(w.Folder, mail...)
}

// HoldsIn is Holds for another folder.
func (w *World) HoldsIn(folder string, mail ...lab.Mail) {
	w.Helper()
	want := Raw(mail...)
	if have := w.in(folder); !slices.Equal(have, want) {
		w.Errorf("%s holds %d messages\n%s\nwant %d\n%s", folder, len(have), short(have), len(want), short(want))
	}
}

// There is what the folder holds.
func (w *World) There() (raw []string) {
	w.Helper()
	return w.in(w.Folder)
}

func (w *World) in(folder string) (raw []string) {
	w.Helper()
	list, err := w.IMAP.Messages(folder)
	if err != nil {
		w.Fatal(err)
	}
	for _, m := range list {
		raw = append(raw, string(m.Raw))
	}
	return raw
}

// Raw gives what is in messages, octet for octet.
func Raw(mail ...lab.Mail) (raw []string) {
	for _, m := range mail {
		raw = append(raw, string(m.Raw))
	}
	return raw
}

// short shows the beginning of some messages.
func short(raw []string) string { return fmt.Sprintf("%.2000s", fmt.Sprintf("%.300q", raw)) }

// Listen begins anew with what Asked and Told give. A run does so when it begins.
func (w *World) Listen() { w.heard, w.seen = len(w.POP.Commands()), len(w.IMAP.Commands()) }

// Asked gives what the last run said to the maildrop that begins so.
func (w *World) Asked(prefix string) []string { return said(w.POP.Commands()[w.heard:], prefix) }

// Told gives what the last run said to the mailbox that begins so.
func (w *World) Told(prefix string) []string { return said(w.IMAP.Commands()[w.seen:], prefix) }

func said(all []string, prefix string) []string {
	return slices.DeleteFunc(all, func(c string) bool { return !strings.HasPrefix(strings.ToUpper(c), prefix) })
}
