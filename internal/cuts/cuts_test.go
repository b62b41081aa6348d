package cuts

import (
	"flag"
	"fmt"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/internal/lab/trial"
	"github.com/pop2imap/pop2imap/state"
)

var every = flag.Int("every", 389, "break the line after every so-manieth octet; 1: after each")

// three messages: lines that begin with a dot, and two that are the same.
var three = []lab.Mail{mail("a"), mail("b"), trial.As(mail("a"), "c")}

// A kind is how the two servers are.
type kind struct {
	name    string
	pop     lab.POP3Options
	imap    lab.IMAPOptions
	deletes bool
	conn    int // the connection that breaks
}

// A line is what breaks of a kind.
type line struct {
	name  string
	imap  bool // the line to the mailbox, not the one to the maildrop
	way   lab.Way
	drain bool // what was sent arrives yet
}

var popKinds = []kind{
	{name: "pipelined", conn: 1},
	{name: "one by one", pop: lab.POP3Options{NoPipelining: true}, conn: 1},
	{name: "without UIDL", pop: lab.POP3Options{NoUIDL: true}, conn: 1},
	{name: "with deletion", deletes: true, conn: 2},
}

var imapKinds = []kind{
	{name: "all", conn: 1},
	{name: "without MULTIAPPEND", imap: lab.IMAPOptions{Without: []imap.Cap{imap.CapMultiAppend}}, conn: 1},
	{name: "without UIDPLUS", imap: lab.IMAPOptions{Without: []imap.Cap{imap.CapUIDPlus}}, conn: 1},
	{name: "without either", imap: lab.IMAPOptions{Without: []imap.Cap{imap.CapUIDPlus, imap.CapMultiAppend}}, conn: 1},
	{name: "without LITERAL+", imap: lab.IMAPOptions{Without: []imap.Cap{imap.CapLiteralPlus, imap.CapMultiAppend}}, conn: 1},
}

var popLines = []line{
	{name: "POP3 up", way: lab.Up},
	{name: "POP3 down", way: lab.Down},
}

var imapLines = []line{
	{name: "IMAP up", imap: true, way: lab.Up},
	{name: "IMAP up, and it arrives", imap: true, way: lab.Up, drain: true},
	{name: "IMAP down", imap: true, way: lab.Down},
}

// TestCutAfterEachOctet breaks one line once, after each octet of a session in turn. The next run brings all to the end
// that it would have come to without, and the one after that changes nothing.
func TestCutAfterEachOctet(t *testing.T) {
	for _, c := range []struct {
		kinds []kind
		lines []line
	}{{popKinds, popLines}, {imapKinds, imapLines}} {
		for _, k := range c.kinds {
			for _, l := range c.lines {
				t.Run(l.name+" "+k.name, func(t *testing.T) {
					t.Parallel()
					whole := octets(t, k, l)
					if whole < 40 {
						t.Fatalf("the whole session has %d octets", whole)
					}
					for after := int64(0); after < whole; after += int64(*every) {
						t.Run(fmt.Sprint(after), func(t *testing.T) { cut(t, k, l, after) })
					}
				})
			}
		}
	}
}

// lined is a world with a proxy in one of its lines.
func lined(t *testing.T, k kind, l line, b *lab.Break) (*world, *lab.Proxy) {
	t.Helper()
	w := create(t, k.pop, k.imap, three...)
	if k.deletes {
		w.Always = append(w.Always, deleting)
	}
	if l.imap {
		p := w.proxy(w.IMAP, lab.ProxyOptions{Break: b})
		w.To = p
		return w, p
	}
	p := w.proxy(w.POP, lab.ProxyOptions{Break: b})
	w.From = p
	return w, p
}

// octets is how many go over a line, one way, when nothing breaks.
func octets(t *testing.T, k kind, l line) int64 {
	w, p := lined(t, k, l, nil)
	w.ends(w.Run())
	w.atTheEnd(k)
	up, down := p.Bytes(k.conn)
	if l.way == lab.Up {
		return up
	}
	return down
}

func cut(t *testing.T, k kind, l line, after int64) {
	w, _ := lined(t, k, l, &lab.Break{Way: l.way, After: after, Conn: k.conn, Drain: l.drain})
	w.fails(w.Run())
	if !l.drain { // else it may not have arrived
		w.noneTwice(three...)
	}
	w.ends(w.Run())
	if k.deletes { // that the maildrop is empty is believed the second time
		w.ends(w.Run())
	}
	w.atTheEnd(k)
	w.changesNothing()
	w.atTheEnd(k)
}

// atTheEnd checks that all is as it should be when all is done.
func (w *world) atTheEnd(k kind) {
	w.Helper()
	w.Holds(three...)
	want, left := state.PhaseVerified, len(three)
	if k.deletes {
		want, left = state.PhaseDeleted, 0
	}
	if n := len(w.POP.Mail()); n != left {
		w.Errorf("the maildrop holds %d messages, want %d", n, left)
	}
	uids := map[uint32]bool{}
	for _, rec := range w.Records() {
		if rec.Phase != want || rec.UID == 0 || uids[rec.UID] {
			w.Errorf("the record of %q is %v at UID %d, want %v at one of its own", rec.UIDL, rec.Phase, rec.UID, want)
		}
		uids[rec.UID] = true
	}
	if len(uids) != len(three) {
		w.Errorf("got %d records, want %d", len(uids), len(three))
	}
}
