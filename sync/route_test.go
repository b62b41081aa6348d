package sync_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// routed sends mail whose name begins with s to the folder for sent mail, with l to a list's, and leaves the rest.
func routed(o *sync.Options) {
	o.Place = func(header []byte, _ int64, _ message.Inference) sync.Placement {
		switch {
		case bytes.Contains(header, []byte("Subject: s")):
			return sync.Placement{Use: `\Sent`, Flags: []message.Flag{{Name: `\Seen`, Why: "own"}}}
		case bytes.Contains(header, []byte("Subject: l")):
			return sync.Placement{Folder: "Lists/Go"}
		}
		return sync.Placement{}
	}
}

// three is mail for three folders, by turns: n for each.
func three(n int) (all []lab.Mail) {
	for i := range n {
		for _, kind := range []string{"a", "s", "l"} {
			all = append(all, mail(fmt.Sprintf("%s%04d", kind, i)))
		}
	}
	return all
}

// of gives those whose name begins so.
func of(all []lab.Mail, kind string) []lab.Mail {
	return slices.DeleteFunc(slices.Clone(all), func(m lab.Mail) bool { return !strings.HasPrefix(m.UIDL, kind) })
}

// sorted checks that mail is in its own folder, and nowhere else.
func (w *world) sorted(all []lab.Mail) {
	w.Helper()
	w.HoldsIn("INBOX", of(all, "a")...)
	w.HoldsIn("Sent", of(all, "s")...)
	w.HoldsIn("Lists/Go", of(all, "l")...)
	for _, rec := range w.Records() {
		want := map[byte]string{'a': "INBOX", 's': "Sent", 'l': "Lists/Go"}[rec.UIDL[0]]
		if rec.Folder != want || rec.Phase != state.PhaseVerified && rec.Phase != state.PhaseDeleted || rec.UID == 0 {
			w.Errorf("%s: got %s at %s/%d, want it verified in %s", rec.UIDL, rec.Phase, rec.Folder, rec.UID, want)
		}
	}
}

func TestSeveralFolders(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		all := three(150)
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{Without: v}, all...)
		r := w.run(routed)
		w.wants(r, "450 listed, 450 new, 450 copied")
		w.sorted(all)
		if want := map[string]int{"INBOX": 150, "Sent": 150, "Lists/Go": 150}; !maps.Equal(r.Folders, want) {
			t.Errorf("got %v, want %v", r.Folders, want)
		}
		if r.Flags[`\Seen`] != 150 {
			t.Errorf("got flags %v, want 150 \\Seen: those of the placement", r.Flags)
		}
		if got := len(w.Told("APPEND")); v == nil && got > 15 {
			t.Errorf("got %d APPENDs, want a batch for each folder at a time", got)
		}
		if got := w.Told("SUBSCRIBE"); len(got) != 2 {
			t.Errorf("got %q, want both new folders", got)
		}
		w.wants(w.run(routed), "450 listed, 450 known")
		w.silent("APPEND", "RETR")

		w.wants(w.run(routed, func(o *sync.Options) { o.Delete.On = true }), "450 listed, 450 known")
		if left := w.POP.Mail(); len(left) != 0 {
			t.Errorf("%d are left in the maildrop", len(left))
		}
	})
}

func TestKnownMessageStaysWhenTheRulesChange(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, three(2)...)
	w.wants(w.run(routed), "6 listed, 6 new, 6 copied")
	w.POP.SetMail(append(three(2), mail("s0009")))
	w.wants(w.run(func(o *sync.Options) {
		o.Place = func([]byte, int64, message.Inference) sync.Placement { return sync.Placement{Folder: "Elsewhere"} }
	}), "7 listed, 6 known, 1 new, 1 copied")
	w.HoldsIn("Elsewhere", mail("s0009"))
	for folder, kind := range map[string]string{"INBOX": "a", "Sent": "s", "Lists/Go": "l"} {
		w.HoldsIn(folder, of(three(2), kind)...)
	}
}

func TestNoFolderBeforeItIsNeeded(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"), mail("l"))
	w.wants(w.run(routed), "2 listed, 2 new, 2 copied")
	if got := w.IMAP.Folders(); !slices.Equal(got, []string{"INBOX", "Lists/Go"}) {
		t.Errorf("got %q", got)
	}
}

func TestSpecialUseFolder(t *testing.T) {
	for name, use := range map[string]map[string]imap.MailboxAttr{
		"it says which":     {"Gesendet": imap.MailboxAttrTrash, "Post out": imap.MailboxAttrSent},
		"by its usual name": {"Post out": imap.MailboxAttrTrash, "Gesendete Elemente": imap.MailboxAttrArchive},
	} {
		t.Run(name, func(t *testing.T) {
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{SpecialUse: use}, mail("s1"), mail("s2"))
			w.wants(w.run(routed), "2 listed, 2 new, 2 copied")
			w.HoldsIn(map[string]string{"it says which": "Post out", "by its usual name": "Gesendete Elemente"}[name],
				mail("s1"), mail("s2"))
			w.silent("CREATE")
		})
	}
}

