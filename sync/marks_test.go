package sync_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"pgregory.net/rapid"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/real"
	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

// mine says which mail is the user's own.
func mine(o *sync.Options) { o.Identities = []string{me} }

// flagged gives the flags of what is in the folder, by the name in each message; those without flags are left out.
func (w *world) flagged() map[string][]string {
	w.Helper()
	all, err := w.IMAP.Messages(w.Folder)
	if err != nil {
		w.Fatal(err)
	}
	flags := map[string][]string{}
	for _, m := range all {
		if len(m.Flags) > 0 {
			flags[named(m.Raw)] = m.Flags
		}
	}
	return flags
}

// named gives the name of a message of a correspondence.
func named(raw []byte) string {
	_, name, _ := bytes.Cut(raw, []byte("Message-ID: <"))
	name, _, _ = bytes.Cut(name, []byte("@"))
	return string(name)
}

// hasFlags checks the flags of all messages.
func (w *world) hasFlags(want map[string][]string) {
	w.Helper()
	if wrong := differ(w.flagged(), want); wrong != "" {
		w.Error(wrong)
	}
}

// differ says what is not as it should be; of much the beginning.
func differ(got, want map[string][]string) string {
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(union(got, want))) {
		if !slices.Equal(got[name], want[name]) {
			wrong = append(wrong, fmt.Sprintf("%s has %q, want %q", name, got[name], want[name]))
		}
	}
	if len(wrong) == 0 {
		return ""
	}
	return fmt.Sprintf("%d are wrong:\n%s", len(wrong), strings.Join(wrong[:min(len(wrong), 5)], "\n"))
}

func union(a, b map[string][]string) map[string][]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// TestAYear gives each message that was answered, forwarded or confirmed its flags, and no other. What the user has
// changed since stays as it is, whatever comes.
func TestAYear(t *testing.T) {
	for name, order := range map[string]func(*correspondence) []lab.Mail{
		"by date":      func(c *correspondence) []lab.Mail { return c.mail },
		"in any order": (*correspondence).shuffled,
	} {
		t.Run(name, func(t *testing.T) {
			c := year(1, 2000)
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, order(c)...)
			marked := 0
			watch := &watcher{OnDone: func(o sync.Outcome) {
				if o.Result == sync.Marked {
					marked++
				}
			}}
			r := w.run(mine, func(o *sync.Options) { o.Watch = watch })
			w.wants(r, "2000 listed, 2000 new, 2000 copied")
			w.hasFlags(c.flags)
			w.knowsTheGiven()
			counted := map[string]int{}
			for _, flags := range c.flags {
				for _, f := range flags {
					counted[f]++
				}
			}
			if !maps.Equal(r.Flags, counted) || counted[`\Answered`] < 300 {
				t.Errorf("the report counts %v, and the mailbox has %v", r.Flags, counted)
			}
			if stores := len(w.Told("UID STORE")); stores == 0 || stores > 20 || marked == 0 {
				t.Errorf("%d messages were marked later, by %d commands", marked, stores)
			}
			w.changed(c)
		})
	}
}

// changed has the user change flags, and more mail come: nothing that was there is touched.
func (w *world) changed(c *correspondence) {
	w.Helper()
	w.do(func(cl *imapclient.Client) error {
		if _, err := cl.Select(w.Folder, nil).Wait(); err != nil {
			return err
		}
		some := imap.UIDSet{{Start: 1, Stop: 500}}
		return cl.Store(some, &imap.StoreFlags{Op: imap.StoreFlagsDel, Silent: true,
			Flags: []imap.Flag{imap.FlagAnswered, imap.FlagSeen}}, nil).Close()
	})
	before := w.flagged()
	w.wants(w.run(mine), "2000 listed, 2000 known")
	w.hasFlags(before)
	for thread := range 100 {
		c.send(thread)
	}
	w.POP.SetMail(c.mail)
	w.wants(w.run(mine), "2100 listed, 2000 known, 100 new, 100 copied")
	w.silent("UID STORE")
	for _, m := range c.mail[2000:] {
		before[m.UIDL] = []string{`\Seen`}
	}
	w.hasFlags(before)
}

