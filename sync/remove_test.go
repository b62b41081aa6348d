package sync_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

func deleting(o *sync.Options) { o.Delete.On = true }

// left checks what is still in the maildrop.
func (w *world) left(uidls ...string) {
	w.Helper()
	var got []string
	for _, m := range w.POP.Mail() {
		got = append(got, m.UIDL)
	}
	if strings.Join(got, " ") != strings.Join(uidls, " ") {
		w.Errorf("the maildrop has %q, want %q", got, uidls)
	}
}

// phases gives the phase of each record.
func (w *world) phases() string {
	w.Helper()
	var list []string
	for _, rec := range w.Records() {
		list = append(list, rec.Phase.String())
	}
	return strings.Join(list, " ")
}

func TestDeleteWhatIsVerified(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		drop := []lab.Mail{mail("a"), mail("b"), anonymous("c")}
		for _, level := range []sync.Level{sync.BySize, sync.ByDigest} {
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{Without: v}, drop...)
			r := w.run(deleting, func(o *sync.Options) { o.Verify = level })
			w.wants(r, "3 listed, 3 new, 3 copied")
			if r.Deleted != 3 {
				t.Errorf("got %d deleted, want 3", r.Deleted)
			}
			w.Holds(drop...)
			w.left()
			if got := w.phases(); got != "deleted deleted deleted" {
				t.Errorf("got records %s", got)
			}
			w.wants(w.run(deleting), "")
		}
	})
}

// Deletion has a session of its own: none in which something was retrieved is ended by QUIT with a DELE in it.
func TestDeletionHasItsOwnSession(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"))
	w.run(deleting)
	if n := w.POP.Connections(); n != 2 {
		t.Errorf("got %d sessions, want 2", n)
	}
	w.POP.SetMail([]lab.Mail{mail("b")})
	w.run()
	before := w.POP.Connections()
	if r := w.run(deleting); r.Deleted != 1 {
		t.Errorf("got %d deleted, want 1", r.Deleted)
	}
	if n := w.POP.Connections() - before; n != 1 {
		t.Errorf("got %d sessions, want 1: nothing was retrieved in it", n)
	}
	w.silent("RETR")
}

func TestDeleteWhenOldEnough(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"), mail("b"))
	aged := func(o *sync.Options) { o.Delete = sync.Deletion{On: true, Age: 14 * 24 * time.Hour} }
	w.wants(w.run(aged), "2 listed, 2 new, 2 copied")
	w.left("a", "b")
	w.Edit("UPDATE record SET ended = ended - 15*24*3600*1000000000 WHERE uidl = x'61'")
	if r := w.run(aged); r.Deleted != 1 {
		t.Errorf("got %d deleted, want 1", r.Deleted)
	}
	w.left("b")
	w.wants(w.run(aged), "1 listed, 1 known")
}

func TestBrake(t *testing.T) {
	for _, brake := range []sync.Deletion{{On: true, Most: 2}, {On: true, Percent: 66}} {
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"), mail("b"), mail("c"))
		w.fails(w.run(func(o *sync.Options) { o.Delete = brake }), sync.Config, "3 listed, 3 new, 3 copied")
		w.left("a", "b", "c")
		w.silent("DELE")
		brake.Most, brake.Percent = 3*min(brake.Most, 1), 100*min(brake.Percent, 1)
		if r := w.run(func(o *sync.Options) { o.Delete = brake }); r.Deleted != 3 {
			t.Errorf("got %d deleted, want 3 (%v)", r.Deleted, r.Err)
		}
	}
}

