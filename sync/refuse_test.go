package sync_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// no is a refusal of an APPEND.
func no(code imap.ResponseCode) error {
	return &imap.Error{Type: imap.StatusResponseTypeNo, Code: code, Text: "not this one"}
}

// refusing refuses messages that contain a word.
func refusing(word string, err error) lab.IMAPOptions {
	return lab.IMAPOptions{RefuseAppend: func(_ int64, raw []byte) error {
		if bytes.Contains(raw, []byte(word)) {
			return err
		}
		return nil
	}}
}

func TestRefusedMessageDoesNotStopTheOthers(t *testing.T) {
	w := create(t, lab.POP3Options{}, refusing("This is b", no("")), mail("a"), mail("b"), mail("c"))
	r := w.run()
	w.wants(r, "3 listed, 3 new, 2 copied, 1 refused")
	w.Holds(mail("a"), mail("c"))
	if got := r.Refusals[0]; got.UIDL != "b" || got.Server != "NO not this one" || got.Size != int64(len(mail("b").Raw)) {
		t.Errorf("got refusal %+v", got)
	}
	if got := w.Asked("QUIT"); len(got) != 0 {
		t.Errorf("a retrieved message is not stored: got %q, want no QUIT (RFC 2449 §6.7)", got)
	}

	for tries := 1; tries <= 3; tries++ {
		rec := w.Records()[1]
		if rec.Phase != state.PhaseRefused || rec.Tries != tries || rec.Server != "NO not this one" {
			t.Errorf("got %+v, want it refused for the %d. time", rec, tries)
		}
		pause := []time.Duration{1: time.Hour, 2: 4 * time.Hour, 3: 16 * time.Hour}[tries]
		if got := rec.NextTry.Sub(rec.Ended); got != pause {
			t.Errorf("after %d tries: got a pause of %v, want %v", tries, got, pause)
		}
		w.wants(w.run(), "3 listed, 2 known, 1 quarantined")
		w.silent("RETR")
		if len(w.Told("LOGIN")) != 0 || len(w.Asked("QUIT")) != 1 {
			t.Error("a quiet run should leave the destination alone, and say QUIT")
		}
		w.Edit("UPDATE record SET next_try = 1 WHERE phase = 'refused'")
		w.wants(w.run(), "3 listed, 2 known, 1 new, 1 refused")
	}
	w.Holds(mail("a"), mail("c"))
}

func TestRefusedMessageIsTakenInTheEnd(t *testing.T) {
	o := refusing("This is b", no(""))
	refuse, fine := o.RefuseAppend, false
	o.RefuseAppend = func(size int64, raw []byte) error {
		if fine {
			return nil
		}
		return refuse(size, raw)
	}
	w := create(t, lab.POP3Options{}, o, mail("a"), mail("b"))
	w.wants(w.run(), "2 listed, 2 new, 1 copied, 1 refused")
	fine = true
	w.wants(w.run(), "2 listed, 1 known, 1 quarantined")
	w.Edit("UPDATE record SET next_try = 1 WHERE phase = 'refused'")
	w.wants(w.run(), "2 listed, 1 known, 1 new, 1 copied")
	w.Holds(mail("a"), mail("b"))
	w.wants(w.run(), "2 listed, 2 known")
	if got := len(w.Records()); got != 2 {
		t.Errorf("got %d records, want 2", got)
	}
}

func TestTooBigByListIsNotRetrieved(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{AppendLimit: 1000}, mail("a"), sized(mail("b"), 1001),
		sized(mail("c"), 1000))
	r := w.run()
	w.wants(r, "3 listed, 3 new, 2 copied, 1 refused")
	if got := w.Asked("RETR"); !slices.Equal(got, []string{"RETR 1", "RETR 3"}) {
		t.Errorf("got %q", got)
	}
	if r.Refusals[0].Code != "TOOBIG" || len(w.Asked("QUIT")) != 1 {
		t.Errorf("got %+v, and QUIT %q", r.Refusals[0], w.Asked("QUIT"))
	}
	w.wants(w.run(), "3 listed, 2 known, 1 quarantined")
	w.Edit("UPDATE record SET next_try = 1 WHERE phase = 'refused'")
	w.wants(w.run(), "3 listed, 2 known, 1 new, 1 refused")
	w.silent("RETR")
	if recs := w.Records(); len(recs) != 3 || recs[0].Tries+recs[1].Tries+recs[2].Tries != 2 {
		t.Errorf("got %+v", recs)
	}
}