// A folder has one name, however the user spells it: under two, a copy could be taken for that of two messages.
func TestFolderSpelledInOtherWays(t *testing.T) {
	spelled := []string{"INBOX", "inbox", "/Inbox/", "Lists", "Lists/", ""}
	var all []lab.Mail
	for i := range 12 {
		all = append(all, as(mail("a"), fmt.Sprint(i))) // the same again and again
	}
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, all...)
	n := 0
	w.Folder = "inbox"
	w.wants(w.run(func(o *sync.Options) {
		o.Place = func([]byte, int64, message.Inference) sync.Placement {
			n++
			return sync.Placement{Folder: spelled[n%len(spelled)]}
		}
	}), "12 listed, 12 new, 12 copied")
	w.HoldsIn("INBOX", all[:8]...)
	w.HoldsIn("Lists", all[:4]...)
}

// Little comes to many folders: what waits there must not keep the window from the messages that would fill a batch.
func TestManyFoldersShareTheWindow(t *testing.T) {
	for name, c := range map[string]struct{ folders, each, size int }{
		"large messages": {40, 1, 1 << 20}, "many small ones": {30, 80, 0}} {
		t.Run(name, func(t *testing.T) {
			var all []lab.Mail
			for range c.each {
				for f := range c.folders {
					all = append(all, sized(mail(fmt.Sprintf("f%02d-%04d", f, len(all))), max(c.size, 250)))
				}
			}
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, all...)
			w.wants(w.run(func(o *sync.Options) {
				o.Place = func(header []byte, _ int64, _ message.Inference) sync.Placement {
					_, name, _ := bytes.Cut(header, []byte("Subject: "))
					return sync.Placement{Folder: string(name[:3])}
				}
			}), fmt.Sprintf("%[1]d listed, %[1]d new, %[1]d copied", len(all)))
			for f := range c.folders {
				name := fmt.Sprintf("f%02d", f)
				w.HoldsIn(name, of(all, name)...)
			}
		})
	}
}

func TestMessagesWithALimitInSeveralFolders(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, three(4)...)
	few := func(o *sync.Options) { o.Narrow.Messages = 5 }
	w.wants(w.run(routed, few), "12 listed, 12 new, 5 copied, 7 left")
	w.wants(w.run(routed, few), "12 listed, 5 known, 7 new, 5 copied, 2 left")
	w.wants(w.run(routed, few), "12 listed, 10 known, 2 new, 2 copied")
	w.sorted(three(4))
}

func TestDryRunSaysTheFolder(t *testing.T) {
	for _, noTop := range []bool{false, true} {
		w := create(t, lab.POP3Options{NoTOP: noTop}, lab.IMAPOptions{}, three(2)...)
		if _, err := w.IMAP.Put("INBOX", mail("s0000").Raw, nil, time.Time{}); err != nil { // there it does not count
			t.Fatal(err)
		}
		got := map[string]string{}
		watch := watcher{OnDone: func(o sync.Outcome) { got[o.UIDL] = string(o.Result) + " to " + o.Folder }}
		w.wants(w.run(routed, func(o *sync.Options) { o.DryRun, o.Watch = true, &watch }), "6 listed, 6 new, 6 left")
		want := map[string]string{"a0000": "would copy to INBOX", "a0001": "would copy to INBOX", "s0000": "would copy to Sent",
			"s0001": "would copy to Sent", "l0000": "would copy to Lists/Go", "l0001": "would copy to Lists/Go"}
		if noTop { // nothing tells
			for uidl := range want {
				want[uidl] = "would copy to "
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		w.silent("RETR", "CREATE", "SUBSCRIBE", "APPEND", "SELECT")
	}
}

func TestDryRunLooksIntoTheFolderOfTheMessage(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{SpecialUse: map[string]imap.MailboxAttr{"Sent": imap.MailboxAttrSent}}, three(1)...)
	if _, err := w.IMAP.Put("Sent", mail("s0000").Raw, nil, time.Time{}); err != nil {
		t.Fatal(err)
	}
	w.wants(w.run(routed, func(o *sync.Options) { o.DryRun = true }), "3 listed, 3 new, 1 recognised, 2 left")
}

// What is skipped stays at the source, is not retrieved where that can be helped, and comes when it is skipped no more.
func TestSkippedMessages(t *testing.T) {
	skip := func(o *sync.Options) {
		o.Narrow.Skip = func(header []byte, _ int64, _ message.Inference) string {
			if bytes.Contains(header, []byte("Subject: l")) {
				return "rule 1"
			}
			return ""
		}
		o.Delete.On = true
	}
	for _, noTop := range []bool{false, true} {
		w := create(t, lab.POP3Options{NoTOP: noTop}, lab.IMAPOptions{}, three(2)...)
		w.wants(w.run(routed, skip), "6 listed, 6 new, 4 copied, 2 left")
		if got, want := len(w.Asked("RETR")), map[bool]int{false: 4, true: 6}[noTop]; got != want {
			t.Errorf("no TOP %v: got %d RETR, want %d", noTop, got, want)
		}
		if left := w.POP.Mail(); len(left) != 2 || left[0].UIDL != "l0000" || left[1].UIDL != "l0001" {
			t.Errorf("no TOP %v: %d are left in the maildrop", noTop, len(left))
		}
		w.wants(w.run(routed, skip), "2 listed, 2 new, 2 left")
		w.wants(w.run(routed), "2 listed, 2 new, 2 copied")
		w.sorted(three(2))
	}
}
