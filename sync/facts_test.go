package sync_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/sync"
)

// A hearsay is a witness that knows messages by UIDL.
type hearsay struct {
	knows map[string]sync.Testimony
	err   error // of each question
}

func (h hearsay) Know(_ context.Context, s sync.Subject) (sync.Testimony, bool, error) {
	t, ok := h.knows[s.UIDL]
	return t, ok, h.err
}

// knowing knows of one message that it has no flags.
func knowing(uidl string) *hearsay {
	return &hearsay{knows: map[string]sync.Testimony{uidl: {Whole: true}}}
}

// heard lets the run ask these witnesses.
func heard(list ...*hearsay) func(*sync.Options) {
	return func(o *sync.Options) {
		for _, h := range list {
			o.Witnesses = append(o.Witnesses, func(context.Context) (sync.Witness, error) { return h, nil })
		}
	}
}

func flags(names ...string) (list []message.Flag) {
	for _, name := range names {
		list = append(list, message.Flag{Name: name, Why: "a witness"})
	}
	return list
}

// replied is a message whose client wrote above it that it was answered.
func replied(name string) lab.Mail {
	m := mail(name)
	m.Raw = append([]byte("X-Status: A\r\n"), m.Raw...)
	return m
}

// arrived gives flags and date of the messages in a folder, one after the other.
func (w *world) arrived(folder string) (list []string) {
	w.Helper()
	stored, err := w.IMAP.Messages(folder)
	if err != nil {
		w.Fatal(err)
	}
	for _, m := range stored {
		slices.Sort(m.Flags)
		list = append(list, strings.Join(m.Flags, " ")+" "+m.Date.UTC().Format(time.DateOnly))
	}
	return list
}

func TestWitnesses(t *testing.T) {
	const received = "2025-03-03"
	day := time.Date(2010, 5, 6, 0, 0, 0, 0, time.UTC)
	knows := func(t sync.Testimony) *hearsay { return &hearsay{knows: map[string]sync.Testimony{"m": t}} }
	failed := errors.New("the line is gone")
	for name, c := range map[string]struct {
		witnesses []*hearsay
		want      string
		notices   int
	}{
		"none":                      {nil, `\Answered ` + received, 0},
		"it knows others":           {[]*hearsay{{}}, `\Answered ` + received, 0},
		"it knows all":              {[]*hearsay{knows(sync.Testimony{Whole: true, Flags: flags(`\Seen`)})}, `\Seen ` + received, 0},
		"all, and that is nothing":  {[]*hearsay{knows(sync.Testimony{Whole: true})}, ` ` + received, 0},
		"it knows some":             {[]*hearsay{knows(sync.Testimony{Flags: flags(`\Seen`, `\answered`)})}, `\Answered \Seen ` + received, 0},
		"its date":                  {[]*hearsay{knows(sync.Testimony{Date: day, Why: "x"})}, `\Answered 2010-05-06`, 0},
		"its date is in the future": {[]*hearsay{knows(sync.Testimony{Date: time.Now().Add(25 * time.Hour)})}, `\Answered ` + received, 0},
		"its date is before mail":   {[]*hearsay{knows(sync.Testimony{Date: time.Unix(0, 0)})}, `\Answered ` + received, 0},
		"the first wins": {[]*hearsay{{}, knows(sync.Testimony{Whole: true, Flags: flags(`\Draft`)}), knows(sync.Testimony{Flags: flags(`\Seen`)})},
			`\Draft ` + received, 0},
		"one fails": {[]*hearsay{{err: failed}, knows(sync.Testimony{Flags: flags(`\Seen`)})}, `\Answered \Seen ` + received, 1},
		"deleted":   {[]*hearsay{knows(sync.Testimony{Deleted: "trash", Flags: flags(`\Seen`)})}, `\Answered \Seen ` + received, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, replied("m"))
			var watch watcher
			deleted := ""
			watch.OnDone = func(o sync.Outcome) { deleted = o.Deleted }
			w.wants(w.run(heard(c.witnesses...), func(o *sync.Options) { o.Watch = &watch }), "1 listed, 1 new, 1 copied")
			if got := w.arrived("INBOX"); !slices.Equal(got, []string{c.want}) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if len(watch.Notices) != c.notices {
				t.Errorf("got notices %q, want %d", watch.Notices, c.notices)
			}
			if want := map[bool]string{true: "trash"}[name == "deleted"]; deleted != want {
				t.Errorf("told that it was deleted: %q, want %q", deleted, want)
			}
		})
	}
}

