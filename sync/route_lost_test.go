package sync_test

import (
	"context"
	"fmt"
	"strings"
	stdsync "sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

// A reply is lost while batches for several folders are on their way.
func TestLostReplyWithSeveralFolders(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		for _, fate := range []lab.Fate{lab.Cut, lab.CutReply} {
			for n := 1; n <= 6; n++ {
				all := three(3)
				w, _ := lossy(t, n, fate, v, all...)
				first := w.run(routed)
				if len(w.Told("APPEND")) < n { // batched there are fewer
					continue
				}
				w.lost(first)
				r := w.run(routed)
				w.found(r)
				if fate == lab.CutReply && r.Recognised == 0 || fate == lab.Cut && r.Copied == 0 || r.Known != first.Copied {
					t.Errorf("got %s after %s", counts(r), counts(first))
				}
				w.sorted(all)
				w.placed()
				w.wants(w.run(routed), "9 listed, 9 known")
			}
		}
	})
}

// The same message in each of three folders, and replies that are lost: each has a copy of its own, where it belongs.
func TestIdenticalMessagesInSeveralFoldersAroundALostReply(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		for n := 1; n <= 4; n++ {
			var all []lab.Mail
			for i := range 6 {
				all = append(all, as(mail("x"), fmt.Sprint(i)))
			}
			w, _ := lossy(t, n, lab.CutReply, v, all...)
			by := func(o *sync.Options) { // by the place in the maildrop, which a placement cannot know: so it counts
				times := 0
				o.Place = func([]byte, int64, message.Inference) sync.Placement {
					times++
					return sync.Placement{Folder: []string{"INBOX", "One", "Two"}[times%3]}
				}
			}
			w.run(by)
			w.found(w.run(by))
			total := 0
			for _, folder := range w.IMAP.Folders() {
				list, err := w.IMAP.Messages(folder)
				if err != nil {
					t.Fatal(err)
				}
				total += len(list)
			}
			if total != len(all) {
				t.Errorf("lost reply %d: got %d copies, want %d", n, total, len(all))
			}
			w.placed()
		}
	})
}

// An afterWriting is a destination that says when a batch for a folder was written.
type afterWriting struct {
	sync.Destination
	folder  string
	written func()
}

func (a afterWriting) Append(ctx context.Context, f sync.Folder, batch []sync.Outgoing) sync.Pending {
	p := a.Destination.Append(ctx, f, batch)
	if f.Name == a.folder {
		a.written()
	}
	return p
}

// The line dies over a batch for one folder, while one for another is written and not read yet. Both are settled, each in
// its folder: what was stored is found, and the rest is sent again.
func TestSettlingInTwoFolders(t *testing.T) {
	for _, v := range []variant{nil, {imap.CapUIDPlus}, {imap.CapMultiAppend}, {imap.CapMultiAppend, imap.CapUIDPlus}} {
		t.Run(fmt.Sprintf("without %v", v), func(t *testing.T) {
			written := make(chan struct{})
			var once, sprung stdsync.Once
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{Without: v, Hook: func(_ int, command string) (fate lab.Fate) {
				if strings.HasPrefix(command, `APPEND "Sent"`) {
					sprung.Do(func() { <-written; fate = lab.CutReply })
				}
				return fate
			}}, three(4)...)
			w.lost(w.run(routed, func(o *sync.Options) {
				to := o.To
				o.To = func(ctx context.Context) (sync.Destination, error) {
					d, err := to(ctx)
					return afterWriting{d, "Lists/Go", func() { once.Do(func() { close(written) }) }}, err
				}
			}))
			open := map[string]int{}
			for _, rec := range w.Records() {
				if rec.Phase == state.PhaseIntent {
					open[rec.Folder]++
				}
			}
			if open["Sent"] != 4 || open["Lists/Go"] != 4 {
				t.Errorf("got intents in %v, want 4 each in Sent and Lists/Go", open)
			}
			r := w.run(routed)
			w.found(r)
			if r.Recognised == 0 || r.Copied == 0 {
				t.Errorf("got %s, want some found and some sent again", counts(r))
			}
			w.sorted(three(4))
			w.placed()
		})
	}
}

// A folder that cannot be made refuses its messages, and the others go on. When the rules
// are others they come.
func TestFolderThatCannotBeMadeDoesNotStopTheOthers(t *testing.T) {
	refuse := lab.IMAPOptions{RefuseCreate: no("NOPERM")}
	w := create(t, lab.POP3Options{}, refuse, three(2)...)
	r := w.run(routed)
	w.wants(r, "6 listed, 6 new, 2 copied, 4 refused")
	for _, o := range r.Refusals {
		if o.Code != "NOPERM" || o.Server != "NO [NOPERM] not this one" || o.Folder == "INBOX" {
			t.Errorf("got %+v", o)
		}
	}
	w.HoldsIn("INBOX", of(three(2), "a")...)
	w.silent("QUIT")
	w.wants(w.run(routed), "6 listed, 2 known, 4 quarantined")
	w.Edit("UPDATE record SET next_try = 1 WHERE phase = 'refused'")
	w.wants(w.run(), "6 listed, 2 known, 4 new, 4 copied") // all to INBOX now
	w.HoldsIn("INBOX", append(of(three(2), "a"), mail("s0000"), mail("l0000"), mail("s0001"), mail("l0001"))...)
}

