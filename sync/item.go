package sync

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/state"
)

// An item is a message that was retrieved, or that the source would not give, on its way to the destination.
type item struct {
	todo
	box     *mailbox // where it goes; nil: not decided yet
	gone    error    // why it was not retrieved; nil: it was
	endless bool     // it has more octets than we take
	spool   *spool
	share   int64 // of the window

	now         time.Time // when it was retrieved
	digest      [32]byte
	body        [32]byte
	fingerprint [32]byte
	messageID   string
	date        time.Time
	why         string
	guessed     bool // it is that of another message
	flags       []message.Flag
	lacks       []string // flags that its folder does not keep, and that it goes without
	deleted     string   // see Outcome
	doubted     []message.Doubt
	placement   Placement
	whole       bool         // a witness knew all of its flags: own messages give it no others
	served      []byte       // its header with the Status of the maildrop's server, if that was cut off; nil: it was not
	cut         int64        // octets of that
	unwanted    bool         // by this run: see Narrow
	whyNot      string       // the reason, if there is one to tell
	marks       []state.Mark // what it says of others, if it is an own message
	keep        string       // why it must never be deleted at the source
	id          int64        // of its record; 0: none yet
}

// take takes in the message, without the Status that is the server's.
func (it *item) take(r *run, body io.Reader) error {
	if !r.marking {
		return it.spool.fill(body, it.share)
	}
	cut := message.CutStatus(body)
	err := it.spool.fill(cut, it.share)
	it.served, it.cut = cut.Header, cut.Cut
	return err
}

// study notes what the message tells of itself, and what witnesses tell of it.
func (it *item) study(ctx context.Context, r *run) error {
	header := it.spool.header()
	it.now = time.Now()
	it.digest, it.body = it.spool.digests.Whole, it.spool.digests.Body
	it.fingerprint, it.messageID = message.Fingerprint(header), message.ID(header)
	served := header
	if it.served != nil {
		served = it.served
	}
	told := r.infer(served, it.todo, it.now)
	wanted, why := r.Narrow.wants(header, it.spool.size(), told)
	it.unwanted, it.whyNot = !wanted, why
	told, whole, err := r.testified(ctx, told, Subject{UIDL: it.UIDL, Size: it.spool.size(), Fingerprint: it.fingerprint,
		MessageID: it.messageID, Header: header}, it.now)
	it.whole = whole
	it.date, it.why = told.Date, told.DateWhy
	it.deleted, it.doubted = told.Deleted, told.Doubted
	it.placement = r.placement(header, it.spool.size(), told)
	it.flags = r.flagsOf(told, it.placement)
	it.marks = r.marksOf(it, append(told.Marks, it.enclosed(header, told)...))
	r.dateByNeighbour(it)
	it.served = nil // it is of no more use
	return err
}

// enclosedMax is how much of the body of an own message is searched for what it encloses, in octets.
const enclosedMax = 256 << 10

// enclosed gives what the parts of an own message say of others. What a machine sent in the user's name forwards nothing.
func (it *item) enclosed(header []byte, told message.Inference) []message.Mark {
	if told.Sent == "" {
		return nil
	}
	start, _ := io.ReadAll(io.LimitReader(it.spool.body(), int64(len(header))+enclosedMax)) // an error shows again when it is sent
	list := message.Enclosed(header, start[min(len(header), len(start)):])
	return slices.DeleteFunc(list, func(m message.Mark) bool { return told.Auto != "" && !slices.Contains(m.Flags, "$MDNSent") })
}

// intent is the record of the message before it is appended.
func (it *item) intent(r *run) state.Record {
	return state.Record{ID: it.earlier().ID, UIDL: it.UIDL, Listed: it.Size, Size: it.spool.size(), Digest: it.digest,
		Header: it.fingerprint, Body: it.body, MessageID: it.messageID, Sent: it.spool.size(), Keep: it.keep,
		Folder: it.box.Name, UIDValidity: it.box.UIDValidity, UIDNext: it.box.UIDNext, Given: it.given(), Begun: time.Now(),
		Run: r.id}
}

// given is what the message has, or is to have, at the destination.
func (it *item) given() state.Given {
	return state.Given{Date: it.date, Flags: strings.Join(names(it.flags), " "), Flagged: true}
}

// outcome is what is reported of the message.
func (it *item) outcome() Outcome {
	return Outcome{UIDL: it.UIDL, Listed: it.Size, Size: it.spool.size(), Digest: it.digest, Folder: it.box.Name,
		Flags: it.flags, Date: it.date, DateWhy: it.why, Deleted: it.deleted, Doubted: it.doubted, Keep: it.keep}
}

func (it *item) claimant() claimant {
	return claimant{print: print{it.digest, it.fingerprint, it.body, it.spool.size()}, id: it.messageID, since: 1}
}

func (it *item) outgoing() Outgoing {
	return Outgoing{Size: it.spool.size(), Body: it.spool.body, Flags: names(it.flags), Date: it.date}
}

// flagsOf are all that a message is to arrive with, by what is told of it and by where it goes.
func (r *run) flagsOf(told message.Inference, p Placement) []message.Flag {
	list := slices.Clip(r.flags(told.Flags, told.Date))
	for _, f := range p.Flags {
		if !has(list, f.Name) {
			list = append(list, f)
		}
	}
	return list
}

// flags are those that a message is to arrive with, of which some are inferred.
func (r *run) flags(inferred []message.Flag, date time.Time) (list []message.Flag) {
	switch r.Flags {
	case Infer:
		list = inferred
	case Seen:
		list = []message.Flag{{Name: `\Seen`, Why: "all are"}}
	}
	if r.SeenBefore > 0 && !date.IsZero() && time.Since(date) > r.SeenBefore && !has(list, `\Seen`) {
		list = append(list, message.Flag{Name: `\Seen`, Why: "its age"})
	}
	return list
}

func has(list []message.Flag, name string) bool {
	return slices.ContainsFunc(list, func(f message.Flag) bool { return strings.EqualFold(f.Name, name) })
}

func names(list []message.Flag) (names []string) {
	for _, f := range list {
		names = append(names, f.Name)
	}
	return names
}