// TestOrderDoesNotMatter has the maildrop list in any order, to a destination that takes batches of any kind.
func TestOrderDoesNotMatter(t *testing.T) {
	kinds := []variant{nil, {imap.CapUIDPlus}, {imap.CapMultiAppend}, {imap.CapMultiAppend, imap.CapUIDPlus, imap.CapLiteralPlus}}
	rapid.Check(t, func(rt *rapid.T) {
		c := year(rapid.Uint64().Draw(rt, "seed"), rapid.IntRange(1, 40).Draw(rt, "messages"))
		w := create(t, lab.POP3Options{NoTOP: rapid.Bool().Draw(rt, "no TOP")},
			lab.IMAPOptions{Without: rapid.SampledFrom(kinds).Draw(rt, "without")},
			rapid.Permutation(c.mail).Draw(rt, "order")...)
		defer func() { w.POP.Close(); w.IMAP.Close() }()
		if r := w.run(mine); r.Err != nil || r.Copied != len(c.mail) {
			rt.Fatalf("got %s, %v", counts(r), r.Err)
		}
		if wrong := differ(w.flagged(), c.flags); wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// letterOf is a message with a header, and a name.
func letterOf(name, header string) lab.Mail {
	return lab.Mail{UIDL: name, Raw: []byte(header + "Message-ID: <" + name + "@example.org>\r\n\r\nThis is " + name + ".\r\n")}
}

const (
	came   = "Return-Path: <ann@example.com>\r\nReceived: from a by b; Mon, 3 Mar 2025 10:00:00 +0100\r\nFrom: ann@example.com\r\n"
	behind = "Return-Path: <ann@example.com>\r\nReceived: from a by b; Mon, 3 Mar 2025 12:00:00 +0100\r\nFrom: ann@example.com\r\n"
	answer = "From: me@example.org\r\nDate: Mon, 3 Mar 2025 11:00:00 +0100\r\nIn-Reply-To: <a@example.org>\r\n"
)

var answered = map[string][]string{"a": {`\Answered`, `\Seen`}, "r": {`\Seen`}}

func TestMarks(t *testing.T) {
	a, r := letterOf("a", came), letterOf("r", answer)
	for _, c := range []struct {
		name   string
		mail   []lab.Mail
		change func(*sync.Options)
		want   map[string][]string
		stores int
	}{
		{"the answer behind", []lab.Mail{a, r}, nil, answered, 1},
		{"the answer in front", []lab.Mail{r, a}, nil, answered, 0},
		{"nobody says who I am", []lab.Mail{a, r}, func(o *sync.Options) { o.Identities = nil }, map[string][]string{}, 0},
		{"all arrive unread", []lab.Mail{a, r}, func(o *sync.Options) { o.Flags = sync.Unseen }, map[string][]string{}, 0},
		{"it has the Message-ID of what was answered, and came later",
			[]lab.Mail{r, letterOf("a", behind)}, nil, map[string][]string{"r": {`\Seen`}}, 0},
		{"it has the Message-ID of what was answered, and no date",
			[]lab.Mail{r, letterOf("a", "Return-Path: <ann@example.com>\r\n")}, nil, map[string][]string{"r": {`\Seen`}}, 0},
		{"a witness knows all flags of what was answered, and the answer is behind", []lab.Mail{a, r}, heard(knowing("a")),
			map[string][]string{"r": {`\Seen`}}, 0},
		{"a witness knows all flags of what was answered, and the answer is in front", []lab.Mail{r, a}, heard(knowing("a")),
			map[string][]string{"r": {`\Seen`}}, 0},
		{"it answers itself", []lab.Mail{letterOf("a", answer)}, nil, map[string][]string{"a": {`\Seen`}}, 0},
		{"in another folder", []lab.Mail{a, r}, func(o *sync.Options) {
			o.Place = func(header []byte, _ int64, _ message.Inference) sync.Placement {
				if bytes.Contains(header, []byte("In-Reply-To")) {
					return sync.Placement{Folder: "Sent"}
				}
				return sync.Placement{}
			}
		}, map[string][]string{"a": {`\Answered`, `\Seen`}}, 1},
		{"the destination is not read back", []lab.Mail{a, r}, func(o *sync.Options) { o.Verify = sync.Unproved }, answered, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, c.mail...)
			change := c.change
			if change == nil {
				change = func(*sync.Options) {}
			}
			w.wants(w.run(mine, change), fmt.Sprintf("%[1]d listed, %[1]d new, %[1]d copied", len(c.mail)))
			w.hasFlags(c.want)
			w.knowsTheGiven()
			if got := w.Told("UID STORE"); len(got) != c.stores {
				t.Errorf("got %q, want %d", got, c.stores)
			}
			w.wants(w.run(mine, change), fmt.Sprintf("%[1]d listed, %[1]d known", len(c.mail)))
			w.silent("UID STORE", "SELECT")
		})
	}
}

// A reply of a later run marks nothing that was there before.
func TestMarksNothingOfEarlierRuns(t *testing.T) {
	for name, change := range map[string]func(*sync.Options){
		"read back": mine,
		"not read back": func(o *sync.Options) {
			mine(o)
			o.Verify = sync.Unproved
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, letterOf("a", came))
			w.wants(w.run(change), "1 listed, 1 new, 1 copied")
			w.POP.SetMail([]lab.Mail{letterOf("a", came), letterOf("r", answer)})
			w.wants(w.run(change), "2 listed, 1 known, 1 new, 1 copied")
			w.hasFlags(map[string][]string{"r": {`\Seen`}})
		})
	}
}