// A witness that fails does so once for all messages.
func TestWitnessThatFails(t *testing.T) {
	for name, h := range map[string]*hearsay{"when it is opened": nil, "when it is asked": {err: errors.New("gone")}} {
		t.Run(name, func(t *testing.T) {
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, replied("a"), replied("b"), replied("c"))
			var watch watcher
			r := w.run(func(o *sync.Options) {
				o.Watch = &watch
				o.Witnesses = []func(context.Context) (sync.Witness, error){func(context.Context) (sync.Witness, error) {
					if h == nil {
						return nil, errors.New("no such profile")
					}
					return h, nil
				}}
			})
			w.wants(r, "3 listed, 3 new, 3 copied")
			if len(watch.Notices) != 1 || r.Flags[`\Answered`] != 3 {
				t.Errorf("got notices %q and flags %v, want one and those of the headers", watch.Notices, r.Flags)
			}
		})
	}
}

// They are opened before the first RETR, and not where nothing is new or nothing is done.
func TestWhenWitnessesAreOpened(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"))
	opened := 0
	open := func(o *sync.Options) {
		o.Witnesses = []func(context.Context) (sync.Witness, error){func(context.Context) (sync.Witness, error) {
			opened++
			w.silent("RETR")
			return &hearsay{}, nil
		}}
	}
	for _, step := range []struct {
		name   string
		change func(*sync.Options)
		want   int
	}{
		{"in a dry run", func(o *sync.Options) { o.DryRun = true }, 0},
		{"in the first run", func(*sync.Options) {}, 1},
		{"when nothing is new", func(*sync.Options) {}, 1},
	} {
		if r := w.run(open, step.change); r.Err != nil || opened != step.want {
			t.Errorf("%s: opened %d times, want %d (%v)", step.name, opened, step.want, r.Err)
		}
	}
}

