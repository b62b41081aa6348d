package client

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pop2imap/pop2imap/internal/message"
)

// verdict is what the notes in a message of an mbox say, nil if nothing.
func (n notes) verdict(b *base) *verdict {
	if v := n.mozilla(); v != nil {
		return v
	}
	if v := n.evolution(); v != nil && !b.server {
		return v
	}
	return n.status(b)
}

// set adds a flag, once.
func (v *verdict) set(name, why string) {
	if !slices.ContainsFunc(v.flags, func(f message.Flag) bool { return f.Name == name }) {
		v.flags = append(v.flags, message.Flag{Name: name, Why: why})
	}
}

// A bit stands for a flag.
type bit struct {
	mask uint64
	flag string
}

// The bits of X-Mozilla-Status and, shifted, of X-Mozilla-Status2 (nsMsgMessageFlags.idl). Among those that say
// nothing here: 0400, only a part of the body was downloaded.
var mozillaBits = []bit{
	{0x0001, `\Seen`}, {0x0002, `\Answered`}, {0x0004, `\Flagged`}, {0x1000, "$Forwarded"},
	{0x00040000, "$muted"}, {0x00800000, "$MDNSent"},
}

const mozillaExpunged = 0x0008 // deleted or moved; it is in the file until that is compacted

// mozilla reads what Thunderbird wrote, nil if it wrote nothing: four hex digits, eight of which the upper four
// count, and keywords padded with blanks.
func (n notes) mozilla() *verdict {
	status := n.text["x-mozilla-status"]
	low, err := strconv.ParseUint(status, 16, 16)
	if err != nil || len(status) != 4 {
		return nil
	}
	status2 := n.text["x-mozilla-status2"]
	high, err := strconv.ParseUint(status2, 16, 32)
	if err != nil || len(status2) != 8 {
		high = 0
	}
	v := &verdict{whole: true}
	for _, b := range mozillaBits {
		switch {
		case b.mask&low != 0:
			v.set(b.flag, "X-Mozilla-Status: "+status)
		case b.mask&high&^0xffff != 0:
			v.set(b.flag, "X-Mozilla-Status2: "+status2)
		}
	}
	if label := high >> 25 & 7; label >= 1 && label <= 5 { // before there were keywords
		v.set("$label"+strconv.FormatUint(label, 10), "X-Mozilla-Status2: "+status2)
	}
	v.keywords(strings.Fields(n.text["x-mozilla-keys"]), "X-Mozilla-Keys")
	if low&mozillaExpunged != 0 {
		v.deleted = "X-Mozilla-Status: " + status
	}
	return v
}

// The bits of X-Evolution (camel-message-info.h).
var evolutionBits = []bit{
	{0x1, `\Answered`}, {0x4, `\Draft`}, {0x8, `\Flagged`}, {0x10, `\Seen`}, {0x40, `\Answered`}, {0x80, "$Junk"},
	{0x200, "$NotJunk"}, {0x400, "$Forwarded"},
}

const evolutionDeleted = 0x2

// uid-flags in hex, and perhaps "; flags=keyword,…; tags=…".
var evolutionForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4})(?:$|;)`)

// evolution reads what Evolution wrote, nil if it wrote nothing.
func (n notes) evolution() *verdict {
	text := n.text["x-evolution"]
	parts := evolutionForm.FindStringSubmatch(text)
	if parts == nil {
		return nil
	}
	bits, _ := strconv.ParseUint(parts[1], 16, 16)
	v := &verdict{whole: true}
	why := "X-Evolution: " + parts[1]
	for _, b := range evolutionBits {
		if b.mask&bits != 0 {
			v.set(b.flag, why)
		}
	}
	for part := range strings.SplitSeq(text, ";") {
		if words, ok := strings.CutPrefix(strings.TrimSpace(part), "flags="); ok {
			v.keywords(strings.Split(words, ","), "X-Evolution")
		}
	}
	if bits&evolutionDeleted != 0 {
		v.deleted = why
	}
	return v
}

// The letters of Status and X-Status. Another letter says that the field is something else.
var (
	statusForm  = regexp.MustCompile(`^[RONUDr ]*$`)
	xStatusForm = regexp.MustCompile(`^[AFTD ]*$`)
	statusFlags = map[rune]string{'R': `\Seen`, 'A': `\Answered`, 'F': `\Flagged`, 'T': `\Draft`}
)

// status reads what mail servers, mutt and Pine wrote, nil if they wrote nothing. Without Status all that is known is
// what is set, unless the server writes X-UID as well: it leaves out what is empty.
func (n notes) status(b *base) *verdict {
	status, whole := n.text["status"]
	if b.server {
		if whole = b.written(n.text["x-uid"]); !whole {
			return nil
		}
	}
	if !statusForm.MatchString(status) {
		status, whole = "", b.server
	}
	v := &verdict{whole: whole}
	v.letters("Status", status)
	if x := n.text["x-status"]; xStatusForm.MatchString(x) {
		v.letters("X-Status", x)
	}
	if b.server {
		words := strings.Fields(n.text["x-keywords"])
		v.keywords(slices.DeleteFunc(words, func(k string) bool { return !b.keywords[k] }), "X-Keywords")
	}
	if !v.whole && len(v.flags) == 0 && v.deleted == "" {
		return nil
	}
	return v
}

func (v *verdict) letters(field, text string) {
	for _, letter := range text {
		if flag := statusFlags[letter]; flag != "" {
			v.set(flag, field+": "+string(letter))
		}
		if letter == 'D' {
			v.deleted = field + ": D"
		}
	}
}

// A keyword is an atom (RFC 9051 §9, flag-keyword). So none is a system flag.
var keyword = regexp.MustCompile(`^[^\x00-\x20\x7f-\x{10ffff}(){%*"\\\]]{1,100}$`)

const maxKeywords = 50 // of one message

// What clients call keywords that are registered (RFC 8457, RFC 5550), in lower case.
var registered = map[string]string{
	"junk": "$Junk", "$junk": "$Junk", "nonjunk": "$NotJunk", "notjunk": "$NotJunk", "$notjunk": "$NotJunk",
	"forwarded": "$Forwarded", "$forwarded": "$Forwarded", "$mdnsent": "$MDNSent",
}

// keywords adds those that IMAP can hold.
func (v *verdict) keywords(words []string, why string) {
	for _, word := range words[:min(len(words), maxKeywords)] {
		if name := registered[strings.ToLower(word)]; name != "" {
			word = name
		}
		if keyword.MatchString(word) {
			v.set(word, why)
		}
	}
}
