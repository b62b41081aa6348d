package sync

import (
	"cmp"
	"context"
	"io"
	"slices"
	"time"

	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/state"
)

// prove reads back what was stored and not yet read back, in this run or in an earlier one.
func (r *run) prove(ctx context.Context) error {
	if r.DryRun || r.Verify == Unproved {
		return nil
	}
	early, release := r.untilStop(ctx)
	defer release()
	for after := int64(0); ; {
		open, err := r.State.Unverified(ctx, after, provedAtOnce)
		if err != nil {
			return StateError(err)
		}
		if len(open) == 0 {
			err := r.lookAtDates(early)
			r.boxes = nil
			return err
		}
		after = open[len(open)-1].ID
		err = r.proveAll(early, open, r.Verify)
		if err != nil && early.Err() != nil {
			return stopped(early)
		}
		if err != nil {
			return Doing(err, "read back what was stored")
		}
	}
}

// provedAtOnce is how many records are in memory while they are read back.
const provedAtOnce = 2000

func (r *run) proveAll(ctx context.Context, open []state.Record, level Level) error {
	r.doing("reading back what was stored")
	if err := r.login(ctx); err != nil {
		return err
	}
	for folder, recs := range byFolder(open) {
		lost, err := r.lookFor(ctx, folder, recs, level)
		if err == nil {
			err = r.trace(ctx, folder, lost)
		}
		if err != nil && r.alone(folder, err) { // for another run
			r.leaveOut(folder, err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// lookAgain looks once more for what is in doubt before a retry sends it again: it may have come late, or back.
func (r *run) lookAgain(ctx context.Context) error {
	if !r.Retry || r.DryRun {
		return nil
	}
	missing, err := r.State.MissingList(ctx)
	if err != nil || len(missing) == 0 {
		return StateError(err)
	}
	if err := r.login(ctx); err != nil {
		return err
	}
	for folder, recs := range byFolder(missing) {
		_, err := r.lookFor(ctx, folder, recs, ByDigest)
		if err != nil && r.alone(folder, err) { // they stay in doubt
			r.leaveOut(folder, err)
		} else if err != nil {
			return Doing(err, "look for what is in doubt")
		}
	}
	return nil
}

// lookFor looks for the messages of records where they should be, and then everywhere. It gives back what is nowhere.
func (r *run) lookFor(ctx context.Context, folder string, recs []state.Record, level Level) ([]state.Record, error) {
	f, err := Folder{}, error(nil)
	if box := r.opened(folder); box != nil && box.refusal == nil {
		f = box.Folder
	} else {
		f, err = r.dest.Open(ctx, folder, false)
	}
	if err == nil {
		recs, err = r.proveFolder(ctx, f, recs, level)
	} else if ClassOf(err) == Missing {
		err = nil
	}
	if err != nil || len(recs) == 0 {
		return recs, err
	}
	return r.searchFor(ctx, folder, recs)
}

// proveFolder gives back the records whose message is not where it should be.
func (r *run) proveFolder(ctx context.Context, f Folder, recs []state.Record, level Level) (lost []state.Record, err error) {
	var placed []state.Record
	for _, rec := range recs {
		if rec.UID != 0 && rec.UIDValidity == f.UIDValidity {
			placed = append(placed, rec)
		} else {
			lost = append(lost, rec)
		}
	}
	unclear, err := r.bySize(ctx, f, placed, level)
	if err != nil {
		return nil, err
	}
	for some := range slices.Chunk(unclear, 100) { // recorded from time to time: this takes as long as copying did
		gone, err := r.byOctets(ctx, f, some)
		if err != nil {
			return nil, err
		}
		lost = append(lost, gone...)
	}
	return lost, nil
}

// bySize takes RFC822.SIZE for a proof, if the level is that. It gives back what must be read.
func (r *run) bySize(ctx context.Context, f Folder, recs []state.Record, level Level) (unclear []state.Record, err error) {
	if level != BySize || len(recs) == 0 {
		return recs, nil
	}
	sizes, err := r.dest.Sizes(ctx, f, uidsOf(recs))
	if err != nil {
		return nil, err
	}
	var proofs []proof
	for _, rec := range recs {
		if size, ok := sizes[rec.UID]; ok && size == rec.Sent {
			proofs = append(proofs, proof{rec, BySize, ""})
		} else {
			unclear = append(unclear, rec)
		}
	}
	return unclear, r.proved(ctx, proofs)
}

// byOctets reads messages and compares. It gives back those that are not there: not in any form.
func (r *run) byOctets(ctx context.Context, f Folder, recs []state.Record) (gone []state.Record, err error) {
	prints := map[uint32]*print{}
	err = r.dest.Read(ctx, f, uidsOf(recs), func(uid uint32, body io.Reader) (err error) {
		prints[uid], err = printOf(body)
		return err
	})
	if err != nil {
		return nil, err
	}
	var proofs []proof
	for _, rec := range recs {
		p := prints[rec.UID]
		switch {
		case p != nil && p.digest == rec.Digest:
			proofs = append(proofs, proof{rec, ByDigest, ""})
		case p != nil && (p.header == rec.Header || p.body == rec.Body || rec.Keep != "" && p.size == rec.Sent):
			proofs = append(proofs, proof{rec, ByDigest, cmp.Or(rec.Keep, keepChanged)})
		default:
			gone = append(gone, rec)
		}
	}
	return gone, r.proved(ctx, proofs)
}

// A proof says what was found of a record.
type proof struct {
	rec   state.Record
	level Level
	keep  string // why it must never be deleted at the source
}

// proved records what was found. What is deleted at the source stays so, and a better proof is not replaced by a worse.
func (r *run) proved(ctx context.Context, proofs []proof) error {
	r.tellProgress(len(proofs))
	var news []state.Proof
	for _, p := range proofs {
		r.provedNow[p.rec.ID] = true
		if p.keep != "" {
			r.changed++
			r.tellChanged(p)
		}
		worse := p.rec.Phase == state.PhaseVerified && p.level == BySize && p.keep == ""
		if p.rec.Phase == state.PhaseDeleting || p.rec.Phase == state.PhaseDeleted || worse {
			continue
		}
		news = append(news, state.Proof{ID: p.rec.ID, Level: p.level.String(), Keep: p.keep})
	}
	if len(news) == 0 {
		return nil
	}
	r.achieved += len(news)
	return StateError(r.State.Verified(ctx, news))
}

// tellChanged tells of a message that was found in another form: a run, once; a verification, each time.
func (r *run) tellChanged(p proof) {
	if rec := p.rec; r.id == 0 || p.keep != rec.Keep {
		r.report.Changed++
		r.done(Outcome{Result: Changed, UIDL: rec.UIDL, Listed: rec.Listed, Size: rec.Size, Digest: rec.Digest, Folder: rec.Folder,
			UIDValidity: rec.UIDValidity, UID: rec.UID, Keep: p.keep})
	}
}

func uidsOf(recs []state.Record) []uint32 {
	uids := make([]uint32, len(recs))
	for i, rec := range recs {
		uids[i] = rec.UID
	}
	slices.Sort(uids)
	return uids
}

// trace looks for messages that the destination said it had stored and that are not where it said: elsewhere in the folder
// (renumbered, or it did not say where), in the folders into which a filter moves mail, in an equal message (Gmail keeps
// one of several), and once more after a settle. What is not found then is in doubt: whether to send it again is for the
// user to say.
func (r *run) trace(ctx context.Context, folder string, lost []state.Record) (err error) {
	if len(lost) == 0 {
		return nil
	}
	why := units.Plural(len(lost), "message") + " that the destination stored cannot be found there"
	if err := r.pause(ctx, r.Settle, why, "looking once more"); err != nil {
		return err
	}
	if lost, err = r.searchFor(ctx, folder, lost); err != nil || len(lost) == 0 {
		return err
	}
	ids := make([]int64, len(lost))
	for i, rec := range lost {
		ids[i] = rec.ID
		r.done(Outcome{Result: Missed, UIDL: rec.UIDL, Listed: rec.Listed, Size: rec.Size, Digest: rec.Digest, Folder: folder,
			UIDValidity: rec.UIDValidity, UID: rec.UID})
		if e := r.entryOf[rec.ID]; e != nil {
			e.fate = doubted
		} else {
			r.report.Missing++
		}
	}
	return StateError(r.State.Missing(ctx, ids...))
}

// searchFor looks everywhere, and gives back what is nowhere.
func (r *run) searchFor(ctx context.Context, folder string, lost []state.Record) ([]state.Record, error) {
	elsewhere, err := r.elsewhere(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range append([]string{folder}, elsewhere...) {
		if len(lost) == 0 {
			return nil, nil
		}
		if lost, err = r.findIn(ctx, name, lost); err != nil {
			return nil, err
		}
	}
	return r.collapsed(ctx, lost)
}

// findIn finds messages in a folder by their octets, records that they are there, and gives back the others.
func (r *run) findIn(ctx context.Context, folder string, lost []state.Record) (rest []state.Record, err error) {
	f, err := r.dest.Open(ctx, folder, false)
	if err != nil {
		switch ClassOf(err) {
		case Temporary, Protocol, Stopped, Bug:
			return nil, err // the connection is gone: nobody knows what is in there, or in the next one
		}
		return lost, nil // there is no such folder, or the server does not let us look into it
	}
	ids := map[string]bool{}
	for _, rec := range lost {
		ids[rec.MessageID] = rec.MessageID != "" || folder == rec.Folder
	}
	shelf, err := r.look(ctx, f, 1, func(id string) bool { return ids[id] })
	if err != nil {
		return nil, err
	}
	var lists [][]*found
	for _, rec := range lost {
		lists = append(lists, shelf.candidates(anywhere(rec)))
	}
	if err := r.read(ctx, shelf, lists); err != nil {
		return nil, err
	}
	var proofs []proof
	for _, rec := range lost {
		copy, exact := shelf.take(anywhere(rec), true)
		if copy == nil {
			rest = append(rest, rec)
			continue
		}
		if err := r.located(ctx, rec, f, copy.uid); err != nil {
			return nil, err
		}
		p := proof{rec, ByDigest, ""}
		if !exact {
			p.keep = cmp.Or(rec.Keep, keepChanged)
		}
		proofs = append(proofs, p)
	}
	return rest, r.proved(ctx, proofs)
}

// located records where a message was found, if that was not known: its copy must not seem to be nobody's. Where another
// folder has it is a filter's affair.
func (r *run) located(ctx context.Context, rec state.Record, f Folder, uid uint32) error {
	at := state.Place{ID: rec.ID, UIDValidity: f.UIDValidity, UID: uid}
	switch {
	case rec.Phase == state.PhaseIntent:
		r.settledAt(rec, state.Place{})
		return StateError(r.State.Stored(ctx, []state.Place{{ID: rec.ID}}, time.Now()))
	case (rec.Phase == state.PhaseStored || rec.Phase == state.PhaseMissing) && rec.UID == 0 && f.Name == rec.Folder:
		return StateError(r.State.Learn(ctx, at))
	}
	return nil
}

// anywhere is the message of a record, whatever its UID may be.
func anywhere(rec state.Record) claimant {
	c := claimantOf(rec, Folder{})
	c.since = 1
	return c
}

// collapsed finds the messages of which the destination keeps one where we stored several with the same octets.
func (r *run) collapsed(ctx context.Context, lost []state.Record) (rest []state.Record, err error) {
	var proofs []proof
	for _, rec := range lost {
		same, err := r.State.ByDigest(ctx, rec.Digest)
		if err != nil {
			return nil, StateError(err)
		}
		if slices.ContainsFunc(same, func(other state.Record) bool {
			return other.ID != rec.ID && other.Folder == rec.Folder && other.Phase == state.PhaseVerified
		}) {
			proofs = append(proofs, proof{rec, BySize, keepCollapsed})
			continue
		}
		rest = append(rest, rec)
	}
	return rest, r.proved(ctx, proofs)
}

const keepCollapsed = "the destination keeps one of several equal messages"
