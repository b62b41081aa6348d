package sync_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

// flagged lets each message arrive with the flags that its subject lists.
func flagged(watch *watcher) func(*sync.Options) {
	return func(o *sync.Options) {
		o.Watch, o.Patience = watch, time.Minute
		o.Place = func(header []byte, _ int64, _ message.Inference) (p sync.Placement) {
			_, subject, _ := bytes.Cut(header, []byte("Subject: "))
			line, _, _ := bytes.Cut(subject, []byte("\r\n"))
			for _, name := range strings.Fields(string(line))[1:] {
				p.Flags = append(p.Flags, message.Flag{Name: name, Why: "the test"})
			}
			return p
		}
	}
}

// flags gives what the messages of INBOX have, by the first word of their subject.
func (w *world) flags() string {
	w.Helper()
	got, err := w.IMAP.Messages("INBOX")
	if err != nil {
		w.Fatal(err)
	}
	var list []string
	for _, m := range got {
		_, subject, _ := bytes.Cut(m.Raw, []byte("Subject: "))
		list = append(list, strings.Join(append(strings.Fields(string(subject))[:1], m.Flags...), " "))
	}
	slices.Sort(list) // around a refusal the order is not kept
	return strings.Join(list, ", ")
}

// noticed compares what the user was told, but for the lines that were lost and dialled again.
func (w *world) noticed(watch *watcher, want ...string) {
	w.Helper()
	got := slices.DeleteFunc(watch.Notices, func(text string) bool { return strings.Contains(text, "trying again in") })
	if !slices.Equal(got, want) {
		w.Errorf("notices:\ngot  %q\nwant %q", got, want)
	}
}

func TestFlagsThatTheFolderDoesNotKeep(t *testing.T) {
	drop := []lab.Mail{mail(`a \Seen work`), mail(`b \Flagged known`), mail(`c \Draft $Forwarded`), mail(`d \Seen`)}
	for _, c := range []struct {
		name      string
		permanent []imap.Flag
		want      string
		notices   []string
	}{
		{"all, and more can be created", nil, `a \Seen work, b \Flagged known, c $Forwarded \Draft, d \Seen`, nil},
		{"no new keywords", []imap.Flag{`\Seen`, `\Flagged`, `\Draft`, "KNOWN"}, `a \Seen, b \Flagged known, c \Draft, d \Seen`,
			[]string{`the folder "INBOX" does not keep the flags $Forwarded, work: 2 messages went there without`}},
		{"few system flags", []imap.Flag{`\Seen`, imap.FlagWildcard}, `a \Seen work, b known, c $Forwarded, d \Seen`,
			[]string{`the folder "INBOX" does not keep the flags \Draft, \Flagged: 2 messages went there without`}},
		{"it does not say", []imap.Flag{}, `a, b, c, d`, nil}, // and loses them all the same
	} {
		t.Run(c.name, func(t *testing.T) {
			var watch watcher
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{Permanent: c.permanent}, drop...)
			w.wants(w.run(flagged(&watch)), "4 listed, 4 new, 4 copied")
			w.Holds(drop...)
			if got := w.flags(); got != c.want {
				t.Errorf("flags:\ngot  %s\nwant %s", got, c.want)
			}
			if len(c.permanent) > 0 || c.permanent == nil { // else it does not say what it loses
				w.knowsTheGiven()
			}
			w.noticed(&watch, c.notices...)
			if got := len(w.Told("SELECT")); got != 2 { // the first when it was opened, since it never held a message
				t.Errorf("%d SELECT, want 2", got)
			}
		})
	}
}

func TestNoKeywordsNoSelect(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail(`a \Seen \Answered`), mail("b"))
	var watch watcher
	w.wants(w.run(flagged(&watch)), "2 listed, 2 new, 2 copied")
	w.POP.SetMail([]lab.Mail{mail(`a \Seen \Answered`), mail("b"), mail(`c \Seen`)})
	w.wants(w.run(flagged(&watch)), "3 listed, 2 known, 1 new, 1 copied")
	w.silent("SELECT") // it would take \Recent from what other clients have not seen
}