func TestNameThatCannotBeOneDoesNotStopTheOthers(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"), mail("s"), mail("b"))
	r := w.run(func(o *sync.Options) {
		o.Place = func(header []byte, _ int64, _ message.Inference) sync.Placement {
			if strings.Contains(string(header), "Subject: s") {
				return sync.Placement{Folder: "A//B"}
			}
			return sync.Placement{}
		}
	})
	w.wants(r, "3 listed, 3 new, 2 copied, 1 refused")
	if got := r.Refusals[0].Server; !strings.Contains(got, "a level of it has no name") {
		t.Errorf("got %q", got)
	}
	w.Holds(mail("a"), mail("b"))
}

// Where the account may not write, that is soon known: there is no second try with each message, and nothing is repaired.
func TestFolderThatTakesNothing(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		o := refusing("This is l", no("NOPERM"))
		o.Without = v
		w := create(t, lab.POP3Options{}, o, three(150)...)
		r := w.run(routed)
		w.wants(r, "450 listed, 450 new, 300 copied, 150 refused")
		w.HoldsIn("INBOX", of(three(150), "a")...)
		w.HoldsIn("Sent", of(three(150), "s")...)
		if got := w.Told(`APPEND "Lists`); len(got) > 20 {
			t.Errorf("it was offered %d times", len(got))
		}
		w.wants(w.run(routed), "450 listed, 300 known, 150 quarantined")
		w.Edit("UPDATE record SET next_try = 1 WHERE phase = 'refused'")
		w.wants(w.run(func(o *sync.Options) { // the rules are others now
			o.Place = func([]byte, int64, message.Inference) sync.Placement { return sync.Placement{Folder: "Archive"} }
		}), "450 listed, 300 known, 150 new, 150 refused")
	})
}

// One message that a folder refuses is to blame alone.
func TestRefusedMessageInOneOfSeveralFolders(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		o := refusing("This is s0001", no(""))
		o.Without = v
		w := create(t, lab.POP3Options{}, o, three(4)...)
		w.wants(w.run(routed), "12 listed, 12 new, 11 copied, 1 refused")
		w.HoldsIn("INBOX", of(three(4), "a")...)
		w.HoldsIn("Lists/Go", of(three(4), "l")...)
		list, err := w.IMAP.Messages("Sent")
		if err != nil || len(list) != 3 {
			t.Errorf("got %d in Sent (%v), want 3", len(list), err)
		}
	})
}

// What a folder had before is recognised in that folder, and looked through once.
func TestWhatTheFolderOfAMessageHadIsRecognised(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{SpecialUse: map[string]imap.MailboxAttr{
		"Sent": imap.MailboxAttrSent, "Lists/Go": imap.MailboxAttrArchive}}, three(2)...)
	for folder, name := range map[string]string{"Sent": "s0000", "Lists/Go": "s0001", "INBOX": "l0001"} {
		if _, err := w.IMAP.Put(folder, mail(name).Raw, nil, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	w.wants(w.run(routed), "6 listed, 6 new, 5 copied, 1 recognised")
	w.HoldsIn("Sent", mail("s0000"), mail("s0001"))
	w.HoldsIn("Lists/Go", mail("s0001"), mail("l0000"), mail("l0001"))
	w.HoldsIn("INBOX", mail("l0001"), mail("a0000"), mail("a0001"))

	w.POP.SetMail(append(three(2), mail("s0002"), mail("l0002")))
	w.wants(w.run(routed), "8 listed, 6 known, 2 new, 2 copied")
	for _, command := range w.Told("UID FETCH 1:") {
		if strings.Contains(command, "HEADER") {
			t.Errorf("a folder was looked through again: %s", command)
		}
	}
}

// The state is lost: each message is found where it would go.
func TestStateLostWithSeveralFolders(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, three(3)...)
	w.wants(w.run(routed), "9 listed, 9 new, 9 copied")
	w.Dir += "2"
	w.wants(w.run(routed), "9 listed, 9 new, 9 recognised")
	w.sorted(three(3))
}

// UIDLs are others now: that has nothing to do with folders.
func TestNewUIDLsWithSeveralFolders(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, three(3)...)
	w.wants(w.run(routed), "9 listed, 9 new, 9 copied")
	all := three(3)
	for i := range all {
		all[i].UIDL += "-new"
	}
	w.POP.SetMail(all)
	w.wants(w.run(), "9 listed, 9 new, 9 recognised")
	w.silent("RETR")
	for folder, kind := range map[string]string{"INBOX": "a", "Sent": "s", "Lists/Go": "l"} {
		w.HoldsIn(folder, of(three(3), kind)...)
	}
}