// Whatever happens to the session of the deletion, the next listing tells what became of it.
func TestDeletionThatIsCutOff(t *testing.T) {
	for _, c := range []struct {
		command string
		loses   bool // the command is executed
		left    []string
	}{
		{"DELE 1", false, []string{"a", "b"}},
		{"DELE 2", false, []string{"a", "b"}},
		{"QUIT", false, []string{"a", "b"}},
		{"QUIT", true, nil},
	} {
		t.Run(c.command, func(t *testing.T) {
			var on atomic.Bool
			o := lab.POP3Options{}
			if c.loses {
				o.LosesReply = func(_ int, line string) bool { return on.Load() && line == c.command }
			} else {
				o.Hook = func(_ int, line string) (string, bool) { return "", on.Load() && line == c.command }
			}
			w := create(t, o, lab.IMAPOptions{}, mail("a"), mail("b"))
			w.wants(w.run(), "2 listed, 2 new, 2 copied")
			on.Store(true)
			w.fails(w.run(deleting), sync.Temporary, "2 listed, 2 known")
			on.Store(false)
			w.left(c.left...)
			r := w.run(deleting)
			if c.loses { // an empty maildrop is believed the second time
				r = w.run(deleting)
			}
			if r.Deleted != 2 || r.Err != nil {
				t.Errorf("got %d deleted (%v), want 2", r.Deleted, r.Err)
			}
			w.left()
			w.Holds(mail("a"), mail("b"))
			if got := w.phases(); got != "deleted deleted" {
				t.Errorf("got records %s", got)
			}
		})
	}
}

// A line that dies during a deletion costs the report nothing: the same run asks what became of it, and deletes the rest.
func TestDeletionThatIsCutOffIsFinishedByTheSameRun(t *testing.T) {
	for _, c := range []struct {
		command string
		loses   bool // the command is executed
		all     bool // nothing is left in the maildrop
	}{{"DELE 1", false, false}, {"DELE 2", true, false}, {"QUIT", false, false}, {"QUIT", true, false}, {"QUIT", true, true}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			var dies trap
			o := lab.POP3Options{Hook: dies.Answer("", true)}
			if c.loses {
				o = lab.POP3Options{LosesReply: func(_ int, line string) bool { return dies.Springs(line) }}
			}
			w := create(t, o, lab.IMAPOptions{}, mail("a"), mail("b"), mail("new"))
			if c.all {
				w.POP.SetMail([]lab.Mail{mail("a"), mail("b")})
			}
			w.run(func(o *sync.Options) { o.Narrow.Messages = 2 })
			var watch watcher
			dies.Set(c.command, 1)
			r := w.run(deleting, func(o *sync.Options) {
				o.Watch, o.Patience, o.Narrow.Size = &watch, time.Minute, 1
			})
			unknown := slices.ContainsFunc(watch.Notices, func(n string) bool { return strings.Contains(n, "2 messages may have been deleted") })
			if r.Err != nil || unknown != c.all || !unknown && r.Deleted != 2 {
				t.Errorf("got %d deleted (%v), want 2; notices %q", r.Deleted, r.Err, watch.Notices)
			}
			if c.all {
				w.left()
				w.run(deleting) // an empty maildrop is believed the second time
				if r := w.run(deleting); r.Deleted != 2 {
					t.Errorf("another run: got %d deleted (%v), want 2", r.Deleted, r.Err)
				}
				return
			}
			w.left("new")
			if got := w.phases(); got != "deleted deleted" {
				t.Errorf("got records %s", got)
			}
		})
	}
}

// After a deletion whose end nobody heard, a maildrop that is empty for a moment proves nothing.
func TestAnEmptyListingIsNoProofOfDeletion(t *testing.T) {
	var on atomic.Bool
	w := create(t, lab.POP3Options{Hook: func(_ int, line string) (string, bool) { return "", on.Load() && line == "QUIT" }},
		lab.IMAPOptions{}, mail("a"))
	w.wants(w.run(), "1 listed, 1 new, 1 copied")
	on.Store(true)
	w.fails(w.run(deleting), sync.Temporary, "1 listed, 1 known")
	on.Store(false)
	w.POP.SetMail(nil)
	w.wants(w.run(), "")
	if got := w.phases(); got != "deleting" {
		t.Errorf("got %s, want deleting: nobody knows", got)
	}
}