// refusingKeyword refuses messages with a keyword, and counts how often.
func refusingKeyword(keyword string, err error, times *int) lab.IMAPOptions {
	return lab.IMAPOptions{RefuseHead: func(flags []string, _ time.Time) error {
		if !slices.Contains(flags, keyword) {
			return nil
		}
		*times++
		return err
	}}
}

func TestRefusedKeyword(t *testing.T) {
	var drop []lab.Mail
	var want []string
	for i := range 40 { // half of them have the keyword, and some others that are taken
		name := fmt.Sprintf(`%02d \Seen`, i)
		switch i % 4 {
		case 0:
			name += " work"
			want = append(want, name)
		case 1, 3:
			want = append(want, name)
			name += " bad"
		default:
			want = append(want, name)
		}
		drop = append(drop, mail(name))
	}
	const text = `the folder "INBOX" does not keep the flags bad: 20 messages went there without`
	for name, err := range map[string]*imap.Error{
		"NO":          {Type: imap.StatusResponseTypeNo, Text: "too many user flags in mailbox"},
		"NO [LIMIT]":  {Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeLimit, Text: "too many keywords"},
		"NO [CANNOT]": {Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeCannot, Text: "keyword too long"},
		"BAD":         {Type: imap.StatusResponseTypeBad, Text: "invalid flag"},
	} {
		for _, single := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", one by one ", single), func(t *testing.T) {
				times := 0
				o := refusingKeyword("bad", err, &times)
				if single {
					o.Without = []imap.Cap{imap.CapMultiAppend}
				}
				var watch watcher
				w := create(t, lab.POP3Options{}, o, drop...)
				w.wants(w.run(flagged(&watch)), "40 listed, 40 new, 40 copied")
				if got, want := w.flags(), strings.Join(want, ", "); got != want {
					t.Errorf("flags:\ngot  %s\nwant %s", got, want)
				}
				w.noticed(&watch, text)
				w.knowsTheGiven()
				if times > 25 { // bisection of one batch, or those that were on their way
					t.Errorf("refused %d times", times)
				}
				w.wants(w.run(flagged(&watch)), "40 listed, 40 known")
			})
		}
	}
}

// A server that is busy, and says so with the code that can mean flags too, costs no flags.
func TestLimitThatIsNotAboutFlags(t *testing.T) {
	times := 0
	o := lab.IMAPOptions{RefuseHead: func([]string, time.Time) error {
		if times++; times > 3 {
			return nil
		}
		return no(imap.ResponseCodeLimit)
	}}
	var watch watcher
	w := create(t, lab.POP3Options{}, o, mail("a work"))
	w.wants(w.run(flagged(&watch)), "1 listed, 1 new, 1 copied")
	if got := w.flags(); got != "a work" {
		t.Errorf("got %s, want its keyword", got)
	}
}

// A message that the server wants neither with its keyword nor with its NUL goes without both.
func TestRefusedKeywordOfAMessageThatNeedsRepair(t *testing.T) {
	times := 0
	o := refusingKeyword("bad", no(""), &times)
	o.RefuseAppend = refusing("\x00", no("")).RefuseAppend
	torn := mail("a bad")
	torn.Raw = append(torn.Raw, "\x00\r\n"...)
	var watch watcher
	w := create(t, lab.POP3Options{}, o, torn, mail("b bad"))
	w.wants(w.run(flagged(&watch)), "2 listed, 2 new, 2 copied")
	if got := w.flags(); got != "a, b" {
		t.Errorf("got %s", got)
	}
	if recs := w.Records(); recs[0].Keep == "" || recs[1].Keep != "" {
		t.Errorf("got %q and %q, want the first one kept at the source", recs[0].Keep, recs[1].Keep)
	}
	// And one that is to blame itself keeps its keyword, and its refusal.
	w = create(t, lab.POP3Options{}, refusing("This is a", no("")), mail("a work"), mail("b work"))
	w.wants(w.run(flagged(&watch)), "2 listed, 2 new, 1 copied, 1 refused")
	if got := w.flags(); got != "b work" {
		t.Errorf("got %s", got)
	}
}

