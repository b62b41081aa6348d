package imap

import (
	"strconv"
	"strings"

	"github.com/pop2imap/pop2imap/sync"
)

// places reads APPENDUID (RFC 4315 §3), a place for each message. Where it is not right the messages are stored all the
// same, and where can be found out in another way: then there are none.
func (p *part) places(text string) []sync.Placed {
	code, arg, _ := splitCode(text)
	validity, set, _ := strings.Cut(arg, " ")
	v, ok := nonZero(validity)
	uids := uidSet(set, len(p.messages))
	if code != "APPENDUID" || !ok || uids == nil || !p.numbered {
		return nil
	}
	places := make([]sync.Placed, len(uids))
	for i, uid := range uids {
		places[i] = sync.Placed{UIDValidity: v, UID: uid}
	}
	return places
}

// uidSet reads a set such as "5:7,9" of exactly n UIDs in ascending order: only then it is sure which is whose. It gives
// nil for any other.
func uidSet(set string, n int) (uids []uint32) {
	last := uint32(0)
	for item := range strings.SplitSeq(set, ",") {
		from, to, isRange := strings.Cut(item, ":")
		if !isRange {
			to = from
		}
		a, ok1 := nonZero(from)
		b, ok2 := nonZero(to)
		if !ok1 || !ok2 || a <= last || b < a || uint64(b-a) >= uint64(n-len(uids)) {
			return nil
		}
		for uid := uint64(a); uid <= uint64(b); uid++ {
			uids = append(uids, uint32(uid))
		}
		last = b
	}
	if len(uids) != n {
		return nil
	}
	return uids
}

// nonZero reads nz-number of RFC 9051 §9.
func nonZero(digits string) (uint32, bool) {
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), err == nil && n > 0
}