// LAST tells what was read before us, and in the first run only: later it tells what we have retrieved.
func TestLastCountsInTheFirstRun(t *testing.T) {
	w := create(t, lab.POP3Options{Last: 2, NoCAPA: true}, lab.IMAPOptions{}, mail("a"), mail("b"), mail("c"))
	if got := w.run().Flags[`\Seen`]; got != 2 {
		t.Errorf("first run: got %d \\Seen, want 2", got)
	}
	w.POP.SetMail([]lab.Mail{mail("d"), mail("e")})
	w.wants(w.run(), "2 listed, 2 new, 2 copied")
	want := []string{`\Seen 2025-03-03`, `\Seen 2025-03-03`, " 2025-03-03", " 2025-03-03", " 2025-03-03"}
	if got := w.arrived("INBOX"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// served is mail as UW's ipop3d gives it: with a Status of its own at the end of the header.
func served(m lab.Mail, status string) lab.Mail {
	m.Raw = []byte(strings.Replace(string(m.Raw), "\r\n\r\n", "\r\nStatus: "+status+"\r\n\r\n", 1))
	return m
}

func letters(n int) (list []lab.Mail) {
	for i := range n {
		list = append(list, mail(fmt.Sprintf("m%02d", i)))
	}
	return list
}

// The Status of the maildrop's server is a flag, and no part of the message: that it changes makes no second copy.
func TestStatusOfTheServer(t *testing.T) {
	for name, change := range map[string]func(lab.Mail) lab.Mail{
		"with UIDL":          func(m lab.Mail) lab.Mail { return m },
		"without UIDL":       func(m lab.Mail) lab.Mail { return as(m, "") },
		"without Message-ID": func(m lab.Mail) lab.Mail { return as(anonymous(m.UIDL), "") },
	} {
		t.Run(name, func(t *testing.T) {
			var plain, first, second []lab.Mail
			for i, m := range letters(30) {
				m = change(m)
				status := map[bool]string{true: "RO", false: " O"}[i%3 == 0]
				plain, first, second = append(plain, m), append(first, served(m, status)), append(second, served(m, "RO"))
			}
			noUIDL := name != "with UIDL"
			w := create(t, lab.POP3Options{NoUIDL: noUIDL, NoPipelining: true}, lab.IMAPOptions{}, first...)
			r := w.run()
			w.wants(r, "30 listed, 30 new, 30 copied")
			if r.Flags[`\Seen`] != 10 {
				t.Errorf("got flags %v, want 10 \\Seen", r.Flags)
			}
			w.Holds(plain...)
			w.POP.SetMail(append(second, served(change(mail("new")), " O")))
			w.wants(w.run(), "31 listed, 30 known, 1 new, 1 copied")
			w.Holds(append(plain, change(mail("new")))...)
			w.wants(w.run(func(o *sync.Options) { o.Delete.On = true }), "31 listed, 31 known")
			if left := len(w.POP.Mail()); !noUIDL && left != 0 {
				t.Errorf("%d are left in the maildrop, want none: each was proved", left)
			}
		})
	}
}

// writes is of a server that may write a Status: UW's ipop3d has no PIPELINING.
var writes = lab.POP3Options{NoPipelining: true}

// Where not all of a sample have it, or the server is none that writes one, the sender wrote it: it stays, and sets no flag.
func TestStatusOfSomeSenders(t *testing.T) {
	most := letters(30)
	for i := range most[:29] {
		most[i] = served(most[i], "RO")
	}
	few := []lab.Mail{served(mail("a"), "RO"), served(mail("b"), "RO"), served(mail("c"), "RO"), served(mail("d"), "RO")}
	odd := slices.Clone(most)
	odd[0] = mail("m00")
	odd[29] = served(mail("m29"), "RO")
	for name, c := range map[string]struct {
		mail []lab.Mail
		o    lab.POP3Options
	}{
		"the first has none":         {odd, writes},
		"too few to tell":            {few, writes},
		"no TOP":                     {most[:29], lab.POP3Options{NoTOP: true, NoPipelining: true}},
		"one in the middle has none": {slices.Concat(most[:10], []lab.Mail{mail("x")}, most[11:19]), writes},
		"all, and no such server":    {most[:29], lab.POP3Options{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := create(t, c.o, lab.IMAPOptions{}, c.mail...)
			r := w.run()
			if r.Copied != len(c.mail) || len(r.Flags) != 0 {
				t.Errorf("got %s and flags %v, want all copied without flags", counts(r), r.Flags)
			}
			w.Holds(c.mail...)
		})
	}
}

// A message without any date has that of the one before it in the maildrop, if that came in the same session; otherwise the
// server's clock tells.
func TestWithoutADate(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, anonymous("first"), mail("a"), anonymous("b"), anonymous("c"))
	began := time.Now().Truncate(time.Second)
	why := map[string]string{}
	r := w.run(func(o *sync.Options) {
		o.Watch = &watcher{OnDone: func(out sync.Outcome) { why[out.UIDL] = out.DateWhy }}
	})
	w.wants(r, "4 listed, 4 new, 4 copied")
	w.POP.SetMail(append(w.POP.Mail(), anonymous("late")))
	w.wants(w.run(), "5 listed, 4 known, 1 new, 1 copied")
	got, err := w.IMAP.Messages("INBOX")
	if err != nil || len(got) != 5 {
		t.Fatalf("got %d messages (%v), want 5", len(got), err)
	}
	for i, byClock := range []bool{true, false, false, false, true} {
		if at := got[i].Date; byClock == at.Before(began) || !byClock && !at.Equal(got[1].Date) {
			t.Errorf("message %d: got %v", i, at)
		}
	}
	if why["b"] != "the message before it" || why["first"] != "" {
		t.Errorf("got reasons %q", why)
	}
}
