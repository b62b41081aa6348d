package sync

import (
	"cmp"
	"context"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/pop2imap/pop2imap/internal/message"
	"github.com/pop2imap/pop2imap/internal/sabotage"
	"github.com/pop2imap/pop2imap/state"
)

// A shelf is what a folder of the destination has that no record of ours claims, by Message-ID, in order of UID.
type shelf struct {
	folder Folder
	from   uint32 // no copy has a lower UID
	copies map[string][]*found
	spared map[[32]byte]bool
}

// A found is one message on a shelf.
type found struct {
	uid   uint32
	size  int64 // RFC822.SIZE: advice
	taken bool  // by a record, now
	print *print
}

// A print is what a message is recognised by.
type print struct {
	digest, header, body [32]byte
	size                 int64
}

// A claimant looks for its own copy.
type claimant struct {
	print
	id       string // Message-ID
	repaired bool   // it was sent in another form
	since    uint32 // no copy of its has a lower UID
}

func newShelf(f Folder, from uint32) *shelf {
	return &shelf{f, from, map[string][]*found{}, map[[32]byte]bool{}}
}

// look goes through the folder once, from a UID on. want says which Message-IDs matter.
func (r *run) look(ctx context.Context, f Folder, from uint32, want func(id string) bool) (*shelf, error) {
	s := newShelf(f, from)
	claimed, err := r.claimed(ctx, f, from)
	if err != nil {
		return nil, err
	}
	for c, err := range r.dest.Find(ctx, f, from) {
		if err != nil {
			return nil, err
		}
		if id := message.ID(c.Header); want(id) && (!claimed[c.UID] || sabotage.SharedClaims) {
			s.copies[id] = append(s.copies[id], &found{uid: c.UID, size: c.Size})
		}
	}
	return s, nil
}

// claimed gives the UIDs of a folder, from one on, that records have, whichever of its names they know it by: that of the
// account may be another than it was, and old records may have several.
func (r *run) claimed(ctx context.Context, f Folder, from uint32) (map[uint32]bool, error) {
	all := map[uint32]bool{}
	if r.State == nil {
		return all, nil
	}
	for _, name := range r.namesOf(f) {
		some, err := r.State.Claimed(ctx, name, f.UIDValidity, from)
		if err != nil {
			return nil, StateError(err)
		}
		maps.Copy(all, some)
	}
	return all, nil
}

// namesOf gives all names that records may have of a folder.
func (r *run) namesOf(f Folder) []string {
	names := r.dest.Spellings(f.Name)
	if !slices.Contains(names, f.Name) {
		names = append(names, f.Name)
	}
	return names
}

// candidates are the messages that may be the claimant's: those with its Message-ID, or if it has none, those that have
// none either and are of its size.
func (s *shelf) candidates(c claimant) (list []*found) {
	for _, f := range s.copies[c.id] {
		if (!f.taken || sabotage.SharedClaims) && f.uid >= c.since && (c.id != "" || f.size == c.size) {
			list = append(list, f)
		}
	}
	return list
}

// holds says whether anything is on it that nobody has taken.
func (s *shelf) holds() bool {
	if s == nil {
		return false
	}
	for _, list := range s.copies {
		if slices.ContainsFunc(list, func(f *found) bool { return !f.taken }) {
			return true
		}
	}
	return false
}

// seems says whether the folder seems to have a message, by Message-ID and size: in a dry run nothing may be retrieved.
// What it has stands for one message only. A nil shelf has nothing.
func (s *shelf) seems(id string, size int64) bool {
	if s == nil || id == "" {
		return false
	}
	for _, f := range s.copies[id] {
		if !f.taken && f.size == size {
			f.taken = true
			return true
		}
	}
	return false
}

// mostRead is how many look-alikes of one message are read: a folder may be full of them.
const mostRead = 1000

// read fetches the octets of messages, once each, and keeps what they are recognised by. Each list is the look-alikes of
// one message: a limit for all of them together would leave some unread, which would then seem not to be there.
func (r *run) read(ctx context.Context, s *shelf, lists [][]*found) error {
	byUID := map[uint32]*found{}
	for _, list := range lists {
		n := 0
		for _, f := range list {
			if f.print == nil && byUID[f.uid] == nil && n < mostRead {
				byUID[f.uid] = f
				n++
			}
		}
	}
	if len(byUID) == 0 {
		return nil
	}
	uids := make([]uint32, 0, len(byUID))
	for uid := range byUID {
		uids = append(uids, uid)
	}
	slices.Sort(uids)
	return r.dest.Read(ctx, s.folder, uids, func(uid uint32, body io.Reader) (err error) {
		if f := byUID[uid]; f != nil {
			f.print, err = printOf(body)
		}
		return err
	})
}