// Nor does it in the run that has deleted, also if that is the first of its account.
func TestAnEmptyListingIsNoProofInTheSameRun(t *testing.T) {
	var dies trap
	w := create(t, lab.POP3Options{Hook: dies.Answer("", true)}, lab.IMAPOptions{}, mail("a"), mail("b"))
	dies.Set("QUIT", 2)
	sessions := 0
	var watch watcher
	r := w.run(deleting, func(o *sync.Options) {
		from := o.From
		o.Patience, o.Watch = time.Minute, &watch
		o.From = func(ctx context.Context) (sync.Source, error) {
			if sessions++; sessions == 3 { // copied, deleted, asked
				w.POP.SetMail(nil)
			}
			return from(ctx)
		}
	})
	unknown := slices.ContainsFunc(watch.Notices, func(n string) bool { return strings.Contains(n, "2 messages may have been deleted") })
	if got := w.phases(); sessions != 3 || r.Deleted != 0 || !unknown || got != "deleting deleting" {
		t.Errorf("got %d sessions, %d deleted (%v), records %s, notices %q", sessions, r.Deleted, r.Err, got, watch.Notices)
	}
}

func TestWhatIsNeverDeleted(t *testing.T) {
	a, b := mail("a"), mail("b")
	for name, c := range map[string]struct {
		pop  lab.POP3Options
		imap lab.IMAPOptions
		drop []lab.Mail
		left []string
	}{
		"refused":                      {imap: refusing("This is b", no("")), drop: []lab.Mail{a, b}, left: []string{"b"}},
		"without UIDL":                 {pop: lab.POP3Options{NoUIDL: true}, drop: []lab.Mail{as(a, "")}, left: []string{""}},
		"one UIDL for two messages":    {drop: []lab.Mail{a, as(b, "a"), mail("c")}, left: []string{"a", "a", "c"}},
		"shorter than LIST says":       {drop: []lab.Mail{a, {UIDL: "b", Raw: b.Raw, Size: 9000}}, left: []string{"b"}},
		"changed by the destination":   {imap: lab.IMAPOptions{Alter: marked}, drop: []lab.Mail{a}, left: []string{"a"}},
		"numbers that shift":           {pop: lab.POP3Options{Shift: 9}, drop: []lab.Mail{a, b}, left: []string{"a", "b"}},
		"not there, though it said so": {imap: lab.IMAPOptions{Hook: lying}, drop: []lab.Mail{a}, left: []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := create(t, c.pop, c.imap, c.drop...)
			for range 3 {
				w.run(deleting)
			}
			var got []string
			for _, m := range w.POP.Mail() {
				got = append(got, m.UIDL)
			}
			for _, uidl := range c.left {
				if !strings.Contains(" "+strings.Join(got, " ")+" ", " "+uidl+" ") {
					t.Errorf("the maildrop has %q, want %q still there", got, c.left)
				}
			}
		})
	}
}

// Whoever asks for deletion and gets none is told why, before it is tried too.
func TestWhyNothingIsDeleted(t *testing.T) {
	a, b := mail("a"), mail("b")
	for name, c := range map[string]struct {
		pop  lab.POP3Options
		drop []lab.Mail
		why  string
	}{
		"without UIDL":              {pop: lab.POP3Options{NoUIDL: true}, drop: []lab.Mail{as(a, "")}, why: "the server has no UIDL"},
		"one UIDL for two messages": {drop: []lab.Mail{a, as(b, "a")}, why: "the server calls several messages by the same UIDL"},
	} {
		t.Run(name, func(t *testing.T) {
			w := create(t, c.pop, lab.IMAPOptions{}, c.drop...)
			w.run()
			for _, dry := range []bool{true, false} {
				var watch watcher
				r := w.run(deleting, func(o *sync.Options) { o.DryRun, o.Watch = dry, &watch })
				if want := "nothing is deleted: " + c.why; r.Deletable != 0 || !slices.Equal(watch.Notices, []string{want}) {
					t.Errorf("dry %v: %d to be deleted, notices %q, want only %q", dry, r.Deletable, watch.Notices, want)
				}
			}
		})
	}
}

// marked is what a server that adds a field and changes the body makes of a message.
func marked(raw []byte) []byte { return append([]byte("X-Seen-By: the server\r\n"), raw...) }

