package cuts

import (
	"fmt"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
	"github.com/pop2imap/pop2imap/sync"
)

// The line is there, and nothing comes any more: the run does not wait for ever, and the next one settles it.
func TestLineThatFallsSilent(t *testing.T) {
	for _, prefix := range []string{"LOGIN", "EXAMINE", "APPEND", "UID FETCH"} {
		t.Run(prefix, func(t *testing.T) {
			t.Parallel()
			falls, goOn := once(prefix, 1), make(chan struct{})
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: func(_ int, command string) lab.Fate {
				if falls(command) {
					<-goOn
				}
				return lab.Execute
			}}, three...)
			r := w.Run(func(o *sync.Options) { o.To = trial.Mailbox(w.IMAP, 200*time.Millisecond) })
			if sync.ClassOf(r.Err) != sync.Temporary {
				t.Errorf("the run ended with %v", r.Err)
			}
			close(goOn)
			w.ends(w.Run())
			w.Holds(three...)
			w.changesNothing()
		})
	}
}

// Others deliver and delete while we append, and what they deliver may be like ours.
func TestOthersAreAtWorkInTheFolder(t *testing.T) {
	for name, without := range map[string][]imap.Cap{"with UIDPLUS": nil, "without": {imap.CapUIDPlus, imap.CapMultiAppend}} {
		for fateName, fate := range map[string]lab.Fate{"": lab.Execute, ", the reply lost": lab.CutReply, ", cut": lab.Cut} {
			t.Run(name+fateName, func(t *testing.T) {
				t.Parallel()
				other, like := mail("of another client"), lookAlike("b", 1)
				drops := once("APPEND", 2)
				var w *world
				w = create(t, lab.POP3Options{}, lab.IMAPOptions{Without: without, Hook: func(_ int, command string) lab.Fate {
					if !drops(command) {
						return lab.Execute
					}
					for _, m := range []lab.Mail{other, like} {
						uid, err := w.IMAP.Put(folder, m.Raw, nil, time.Time{})
						if err == nil && m.UIDL == other.UIDL {
							err = w.IMAP.Remove(folder, uid)
						}
						if err != nil {
							t.Error(err)
						}
					}
					return fate
				}}, three...)
				w.fails(w.Run())
				w.ends(w.Run())
				w.Holds(three[0], like, three[1], three[2])
				w.changesNothing()
			})
		}
	}
}

// lookAlike has the Message-ID of another message, and its own header and body.
func lookAlike(name string, n int) lab.Mail {
	m := mail(name)
	m.Raw = fmt.Appendf(nil, "Subject: %d\r\n%sanother body\r\n", n, m.Raw)
	return m
}

// The folder is full of messages with the same Message-ID, and one of them is ours.
func TestFolderFullOfLookAlikes(t *testing.T) {
	for name, fate := range map[string]lab.Fate{"stored": lab.CutReply, "not stored": lab.Cut} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drops := once("APPEND", 2)
			var w *world
			var others []lab.Mail
			for n := range 300 {
				others = append(others, lookAlike("a", n))
			}
			w = create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: func(_ int, command string) lab.Fate {
				if !drops(command) {
					return lab.Execute
				}
				for _, m := range others {
					if _, err := w.IMAP.Put(folder, m.Raw, nil, time.Time{}); err != nil {
						t.Error(err)
					}
				}
				return fate
			}}, three...)
			w.fails(w.Run())
			w.ends(w.Run())
			w.Holds(append(append(three[:1:1], others...), three[1:]...)...)
			w.changesNothing()
		})
	}
}

// The clock was set, by an hour, between a run that left something open and the next one.
func TestClockThatWasSet(t *testing.T) {
	const hour = int64(time.Hour)
	for name, by := range map[string]int64{"back": hour, "forward": -hour} {
		for fateName, fate := range map[string]lab.Fate{"stored": lab.CutReply, "not stored": lab.Cut} {
			t.Run(name+" "+fateName, func(t *testing.T) {
				t.Parallel()
				drops := once("APPEND", 2)
				w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: func(_ int, command string) lab.Fate {
					if drops(command) {
						return fate
					}
					return lab.Execute
				}}, three...)
				w.fails(w.Run())
				w.later(by)
				r := w.Run()
				w.ends(r)
				if r.Took > time.Minute/2 {
					t.Errorf("it took %v", r.Took)
				}
				w.Holds(three...)
				w.changesNothing()
			})
		}
	}
}

// later moves all instants in the memory by so many nanoseconds.
func (w *world) later(by int64) {
	w.Helper()
	w.Edit("UPDATE run SET began = began + ?, ended = ended + ?", by, by)
	w.Edit("UPDATE record SET begun = begun + ?, ended = ended + ?", by, by)
}