// printOf reads a message to its end.
func printOf(body io.Reader) (*print, error) {
	var head header
	hash := message.NewHasher()
	n, err := io.Copy(io.MultiWriter(hash, &head), body)
	if err != nil {
		return nil, err
	}
	p := &print{header: message.Fingerprint(message.Split(head)), size: n}
	sum := hash.Sum()
	p.digest, p.body = sum.Whole, sum.Body
	return p, nil
}

// A header keeps the first octets that are written to it, and takes all.
type header []byte

func (h *header) Write(p []byte) (int, error) {
	*h = append(*h, p[:min(len(p), headerMax-len(*h))]...)
	return len(p), nil
}

// take gives the claimant's copy and takes it off the shelf; nil: it is not there. All candidates must have been read.
// exact says whether its octets are the claimant's own. Otherwise the server has changed it: header and body are those
// that it makes of the claimant's by the rewrites we know, or it has the size of the form in which it was sent; or, where
// the message is certainly ours (loose), its body is the same. One that has only the header in common may be another one.
func (s *shelf) take(c claimant, loose bool) (f *found, exact bool) {
	list := s.candidates(c)
	for _, same := range []func(*print) bool{
		func(p *print) bool { return p.digest == c.digest },
		func(p *print) bool { return p.header == c.header && p.body == c.body },
		func(p *print) bool {
			return c.repaired && p.size == c.size && (c.id != "" || p.header == c.header || p.body == c.body)
		},
		func(p *print) bool { return loose && c.id != "" && p.body == c.body },
	} {
		for _, f := range list {
			if f.print != nil && same(f.print) {
				f.taken = true
				return f, f.print.digest == c.digest
			}
		}
	}
	return nil, false
}

// unclear says whether something is there that has the header of a record, and not its body: a server may have changed
// that, or it is another message. One that we know is another. A retry does not care.
func (r *run) unclear(ctx context.Context, s *shelf, rec state.Record) (bool, error) {
	c := claimantOf(rec, s.folder)
	if c.id == "" || r.Retry {
		return false, nil
	}
	for _, f := range s.candidates(c) {
		if f.print == nil || f.print.header != c.header {
			continue
		}
		same, err := r.State.ByDigest(ctx, f.print.digest)
		if err != nil {
			return false, StateError(err)
		}
		if len(same) == 0 {
			return true, nil
		}
	}
	return false, nil
}

// spare takes off the shelf the copies of a content that belong to others. In a folder that was made anew no record
// claims any, so the copy of a stored message could be taken for that of another one with the same content. One whose UID was
// never known looks for its copy itself, see seek.
func (r *run) spare(ctx context.Context, s *shelf, digest [32]byte) error {
	if s.spared[digest] || s.from > 1 { // what was there when the folder was made anew lies before
		return nil
	}
	s.spared[digest] = true
	same, err := r.State.ByDigest(ctx, digest)
	if err != nil {
		return StateError(err)
	}
	names := r.namesOf(s.folder)
	for _, other := range same {
		if other.Phase.Delivered() && other.UID != 0 && slices.Contains(names, other.Folder) && other.UIDValidity != s.folder.UIDValidity {
			s.take(claimantOf(other, s.folder), true)
		}
	}
	return nil
}

// claimantOf is the message of a record that may be in folder f.
func claimantOf(rec state.Record, f Folder) claimant {
	return claimant{print: print{rec.Digest, rec.Header, rec.Body, cmp.Or(rec.Sent, rec.Size)}, id: rec.MessageID,
		repaired: strings.HasPrefix(rec.Keep, keepRepaired), since: since(f, rec)}
}

// since is the lowest UID that the message of a record can have.
func since(f Folder, rec state.Record) uint32 {
	if rec.UIDValidity != f.UIDValidity || f.UIDValidity == 0 {
		return 1 // the folder was made anew: UIDs of before mean nothing
	}
	return max(rec.UIDNext, 1)
}