func TestTooBigOnlyWhenItIsThere(t *testing.T) {
	small := sized(mail("b"), 5000)
	small.Size = 10 // LIST says less
	for name, o := range map[string]lab.IMAPOptions{
		"announced":     {AppendLimit: 1000},
		"not announced": refusing("This is b", no(imap.ResponseCodeTooBig)),
	} {
		for _, noUIDL := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				w := create(t, lab.POP3Options{NoUIDL: noUIDL, NoTOP: noUIDL}, o, mail("a"), small, mail("c"))
				r := w.run()
				w.wants(r, "3 listed, 3 new, 2 copied, 1 refused")
				w.Holds(mail("a"), mail("c"))
				if r.Refusals[0].Code != "TOOBIG" || r.Refusals[0].Size != 5000 {
					t.Errorf("got %+v", r.Refusals[0])
				}
				w.wants(w.run(), "3 listed, 2 known, 1 quarantined")
				if noUIDL && len(w.Asked("QUIT")) != 0 {
					t.Error("QUIT, though a message was retrieved that is not stored")
				}
				w.Edit("UPDATE record SET next_try = 1 WHERE phase = 'refused'")
				w.wants(w.run(), "3 listed, 2 known, 1 new, 1 refused")
				if got := len(w.Records()); got != 3 {
					t.Errorf("got %d records, want 3", got)
				}
			})
		}
	}
}

func TestVanishedMessage(t *testing.T) {
	for name, reply := range map[string]string{"gone": "-ERR no such message\r\n", "unreadable": "-ERR [SYS/TEMP] cannot\r\n"} {
		t.Run(name, func(t *testing.T) {
			var hook trap
			w := create(t, lab.POP3Options{Hook: hook.Answer(reply, false)}, lab.IMAPOptions{}, mail("a"), mail("b"), mail("c"))
			hook.Set("RETR", 2)
			w.wants(w.run(), "3 listed, 3 new, 2 copied, 1 vanished")
			w.Holds(mail("a"), mail("c"))
			if len(w.Asked("QUIT")) != 1 {
				t.Error("all that was retrieved is stored: there should be a QUIT")
			}
			w.wants(w.run(), "3 listed, 2 known, 1 new, 1 copied")
			w.Holds(mail("a"), mail("c"), mail("b"))
		})
	}
}

func TestWithoutRoomTheRestWaits(t *testing.T) {
	room := false
	o := lab.IMAPOptions{RefuseAppend: func(_ int64, raw []byte) error {
		if room || bytes.Contains(raw, []byte("This is a")) {
			return nil
		}
		return no(imap.ResponseCode("OVERQUOTA"))
	}}
	w := create(t, lab.POP3Options{}, o, mail("a"), mail("b"), mail("c"))
	w.fails(w.run(), sync.Full, "3 listed, 3 new, 1 copied, 2 left")
	w.Holds(mail("a"))
	w.silent("QUIT")
	if got := len(w.Records()); got != 1 {
		t.Errorf("got %d records, want 1", got)
	}
	w.fails(w.run(), sync.Full, "3 listed, 1 known, 2 new, 2 left")
	room = true
	w.wants(w.run(), "3 listed, 1 known, 2 new, 2 copied")
	w.Holds(mail("a"), mail("b"), mail("c"))
}

func TestFolderThatCannotBeMade(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{RefuseCreate: no("")}, mail("a"))
	w.Folder = "Archive"
	w.fails(w.run(), sync.Config, "1 listed, 1 new, 1 left")
	w.silent("RETR", "QUIT")
}

// The one that is to blame in a batch is found, and its fellows go through.
func TestTheOneToBlameInABatch(t *testing.T) {
	var drop []lab.Mail
	for i := range 40 {
		drop = append(drop, mail(fmt.Sprintf("m%d", i)))
	}
	for _, bad := range [][]int{{0}, {1}, {7, 8}, {39}, {0, 20, 39}} {
		var fine []lab.Mail
		is := map[string]bool{}
		for _, i := range bad {
			is[string(drop[i].Raw)] = true
		}
		for _, m := range drop {
			if !is[string(m.Raw)] {
				fine = append(fine, m)
			}
		}
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{RefuseAppend: func(_ int64, raw []byte) error {
			if is[string(raw)] {
				return no("")
			}
			return nil
		}}, drop...)
		r := w.run()
		if r.Refused != len(bad) || r.Copied != len(fine) || r.Err != nil {
			t.Errorf("bad %v: got %s (%v)", bad, counts(r), r.Err)
		}
		w.Holds(fine...)
		if n := len(w.Told("APPEND")); n > 4+12*len(bad) {
			t.Errorf("bad %v: it took %d commands to find them", bad, n)
		}
	}
}

