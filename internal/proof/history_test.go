package proof_test

import (
	"flag"
	"testing"

	"github.com/emersion/go-imap/v2"
	"pgregory.net/rapid"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// contents are what messages there are in a history. A message that is equal to another one is the other one again, and
// counts twice. No two have one header, or one body, and are different all the same: of a message in doubt such a one is
// taken for a form that the server has made.
var contents = []lab.Mail{
	mail("a"),
	mail("b"),
	anonymous("c"),
	anonymous("d"), // as many octets as c
	sized(mail("large"), 100_000),
	{Raw: append([]byte("X-Revised: yes\r\n"), mail("a").Raw[:len(mail("a").Raw)-5]...)}, // with the Message-ID of a
}

// folders are those of the destination, and uses what two of them are for.
var (
	folders = []string{"INBOX", "Sent", "Lists"}
	uses    = map[string]imap.MailboxAttr{"Sent": imap.MailboxAttrSent, "Lists": imap.MailboxAttrFlagged}
)

// TestHistories lives through random histories: mail comes and goes, is called otherwise, lines die at any command,
// folders are numbered anew, the memory is lost; and holds them to the model after each event. In the end a few quiet
// runs must bring everything to rest.
func TestHistories(t *testing.T) {
	checks := "60"
	if thorough() {
		checks = "5000"
	} else {
		preset(t, "rapid.seed", "1") // the same each time
	}
	preset(t, "rapid.checks", checks)
	preset(t, "rapid.steps", "14")
	preset(t, "rapid.nofailfile", "true") // the seed tells it all
	rapid.Check(t, func(t *rapid.T) {
		h := begin(t)
		t.Repeat(map[string]func(*rapid.T){
			"":             h.holds,
			"arrive":       h.arrive,
			"arrive twice": h.again,
			"vanish":       h.vanish,
			"be renamed":   h.rename,
			"be replaced":  h.replace,
			"foreign copy": h.foreignCopy,
			"renumber":     h.renumber,
			"forget":       h.forget,
			"run":          h.quietRun,
			"cut IMAP":     h.cutIMAP,
			"cut APPEND":   h.cutAppend,
			"cut POP3":     h.cutPOP3,
		})
		h.comesToRest(t)
	})
}

// preset sets a flag that was not set on the command line.
func preset(t *testing.T, name, value string) {
	t.Helper()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if given {
		return
	}
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
}

// arrive is new mail, or old mail once more.
func (h *history) arrive(t *rapid.T) { h.add(h.fresh(), h.content(t)) }

// again is a server that calls two equal messages the same.
func (h *history) again(t *rapid.T) {
	i := h.any(t)
	h.add(h.drop[i].uidl, h.drop[i].content)
}

// vanish is another client that deletes.
func (h *history) vanish(t *rapid.T) {
	i := h.any(t)
	h.drop = append(h.drop[:i:i], h.drop[i+1:]...)
	h.fill()
}

// rename is a server that calls some or all of its messages something else.
func (h *history) rename(t *rapid.T) {
	from := rapid.IntRange(0, h.any(t)).Draw(t, "from")
	for i := from; i < len(h.drop); i++ {
		h.drop[i].uidl = h.fresh()
		if h.deletes && h.unheard { // then it may have been deleted, and an equal one may have come
			h.came(h.drop[i].content)
		}
		h.called[h.drop[i].uidl] = []int{h.drop[i].content}
	}
	h.fill()
}

// replace is a server that uses a UIDL again, for a message with another size. (With the same size nobody could see it.)
func (h *history) replace(t *rapid.T) {
	i, c := h.any(t), h.content(t)
	uidl := h.drop[i].uidl
	for _, other := range h.called[uidl] {
		if len(contents[c].Raw) == len(contents[other].Raw) {
			t.Skip("it has the same size")
		}
	}
	h.drop = append(h.drop[:i:i], h.drop[i+1:]...)
	h.add(uidl, c)
}

// foreignCopy is somebody who puts a message into the folder by hand.
func (h *history) foreignCopy(t *rapid.T) {
	c := h.content(t)
	if _, err := h.IMAP.Put(h.folder(c), contents[c].Raw, nil, noon); err != nil {
		t.Fatal(err)
	}
	h.put(c, !h.noDedup)
}

// renumber is an administrator who restores a folder from a backup.
func (h *history) renumber(t *rapid.T) {
	if err := h.IMAP.Renumber(rapid.SampledFrom(folders).Draw(t, "folder")); err != nil {
		t.Fatal(err)
	}
}

// forget loses the memory.
func (h *history) forget(t *rapid.T) {
	if h.noDedup {
		t.Skip("then all is copied again")
	}
	h.forgetState(t)
	h.lost = true
	h.anew(h.have(t), h.listed())
}

func (h *history) quietRun(t *rapid.T) { h.run(t) }

// cutIMAP is a line that dies at any command.
func (h *history) cutIMAP(t *rapid.T) {
	h.atIMAP.Set("", rapid.IntRange(1, 14).Draw(t, "command"))
	h.fate.Store(int64(rapid.SampledFrom([]lab.Fate{lab.Cut, lab.CutReply}).Draw(t, "fate")))
	h.run(t)
}

// cutAppend is a line that dies while a message is stored. A slow server may store it afterwards, but before the next run.
func (h *history) cutAppend(t *rapid.T) {
	h.atIMAP.Set("APPEND", rapid.IntRange(1, 3).Draw(t, "APPEND"))
	h.fate.Store(int64(rapid.SampledFrom([]lab.Fate{lab.Cut, lab.CutReply, lab.CutLate}).Draw(t, "fate")))
	h.run(t)
	if err := h.IMAP.Commit(); err != nil {
		t.Fatal(err)
	}
}

func (h *history) cutPOP3(t *rapid.T) {
	at := &h.atPOP
	if rapid.Bool().Draw(t, "executed") {
		at = &h.afterPOP
	}
	at.Set("", rapid.IntRange(1, 20).Draw(t, "command"))
	h.run(t)
}

// comesToRest ends a history: a few runs without faults, and one that has nothing to do.
func (h *history) comesToRest(t *rapid.T) {
	var r sync.Report
	for range 4 {
		if r = h.run(t); h.well(r) {
			break
		}
	}
	if !h.well(r) {
		t.Fatalf("after four runs without a fault: %+v", r)
	}
	h.holds(t)
	before := h.have(t)
	if r = h.run(t); !h.well(r) || r.Copied+r.Recognised+r.Left > 0 || h.have(t) != before {
		t.Fatalf("a run with nothing to do: %+v", r)
	}
}

// lacks are the abilities that a destination may lack.
var lacks = [][]imap.Cap{nil, {uidplus}, {multi}, {multi, uidplus}, {multi, uidplus, unbidden}, {unbidden}}
