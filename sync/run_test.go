package sync_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

func TestSecondRunDoesNotOpenTheDestination(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"), mail("b"), mail("c"))
	r := w.run()
	w.wants(r, "3 listed, 3 new, 3 copied")
	w.Holds(mail("a"), mail("b"), mail("c"))
	if want := int64(3 * len(mail("a").Raw)); r.Bytes != want {
		t.Errorf("got %d octets, want %d", r.Bytes, want)
	}
	if got := w.Asked("QUIT"); len(got) != 1 {
		t.Errorf("got %q, want one QUIT", got)
	}

	before := w.IMAP.Connections()
	w.wants(w.run(), "3 listed, 3 known")
	if n := w.IMAP.Connections() - before; n != 0 {
		t.Errorf("got %d connections to the destination, want none", n)
	}
	w.silent("RETR", "TOP", "DELE")

	w.POP.SetMail([]lab.Mail{mail("b"), mail("d"), mail("c")}) // one deleted, one new in between
	w.wants(w.run(), "3 listed, 2 known, 1 new, 1 copied")
	w.Holds(mail("a"), mail("b"), mail("c"), mail("d"))
}

func TestEmptyMaildropForgetsNothing(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"))
	w.wants(w.run(), "1 listed, 1 new, 1 copied")
	w.POP.SetMail(nil)
	w.wants(w.run(), "")
	w.POP.SetMail([]lab.Mail{mail("a")})
	w.wants(w.run(), "1 listed, 1 known")
	w.Holds(mail("a"))
}

func TestDuplicatesAreCopiedAsOftenAsTheyAreListed(t *testing.T) {
	a := mail("a")
	for name, drop := range map[string][]lab.Mail{
		"one UIDL, one content":  {a, a, mail("b")},
		"one UIDL, two contents": {a, as(mail("x"), "a"), mail("b")},
		"two UIDLs, one content": {a, as(a, "a2"), mail("b")},
		"without Message-ID":     {anonymous("a"), as(anonymous("a"), "a2"), anonymous("a")},
		"all of it":              {a, a, as(a, "a2"), as(mail("x"), "a"), a},
		"a single one":           {a},
	} {
		for _, caps := range [][]imap.Cap{nil, {imap.CapUIDPlus}} {
			t.Run(name+" without "+strings.Join(capNames(caps), ""), func(t *testing.T) {
				w := create(t, lab.POP3Options{}, lab.IMAPOptions{Without: caps}, drop...)
				r := w.run()
				if r.Copied != len(drop) || r.Err != nil {
					t.Errorf("got %s (%v)", counts(r), r.Err)
				}
				w.Holds(drop...)
				w.placed()
				if r := w.run(); r.Known != len(drop) || r.New != 0 {
					t.Errorf("second run: got %s", counts(r))
				}
				w.POP.SetMail(append(drop, drop[0])) // one more of a kind
				if r := w.run(); r.Known != len(drop) || r.Copied != 1 {
					t.Errorf("third run: got %s", counts(r))
				}
				w.POP.SetMail(drop[:1])
				if r := w.run(); r.Known != 1 || r.New != 0 {
					t.Errorf("after deletion: got %s", counts(r))
				}
			})
		}
	}
}

func capNames(caps []imap.Cap) (names []string) {
	for _, c := range caps {
		names = append(names, string(c))
	}
	return names
}

// placed checks that each record knows where its message is, and that it is that message.
func (w *world) placed() {
	w.Helper()
	type place struct {
		folder string
		uid    uint32
	}
	copies := map[place]lab.Stored{}
	for _, folder := range w.IMAP.Folders() {
		list, err := w.IMAP.Messages(folder)
		if err != nil {
			w.Fatal(err)
		}
		for _, c := range list {
			copies[place{folder, c.UID}] = c
		}
	}
	for _, rec := range w.Records() {
		at := place{rec.Folder, rec.UID}
		c, ok := copies[at]
		if rec.Phase != state.PhaseVerified || !ok || c.Size != rec.Size || !strings.Contains(string(c.Raw), rec.MessageID) {
			w.Errorf("record %d of %q is %v at UID %d of %s (there: %t)", rec.ID, rec.UIDL, rec.Phase, rec.UID, rec.Folder, ok)
		}
		delete(copies, at)
	}
}