// A line that dies around STORE costs nothing: the same run or the next one goes on.
func TestMarksOnALineThatDies(t *testing.T) {
	for name, f := range map[string]lab.Fate{"before": lab.Cut, "behind": lab.CutReply} {
		for verb, nth := range map[string]int{"SELECT": 2, "UID STORE": 1} { // the first SELECT opens a folder that never held a message
			for patience, ends := range map[time.Duration]bool{0: false, time.Minute: true} {
				t.Run(fmt.Sprint(name, " ", verb, " ", ends), func(t *testing.T) {
					var trap trap
					w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: trap.Fate(f)}, letterOf("a", came), letterOf("r", answer))
					trap.Set(verb, nth)
					r := w.run(mine, func(o *sync.Options) { o.Patience = patience })
					if r.Copied != 2 || ends != (r.Err == nil) {
						t.Fatalf("got %s, %v", counts(r), r.Err)
					}
					if !ends {
						w.wants(w.run(mine), "2 listed, 2 known")
					}
					w.hasFlags(answered)
					w.knowsTheGiven()
					w.Holds(letterOf("a", came), letterOf("r", answer))
					w.wants(w.run(mine), "2 listed, 2 known")
					w.silent("UID STORE", "SELECT")
				})
			}
		}
	}
}

// A paced destination likes one message at a time.
type paced struct{ sync.Destination }

func (paced) Pace() sync.Pace { return sync.Pace{Messages: 1, Octets: 1 << 20, Flights: 1} }

// TestMarksAtRealServers moves a small year to each of them, in order and shuffled.
func TestMarksAtRealServers(t *testing.T) {
	for _, kind := range real.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			c := year(2, 60)
			s := real.Start(t, kind, nil)
			to := into(t, s)
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, c.shuffled()...)
			w.wants(w.run(mine, to), "60 listed, 60 new, 60 copied")
			got := map[string][]string{}
			for _, m := range s.Stored(t, "INBOX") {
				flags := slices.DeleteFunc(m.Flags, func(f string) bool { return strings.EqualFold(f, `\Recent`) })
				slices.Sort(flags)
				if len(flags) > 0 {
					got[named(m.Raw)] = flags
				}
			}
			if wrong := differ(got, c.flags); wrong != "" {
				t.Error(wrong)
			}
			w.wants(w.run(mine, to), "60 listed, 60 known")
		})
	}
}

// An own message marks what was listed before it. That another one behind speaks of the same Message-ID, as of a forward,
// does not make the first count for what came between the two.
func TestMarksOfTwoMessages(t *testing.T) {
	forward := "From: me@example.org\r\nDate: Mon, 3 Mar 2025 13:00:00 +0100\r\nX-Forwarded-Message-Id: <a@example.org>\r\n"
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, letterOf("r", answer), letterOf("a", behind), letterOf("f", forward))
	w.wants(w.run(mine, func(o *sync.Options) {
		dial := o.To
		o.To = func(ctx context.Context) (sync.Destination, error) {
			d, err := dial(ctx)
			return paced{d}, err
		}
	}), "3 listed, 3 new, 3 copied")
	w.hasFlags(map[string][]string{"a": {"$Forwarded"}, "r": {`\Seen`}, "f": {`\Seen`}})
}

// A forward as an attachment and a confirmation say in their bodies which message they are about.
func TestMarksOfWhatIsEnclosed(t *testing.T) {
	mixed := "From: me@example.org\r\nDate: Mon, 3 Mar 2025 11:00:00 +0100\r\nContent-Type: multipart/"
	enclosing := func(name, kind, part string) lab.Mail {
		m := letterOf(name, mixed+kind+"; boundary=b\r\n")
		m.Raw = append(m.Raw, "--b\r\n\r\nsee below\r\n--b\r\nContent-Type: message/"+part+"@example.org>\r\n\r\nx\r\n--b--\r\n"...)
		return m
	}
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, letterOf("a", came), letterOf("b", came), letterOf("c", came),
		enclosing("f", "mixed", "rfc822\r\n\r\nSubject: x\r\nMessage-ID: <a"),
		enclosing("m", "report; report-type=disposition-notification", "disposition-notification\r\n\r\nOriginal-Message-ID: <b"))
	w.wants(w.run(mine), "5 listed, 5 new, 5 copied")
	w.hasFlags(map[string][]string{"a": {"$Forwarded"}, "b": {"$MDNSent"}, "f": {`\Seen`}, "m": {`\Seen`}})
}
