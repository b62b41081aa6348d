package sync

import (
	"slices"
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
	flags       []message.Flag
	placement   Placement
	unwanted    bool         // by this run: see Narrow
	marks       []state.Mark // what it says of others, if it is an own message
	keep        string       // why it must never be deleted at the source
	id          int64        // of its record; 0: none yet
}

// study notes what the message tells of itself.
func (it *item) study(r *run) {
	header := it.spool.header()
	it.now = time.Now()
	it.digest, it.body = it.spool.digests.Whole, it.spool.digests.Body
	it.fingerprint, it.messageID = message.Fingerprint(header), message.ID(header)
	told := r.infer(header, it.UIDL, it.now)
	it.date, it.why = told.Date, told.DateWhy
	it.placement = r.placement(header, it.spool.size(), told)
	it.unwanted = !r.Narrow.wants(header, it.spool.size(), told)
	it.flags = r.flags(told.Flags, it.date)
	it.marks = r.marksOf(it, told.Marks)
	for _, f := range it.placement.Flags {
		if !has(it.flags, f.Name) {
			it.flags = append(it.flags, f)
		}
	}
}

// infer says what a header tells.
func (r *run) infer(header []byte, uidl string, now time.Time) message.Inference {
	return message.Infer(header, message.Facts{Now: now, UIDL: uidl, Trust: r.TrustHeaders, Identities: r.Identities})
}

// intent is the record of the message before it is appended.
func (it *item) intent(r *run) state.Record {
	return state.Record{ID: it.earlier().ID, UIDL: it.UIDL, Listed: it.Size, Size: it.spool.size(), Digest: it.digest,
		Header: it.fingerprint, Body: it.body, MessageID: it.messageID, Sent: it.spool.size(), Keep: it.keep,
		Folder: it.box.Name, UIDValidity: it.box.UIDValidity, UIDNext: it.box.UIDNext, Begun: time.Now(), Run: r.id}
}

// outcome is what is reported of the message.
func (it *item) outcome() Outcome {
	return Outcome{UIDL: it.UIDL, Listed: it.Size, Size: it.spool.size(), Digest: it.digest, Folder: it.box.Name,
		Flags: it.flags, Date: it.date, DateWhy: it.why, Keep: it.keep}
}

func (it *item) claimant() claimant {
	return claimant{print: print{it.digest, it.fingerprint, it.body, it.spool.size()}, id: it.messageID, since: 1}
}

func (it *item) outgoing() Outgoing {
	return Outgoing{Size: it.spool.size(), Body: it.spool.body, Flags: names(it.flags), Date: it.date}
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
	return slices.ContainsFunc(list, func(f message.Flag) bool { return f.Name == name })
}

func names(list []message.Flag) (names []string) {
	for _, f := range list {
		names = append(names, f.Name)
	}
	return names
}
