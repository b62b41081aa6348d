package twin

import (
	"fmt"
	"strconv"
	"strings"
)

// A format is a form in which servers make a UIDL of UIDVALIDITY and UID.
type format struct {
	before, after string // what stands around the UID, in lower case
	base          int    // 16: eight digits; 10: no zeros in front
	bound         bool   // UIDVALIDITY is in it

	right, wrong int // messages whose header was that of the message with the UID, or not
}

// proofs is how many messages with a header of their own a format must be right about, and wrong about none, before it is
// believed where a header does not decide.
const proofs = 5

// formats are those that there are, for a folder with that UIDVALIDITY; 0: it is not known.
//
// Courier's own UIDs are not those of its IMAP: its forms are of use where Dovecot has taken its place, and goes on with
// them. Names of files and digests (Courier's oldest form, Dovecot's %f, %{guid} and %{md5}, qmail, popa3d) hold no UID.
func formats(validity uint32) []*format {
	unbound := []*format{
		{base: 10},                // hMailServer, Cyrus with uidl_format: uidonly, Dovecot with %u
		{base: 10, before: "uid"}, // Courier's second form
	}
	if validity == 0 {
		return unbound
	}
	hex, decimal := fmt.Sprintf("%08x", validity), fmt.Sprint(validity)
	return append([]*format{
		{bound: true, base: 16, after: hex},                          // Dovecot, Cyrus with uidl_format: dovecot
		{bound: true, base: 16, before: hex},                         // UW, Panda
		{bound: true, base: 10, before: decimal + "."},               // Cyrus, Dovecot before 1.0
		{bound: true, base: 10, before: decimal + "-"},               // Cyrus with uidl_format: courier
		{bound: true, base: 10, before: "uid", after: "-" + decimal}, // Courier's third form
		{bound: true, base: 10, before: decimal},                     // Stalwart
	}, unbound...)
}

// uid gives the UID that a UIDL holds; 0: it is not of this format.
func (f *format) uid(uidl string) uint32 {
	digits, ok := strings.CutPrefix(strings.ToLower(uidl), f.before)
	if !ok {
		return 0
	}
	if digits, ok = strings.CutSuffix(digits, f.after); !ok {
		return 0
	}
	n, err := strconv.ParseUint(digits, f.base, 32)
	if err != nil || f.write(uint32(n)) != digits {
		return 0
	}
	return uint32(n)
}

func (f *format) write(uid uint32) string {
	if f.base == 16 {
		return fmt.Sprintf("%08x", uid)
	}
	return fmt.Sprint(uid)
}

func (f *format) learn(right bool) {
	if right {
		f.right++
	} else {
		f.wrong++
	}
}

func (f *format) proved() bool { return f.right >= proofs && f.wrong == 0 }