// A server that takes no NUL, no 8-bit header or no line that is no field gets the least repair, and what was repaired is
// never deleted at the source.
func TestTheLeastRepair(t *testing.T) {
	const head, body = "Message-ID: <x@example.org>\r\nSubject: x", "\r\n\r\nbody\r\n"
	nul, eight, invalid := "a\x00b", "\r\nX-Name: gr\xc3\xbcn", "\r\nno field at all"
	for name, c := range map[string]struct {
		raw     string
		refuses []string
		keep    string
	}{
		"NUL":                  {head + body + nul + "\r\n", []string{"\x00"}, "nul"},
		"8-bit header":         {head + eight + body, []string{"\xc3"}, "8bit-header"},
		"no field":             {head + invalid + body, []string{"\r\nno field"}, "invalid-header"},
		"one of two":           {head + eight + body + nul + "\r\n", []string{"\x00"}, "nul"},
		"all three":            {head + eight + invalid + body + nul + "\r\n", []string{"\x00", "\xc3", "\r\nno field"}, "nul,8bit-header,invalid-header"},
		"nothing can be done":  {head + eight + body + "virus\r\n", []string{"virus"}, ""},
		"no repair is allowed": {head + body + "virus\r\n", []string{"virus"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{RefuseAppend: func(_ int64, raw []byte) error {
				for _, word := range c.refuses {
					if bytes.Contains(raw, []byte(word)) {
						return no("")
					}
				}
				return nil
			}}, mail("a"), lab.Mail{UIDL: "x", Raw: []byte(c.raw)}, mail("b"))
			r := w.run(deleting)
			rec := w.Records()[1]
			if c.keep == "" {
				w.wants(r, "3 listed, 3 new, 2 copied, 1 refused")
				if rec.Phase != state.PhaseRefused || rec.Tries != 1 || rec.Keep != "" || rec.Sent != rec.Size {
					t.Errorf("got %+v", rec)
				}
				return
			}
			w.wants(r, "3 listed, 3 new, 3 copied")
			if rec.Keep != "repaired: "+c.keep || rec.Phase != state.PhaseVerified {
				t.Errorf("got %v, keep %q", rec.Phase, rec.Keep)
			}
			w.left("x")
			w.wants(w.run(deleting), "1 listed, 1 known")
		})
	}
}

// The reply to a repaired message is lost: the copy is recognised all the same.
func TestLostReplyOfARepairedMessage(t *testing.T) {
	for _, id := range []string{"Message-ID: <x@example.org>\r\n", ""} {
		for _, fate := range []lab.Fate{lab.Cut, lab.CutReply} {
			var hook trap
			x := lab.Mail{UIDL: "x", Raw: []byte(id + "Subject: x\r\nX-Name: gr\xc3\xbcn\r\n\r\na\x00b\r\n")}
			refused := func(_ int64, raw []byte) error {
				if bytes.Contains(raw, []byte("\x00")) || bytes.Contains(raw, []byte("\xc3")) {
					return no("")
				}
				return nil
			}
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{Hook: hook.Fate(fate), RefuseAppend: refused}, x)
			hook.Set("APPEND", 5) // as it is, twice; two repairs; both
			w.lost(w.run())
			w.found(w.run())
			got, err := w.IMAP.Messages("INBOX")
			if err != nil || len(got) != 1 {
				t.Errorf("%q, fate %v: got %d messages (%v), want 1", id, fate, len(got), err)
			}
			w.wants(w.run(), "1 listed, 1 known")
		}
	}
}

// Where a batch was refused as one, its halves are offered again: whatever stops that, each intent is taken back once.
func TestHalvesThatAreGivenUp(t *testing.T) {
	for name, code := range map[string]imap.ResponseCode{"no room": "OVERQUOTA", "no folder": imap.ResponseCodeTryCreate,
		"not now": imap.ResponseCodeUnavailable} {
		t.Run(name, func(t *testing.T) {
			full := false
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{RefuseAppend: func(_ int64, raw []byte) error {
				if full = full || bytes.Contains(raw, []byte("This is m0001")); full {
					return no(code)
				}
				return nil
			}}, many(6, 0)...)
			r := w.run()
			if got := counts(r); got != "6 listed, 6 new, 1 copied, 5 left" || r.Err == nil || sync.ClassOf(r.Err) == sync.Bug {
				t.Errorf("got %s (%v)", got, r.Err)
			}
			if got := len(w.Records()); got != 1 {
				t.Errorf("got %d records, want 1", got)
			}
		})
	}
	for n := 4; n < 9; n++ { // those of the halves
		t.Run(fmt.Sprintf("line cut at APPEND %d", n), func(t *testing.T) {
			var hook trap
			o := refusing("This is m0005", no(""))
			o.Hook = hook.Fate(lab.Cut)
			all := many(9, 0)
			w := create(t, lab.POP3Options{}, o, all...)
			hook.Set("APPEND", n)
			r := w.run(func(o *sync.Options) { o.Patience = time.Minute })
			w.wants(r, "9 listed, 9 new, 8 copied, 1 refused")
			if got := len(w.Records()); got != 9 {
				t.Errorf("got %d records, want 9", got)
			}
		})
	}
}

// BAD costs the line, and so there is none for the repaired form: the message is refused all the same, and does not keep
// the others waiting.
func TestBadForWhatCouldBeRepaired(t *testing.T) {
	broken := lab.Mail{UIDL: "broken", Raw: []byte("Message-ID: <broken@example.org>\r\nSubject: \xe4\r\n\r\nbroken\r\n")}
	bad := &imap.Error{Type: imap.StatusResponseTypeBad, Text: "what is that?"}
	w := create(t, lab.POP3Options{}, refusing("\xe4", bad), mail("a"), broken, mail("b"), mail("c"))
	w.wants(w.run(func(o *sync.Options) { o.Patience = 10 * time.Second }), "4 listed, 4 new, 3 copied, 1 refused")
	w.Holds(mail("a"), mail("b"), mail("c"))
	w.wants(w.run(), "4 listed, 3 known, 1 quarantined")
}
