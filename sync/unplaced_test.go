package sync_test

import (
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// A copy of ours whose UID could not be learned, because the line died, is not one that was there before us: a message
// that is equal to it and comes later is another one.
func TestUnplacedCopyIsNotTakenForAForeignOne(t *testing.T) {
	a, b := mail("a"), as(mail("a"), "a2")
	hook := new(trap)
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{Without: []imap.Cap{imap.CapUIDPlus}, Hook: hook.Fate(lab.Cut)}, a)
	hook.Set("UID FETCH", 1)
	w.fails(w.run(), sync.Temporary, "1 listed, 1 new, 1 copied")
	w.POP.SetMail([]lab.Mail{a, b})
	w.wants(w.run(), "2 listed, 1 known, 1 new, 1 copied")
	w.Holds(a, b)
}

// The same, if its UID is learned only when it is read back, in a run that has nothing to copy.
func TestUnplacedCopyIsPlacedByTheReadBack(t *testing.T) {
	a, b := mail("a"), as(mail("a"), "a2")
	hook := new(trap)
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{Without: []imap.Cap{imap.CapUIDPlus}, Hook: hook.Fate(lab.Cut)}, a)
	hook.Set("UID FETCH", 1)
	w.fails(w.run(), sync.Temporary, "1 listed, 1 new, 1 copied")
	w.wants(w.run(), "1 listed, 1 known")
	w.POP.SetMail([]lab.Mail{a, b})
	w.wants(w.run(), "2 listed, 1 known, 1 new, 1 copied")
	w.Holds(a, b)
}

// In a folder that was made anew and looked through since, a copy that others put there later is theirs.
func TestForeignCopyAfterRenumberingIsRecognised(t *testing.T) {
	a, b, c := mail("a"), mail("b"), as(mail("a"), "a2")
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, a)
	w.wants(w.run(), "1 listed, 1 new, 1 copied")
	if err := w.IMAP.Renumber("INBOX"); err != nil {
		t.Fatal(err)
	}
	w.POP.SetMail([]lab.Mail{a, b})
	w.wants(w.run(), "2 listed, 1 known, 1 new, 1 copied")
	if _, err := w.IMAP.Put("INBOX", a.Raw, nil, time.Time{}); err != nil {
		t.Fatal(err)
	}
	w.POP.SetMail([]lab.Mail{a, b, c})
	w.wants(w.run(), "3 listed, 2 known, 1 new, 1 recognised")
	w.Holds(a, b, c)
}