// lying says OK to every APPEND and stores none.
func lying(_ int, command string) lab.Fate {
	if strings.HasPrefix(command, "APPEND") {
		return lab.Lie
	}
	return lab.Execute
}

// A UIDL that is used again for a message of the same size must not delete what was never copied.
func TestTheHeaderIsComparedBeforeDeletion(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, as(mail("a"), "1"))
	w.wants(w.run(), "1 listed, 1 new, 1 copied")
	w.POP.SetMail([]lab.Mail{as(mail("b"), "1")})
	w.wants(w.run(deleting), "1 listed, 1 known")
	w.left("1")
	w.silent("DELE")
	w.wants(w.run(deleting), "1 listed, 1 new, 1 copied")
	w.Holds(mail("a"), mail("b"))
}

// What comes back after it was deleted is no news if it is the same, and news if it is not.
func TestWhatComesBackAfterDeletion(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"))
	w.run(deleting)
	w.left()
	w.POP.SetMail([]lab.Mail{mail("a")})
	w.wants(w.run(), "1 listed, 1 known")
	w.Holds(mail("a"))
	w.POP.SetMail([]lab.Mail{as(mail("b"), "a")})
	w.run(deleting) // it has the size of a
	w.POP.SetMail([]lab.Mail{as(other(mail("c")), "a")})
	if got := w.Records()[0].Phase; got == state.PhaseDeleted {
		t.Errorf("got %v for a message that came back", got)
	}
}

// What was verified, and lost since by a destination that was set back to an old state, is not deleted. What its owner has
// deleted there is.
func TestDeletionAfterTheDestinationWasSetBack(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(*world)
		deleted int
	}{
		"nothing happens":        {func(*world) {}, 2},
		"the owner deletes one":  {func(w *world) { w.try(w.IMAP.Remove("Archive", 1)) }, 2},
		"the folder is gone":     {func(w *world) { w.do(remove("Archive")) }, 0},
		"it is empty and new":    {func(w *world) { w.do(remove("Archive"), remake("Archive")) }, 0},
		"it was restored, whole": {func(w *world) { w.try(w.IMAP.Renumber("Archive")) }, 2},
		"it was restored, a part": {func(w *world) {
			w.try(w.IMAP.Remove("Archive", 2))
			w.try(w.IMAP.Renumber("Archive"))
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"), mail("b"))
			w.Folder = "Archive"
			w.wants(w.run(), "2 listed, 2 new, 2 copied")
			c.happens(w)
			if r := w.run(deleting); r.Deleted != c.deleted || r.Err != nil {
				t.Errorf("got %d deleted (%v), want %d", r.Deleted, r.Err, c.deleted)
			}
			if n := len(w.POP.Mail()); n != 2-c.deleted {
				t.Errorf("the maildrop has %d, want %d", n, 2-c.deleted)
			}
		})
	}
}

func (w *world) try(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// Wherever in the session of a deletion the numbers shift, what was never copied stays.
func TestNumbersThatShiftDuringADeletion(t *testing.T) {
	for shift := 1; shift <= 20; shift++ {
		w := create(t, lab.POP3Options{Shift: shift}, lab.IMAPOptions{}, mail("a"), mail("b"), mail("c"), mail("d"), mail("e"))
		w.run(deleting, func(o *sync.Options) { o.Narrow.Messages = 2 })
		w.run(deleting, func(o *sync.Options) { o.Narrow.Messages = 1 })
		copies, err := w.IMAP.Messages("INBOX")
		if err != nil {
			t.Fatal(err)
		}
		there := map[string]bool{"a": true} // the one that the server lost itself
		for _, m := range w.POP.Mail() {
			there[m.UIDL] = true
		}
		for _, c := range copies {
			for _, name := range []string{"b", "c", "d", "e"} {
				if string(c.Raw) == string(mail(name).Raw) {
					there[name] = true
				}
			}
		}
		if len(there) != 5 {
			t.Errorf("shift after %d commands: only %v are anywhere", shift, there)
		}
	}
}