func TestWithoutUIDPLUSTheUIDsAreLearned(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{Without: []imap.Cap{imap.CapUIDPlus}},
		mail("a"), mail("b"), anonymous("c"), mail("a"))
	w.wants(w.run(), "4 listed, 4 new, 4 copied")
	w.placed()
	w.POP.SetMail([]lab.Mail{mail("d"), mail("a")})
	w.wants(w.run(), "2 listed, 1 known, 1 new, 1 copied")
	w.placed()
}

func TestUIDLsOfAnyOctets(t *testing.T) {
	var drop []lab.Mail
	for i, uidl := range []string{"with blanks in it", "\xe4\xf6\xfc\xff", strings.Repeat("long", 75), "ä", "'; DROP TABLE record",
		`"`, "%s%n", "1", "01", "A", "a"} {
		drop = append(drop, as(mail("m"+string(rune('a'+i))), uidl))
	}
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, drop...)
	w.wants(w.run(), "11 listed, 11 new, 11 copied")
	w.Holds(drop...)
	w.wants(w.run(), "11 listed, 11 known")
	for i, rec := range w.Records() {
		if rec.UIDL != drop[i].UIDL {
			t.Errorf("got UIDL %q, want %q", rec.UIDL, drop[i].UIDL)
		}
	}
}

func TestLargeAndSmallMessagesInTurn(t *testing.T) {
	drop := []lab.Mail{sized(mail("a"), 4<<20+1), mail("b"), sized(mail("c"), 4<<20), sized(mail("d"), 9<<20), mail("e")}
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, drop...)
	w.wants(w.run(), "5 listed, 5 new, 5 copied")
	w.Holds(drop...)
}

func TestDryRunChangesNothing(t *testing.T) {
	drop := []lab.Mail{mail("a"), mail("b"), sized(mail("big"), 5000)}
	for _, c := range []struct {
		name    string
		options lab.POP3Options
		mail    []lab.Mail
		first   bool // there was a real run before
		folder  string
		want    string
	}{
		{name: "no state", mail: drop, folder: "INBOX", want: "3 listed, 3 new, 1 refused, 2 left"},
		{name: "a folder that is missing", mail: drop, folder: "New/One", want: "3 listed, 3 new, 3 left"},
		{name: "some are known", mail: append(drop[1:], mail("c")), first: true, folder: "INBOX",
			want: "3 listed, 1 known, 1 new, 1 left, 1 quarantined"},
		{name: "no UIDL", options: lab.POP3Options{NoUIDL: true}, mail: append(drop[1:], mail("c")), first: true,
			folder: "INBOX", want: "3 listed, 1 known, 1 new, 1 left, 1 quarantined"},
		{name: "no UIDL, no TOP", options: lab.POP3Options{NoUIDL: true, NoTOP: true}, mail: drop, first: true,
			folder: "INBOX", want: "3 listed, 3 new, 3 left"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := create(t, c.options, lab.IMAPOptions{AppendLimit: 4000}, drop...)
			w.Folder = c.folder
			if c.first {
				if r := w.run(); r.Copied != 2 {
					t.Fatalf("got %s", counts(r))
				}
			}
			w.POP.SetMail(c.mail)
			before := len(w.IMAP.Folders())
			var watch watcher
			r := w.dry(c.first, func(o *sync.Options) { o.Watch = &watch })
			w.wants(r, c.want)
			w.silent("RETR", "DELE", "APPEND", "CREATE", "SUBSCRIBE", "STORE", "SELECT")
			if watch.Results[sync.WouldCopy] != r.Left {
				t.Errorf("told of %v, the report says %d are left", watch.Results, r.Left)
			}
			if n := len(w.IMAP.Folders()); n != before {
				t.Errorf("got %d folders, had %d", n, before)
			}
		})
	}
}

// dry is a dry run: with the state opened for reading only, or without one.
func (w *world) dry(remembers bool, change ...func(*sync.Options)) sync.Report {
	w.Helper()
	w.Listen()
	o := w.Options()
	o.DryRun = true
	if remembers {
		memory, done := w.ReadOnly()
		defer done()
		o.State = memory
	}
	for _, c := range change {
		c(&o)
	}
	r := sync.Run(w.Context(), o)
	w.Balanced(r)
	return r
}