const ownDates = "the destination sets its own dates: messages are there with the time at which they were stored (INTERNALDATE)"

func TestServerThatSetsItsOwnDates(t *testing.T) {
	for _, own := range []bool{true, false} {
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{OwnDates: own}, mail("a"), mail("b"), mail("c"))
		var watch watcher
		r := w.run(flagged(&watch))
		w.wants(r, "3 listed, 3 new, 3 copied")
		w.Holds(mail("a"), mail("b"), mail("c"))
		if r.DatesIgnored != own {
			t.Errorf("own dates %v: the report says %v", own, r.DatesIgnored)
		}
		if own {
			w.noticed(&watch, ownDates)
		} else {
			w.noticed(&watch)
		}
		if got := len(w.Told("UID FETCH")); got != 2 { // and the read-back
			t.Errorf("%d FETCH, want 2", got)
		}
	}
}

func TestRefusedDate(t *testing.T) {
	old := mail("b work")
	old.Raw = bytes.Replace(old.Raw, []byte("2025"), []byte("1999"), 1)
	for name, kind := range map[string]imap.StatusResponseType{"NO": imap.StatusResponseTypeNo, "BAD": imap.StatusResponseTypeBad} {
		t.Run(name, func(t *testing.T) {
			o := lab.IMAPOptions{RefuseHead: func(_ []string, date time.Time) error {
				if date.Year() == 1999 {
					return &imap.Error{Type: kind, Text: "Invalid date-time in Append command"}
				}
				return nil
			}}
			drop := []lab.Mail{mail("a"), old, mail("c"), mail("d")}
			var watch watcher
			w := create(t, lab.POP3Options{}, o, drop...)
			r := w.run(flagged(&watch))
			w.wants(r, "4 listed, 4 new, 4 copied")
			w.knowsTheGiven()
			if got := w.flags(); got != "a, b work, c, d" || r.DatesIgnored {
				t.Errorf("got %s, dates ignored %v", got, r.DatesIgnored)
			}
			got, err := w.IMAP.Messages("INBOX")
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range got {
				if dated := !bytes.Contains(m.Raw, []byte("1999")); dated != (m.Date.Year() == 2025) {
					t.Errorf("UID %d has date %v", m.UID, m.Date)
				}
			}
			w.noticed(&watch, "the destination refuses a date: what it refuses is stored without one, and has the time of storing (INTERNALDATE)")
		})
	}
}

// What a header says and is not made a flag is told: a mark of deletion, and what a sender can have written.
func TestOutcomeTellsWhatIsNoFlag(t *testing.T) {
	m := mail("a")
	m.Raw = append([]byte("X-Mozilla-Status: 0008\r\n"), bytes.Replace(m.Raw, []byte("Subject"), []byte("Status: RO\r\nSubject"), 1)...)
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, m)
	var got sync.Outcome
	w.wants(w.run(func(o *sync.Options) { o.Watch = &watcher{OnDone: func(o sync.Outcome) { got = o }} }), "1 listed, 1 new, 1 copied")
	w.Holds(m)
	if got.Deleted != "X-Mozilla-Status: 0008" || len(got.Flags) != 0 ||
		!slices.Contains(got.Doubted, message.Doubt{What: `\Seen`, Said: "Status: R", Why: "stands where a sender can write"}) {
		t.Errorf("got mark %q, flags %v, doubts %v", got.Deleted, got.Flags, got.Doubted)
	}
}
