package sync_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
)

// knowsTheGiven checks that the memory has the flags and dates that the messages have. Those of which it knows no place, or no
// date, are left out.
func (w *world) knowsTheGiven() {
	w.Helper()
	n, there := 0, map[string]map[uint32]lab.Stored{}
	for _, rec := range w.Records() {
		if there[rec.Folder] == nil {
			all, err := w.IMAP.Messages(rec.Folder)
			if err != nil {
				w.Fatal(err)
			}
			there[rec.Folder] = map[uint32]lab.Stored{}
			for _, m := range all {
				there[rec.Folder][m.UID] = m
			}
		}
		m, ok := there[rec.Folder][rec.UID]
		if !ok {
			continue
		}
		n++
		got, want := strings.Fields(strings.ToLower(rec.Given.Flags)), strings.Fields(strings.ToLower(strings.Join(m.Flags, " ")))
		slices.Sort(got)
		slices.Sort(want)
		if !rec.Given.Flagged || !slices.Equal(got, want) {
			w.Errorf("%q in %s: the state knows %v of flags %q, the message has %q", rec.UIDL, rec.Folder, rec.Given.Flagged, got, want)
		}
		if d := rec.Given.Date; !d.IsZero() && !d.Equal(m.Date) {
			w.Errorf("%q in %s: the state has the date %v, the message %v", rec.UIDL, rec.Folder, d, m.Date)
		}
	}
	if n == 0 {
		w.Error("no message has a place")
	}
}

// What the destination had before has flags of its own.
func TestNobodyKnowsTheFlagsOfWhatIsRecognised(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, letterOf("a", came))
	w.put(letterOf("a", came))
	w.wants(w.run(mine), "1 listed, 1 new, 1 recognised")
	if g := w.Records()[0].Given; g.Flagged || g.Flags != "" || g.Date.Format("2006-01-02 15:04") != "2025-03-03 09:00" {
		t.Errorf("got %+v, want no flags, and the date of Received", g)
	}
}

// The flags and the date of an append whose reply was lost are those of its intent.
func TestTheGivenOfALostReply(t *testing.T) {
	var trap trap
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: trap.Fate(lab.CutReply)}, letterOf("r", answer))
	trap.Set("APPEND", 1)
	w.run(mine)
	w.wants(w.run(mine), "1 listed, 1 new, 1 recognised")
	w.knowsTheGiven()
	if g := w.Records()[0].Given; g.Flags != `\Seen` || g.Date.IsZero() {
		t.Errorf("got %+v", g)
	}
}