func TestLockedAccountIsNotTouched(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"))
	a, done := w.Memory()
	defer done()
	unlock, err := a.Lock()
	if err != nil {
		t.Fatal(err)
	}
	w.fails(w.run(), sync.Temporary, "")
	if n := w.POP.Connections() + w.IMAP.Connections(); n != 0 {
		t.Errorf("got %d connections, want none", n)
	}
	unlock()
	w.wants(w.run(), "1 listed, 1 new, 1 copied")
}

func TestARunNeedsAState(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail("a"))
	r := w.run(func(o *sync.Options) { o.State = nil })
	w.fails(r, sync.Bug, "")
	if w.POP.Connections() != 0 {
		t.Error("it went on all the same")
	}
}

func TestFlagsAndDates(t *testing.T) {
	received := "Received: from a by b; Mon, 3 Mar 2025 10:00:00 +0130\r\n"
	old := lab.Mail{UIDL: "old", Raw: []byte("Status: RO\r\n" + received + "X-Status: F\r\nDate: Sun, 2 Mar 2025 09:00:00 -0500\r\n\r\nx\r\n")}
	young := lab.Mail{UIDL: "young", Raw: []byte("Date: " + time.Now().Add(-time.Hour).Format(time.RFC1123Z) + "\r\n\r\ny\r\n")}
	undated := lab.Mail{UIDL: "undated", Raw: []byte("Subject: none\r\n\r\nz\r\n")}
	for _, c := range []struct {
		name                string
		change              func(*sync.Options)
		old, young, undated []string
	}{
		{"infer", func(o *sync.Options) {}, []string{`\Seen`}, nil, nil},
		{"infer, trusting", func(o *sync.Options) { o.TrustHeaders = true }, []string{`\Flagged`, `\Seen`}, nil, nil},
		{"seen", func(o *sync.Options) { o.Flags = sync.Seen }, []string{`\Seen`}, []string{`\Seen`}, []string{`\Seen`}},
		{"unseen", func(o *sync.Options) { o.Flags = sync.Unseen }, nil, nil, nil},
		{"unseen, trusting", func(o *sync.Options) { o.Flags, o.TrustHeaders = sync.Unseen, true }, nil, nil, nil},
		{"seen before", func(o *sync.Options) { o.Flags, o.SeenBefore = sync.Unseen, 24*time.Hour }, []string{`\Seen`}, nil, nil},
		{"seen before, and infer", func(o *sync.Options) { o.SeenBefore = time.Minute }, []string{`\Seen`}, []string{`\Seen`}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, old, young, undated)
			r := w.run(c.change)
			w.wants(r, "3 listed, 3 new, 3 copied")
			got, err := w.IMAP.Messages("INBOX")
			if err != nil || len(got) != 3 {
				t.Fatalf("got %d messages (%v)", len(got), err)
			}
			seen := 0
			for i, want := range [][]string{c.old, c.young, c.undated} {
				if !slices.Equal(got[i].Flags, want) {
					t.Errorf("%d: got flags %q, want %q", i, got[i].Flags, want)
				}
				if slices.Contains(want, `\Seen`) {
					seen++
				}
			}
			if r.Flags[`\Seen`] != seen {
				t.Errorf("got %d as seen in the report, want %d", r.Flags[`\Seen`], seen)
			}
			want := time.Date(2025, time.March, 3, 10, 0, 0, 0, time.FixedZone("", 5400))
			if _, offset := got[0].Date.Zone(); !got[0].Date.Equal(want) || offset != 5400 {
				t.Errorf("got date %v, want that of Received, %v", got[0].Date, want)
			}
			if d := time.Since(got[1].Date); d < time.Hour || d > time.Hour+time.Minute {
				t.Errorf("got date %v, want that of Date", got[1].Date)
			}
			if !got[2].Date.Equal(got[1].Date) {
				t.Errorf("got date %v, want that of the message before it, %v", got[2].Date, got[1].Date)
			}
		})
	}
}

// A cap on the rate is held, to the burst of one piece: 200 KB at 100 KB/s take more than a second.
func TestRate(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, sized(mail("a"), 100_000), sized(mail("b"), 100_000))
	r := w.run(func(o *sync.Options) { o.Rate = 100_000 })
	w.wants(r, "2 listed, 2 new, 2 copied")
	if r.Took < time.Second {
		t.Errorf("it took %v", r.Took)
	}
}
