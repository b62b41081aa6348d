package message

import (
	"mime"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A signal is a field in which a mail store, a client or a filter keeps what it knows of a message.
type signal struct {
	field string // as it is commonly written
	read  func(r *reading, field, text string)
}

// The signals by the name of their field in lower case. docs/flags.md has a line for each.
var signals = map[string]signal{
	"status":                         {"Status", (*reading).status},
	"x-status":                       {"X-Status", (*reading).xStatus},
	"x-keywords":                     {"X-Keywords", (*reading).xKeywords},
	"x-imapbase":                     {"X-IMAPbase", (*reading).imapBase},
	"x-mozilla-status":               {"X-Mozilla-Status", (*reading).mozilla},
	"x-mozilla-status2":              {"X-Mozilla-Status2", (*reading).mozilla2},
	"x-mozilla-keys":                 {"X-Mozilla-Keys", (*reading).keywordList},
	"x-mozilla-draft-info":           {"X-Mozilla-Draft-Info", (*reading).draftInfo},
	"x-evolution":                    {"X-Evolution", (*reading).evolution},
	"x-gmail-labels":                 {"X-Gmail-Labels", (*reading).gmail},
	"x-label":                        {"X-Label", (*reading).label},
	"x-unsent":                       {"X-Unsent", (*reading).xUnsent},
	"disposition-notification-to":    {"Disposition-Notification-To", (*reading).asksReceipt},
	"return-receipt-to":              {"Return-Receipt-To", (*reading).asksReceipt},
	"x-confirm-reading-to":           {"X-Confirm-Reading-To", (*reading).asksReceipt},
	"x-spam-flag":                    {"X-Spam-Flag", (*reading).yesOrNo},
	"x-spam-status":                  {"X-Spam-Status", (*reading).yesOrNo},
	"x-spam":                         {"X-Spam", (*reading).yesOrNo},
	"x-bogosity":                     {"X-Bogosity", (*reading).yesOrNo},
	"x-dspam-result":                 {"X-DSPAM-Result", (*reading).yesOrNo},
	"x-spam-level":                   {"X-Spam-Level", (*reading).stars},
	"x-ms-exchange-organization-scl": {"X-MS-Exchange-Organization-SCL", (*reading).scl},
	"x-forefront-antispam-report":    {"X-Forefront-Antispam-Report", (*reading).forefront},
}

// status reads the Status of an mbox: R read, O old (not \Recent, which says nothing of reading), N new, U unread,
// r replied (mutt), D deleted.
func (r *reading) status(field, text string) {
	if strings.Trim(text, "RONUDr \t") != "" {
		r.garbled(field)
		return
	}
	for _, letter := range text {
		switch letter {
		case 'R':
			r.flag(`\Seen`, field+": R")
		case 'D':
			r.deleted(field + ": D")
		}
	}
	if r.believed && strings.ContainsAny(text, "ONU") && !strings.ContainsAny(text, "Rr") {
		r.unread = field
	}
}

// xStatus reads the X-Status of an mbox. KMail has more letters there and means others by F and T (forwarded, has an
// attachment).
func (r *reading) xStatus(field, text string) {
	if strings.Trim(text, "AFTD \t") != "" {
		r.garbled(field)
		return
	}
	for _, letter := range text {
		switch letter {
		case 'A':
			r.flag(`\Answered`, field+": A")
		case 'F':
			r.flag(`\Flagged`, field+": F")
		case 'T':
			r.flag(`\Draft`, field+": T")
		case 'D':
			r.deleted(field + ": D")
		}
	}
}

// A bit of a number stands for a flag.
type bit struct {
	mask uint64
	flag string
}

func (r *reading) bits(field, width string, value uint64, bits []bit) {
	for _, b := range bits {
		if value&b.mask == b.mask {
			r.flag(b.flag, field+": "+hexadecimal(b.mask, width))
		}
	}
}

// hexadecimal writes a number as wide as the zeros.
func hexadecimal(value uint64, zeros string) string {
	digits := strconv.FormatUint(value, 16)
	return zeros[:max(0, len(zeros)-len(digits))] + digits
}

// mozilla reads the low half of Thunderbird's flags (nsMsgMessageFlags.idl).
func (r *reading) mozilla(field, text string) {
	value, err := strconv.ParseUint(text, 16, 16)
	if err != nil || len(text) != 4 {
		r.garbled(field)
		return
	}
	r.bits(field, "0000", value, []bit{{1, `\Seen`}, {2, `\Answered`}, {4, `\Flagged`}, {0x1000, "$Forwarded"}})
	if value&8 != 0 {
		r.deleted(field + ": 0008")
	}
	if r.believed && value&1 == 0 {
		r.unread = field
	}
	if r.believed && value&0x800 != 0 {
		r.unsent = field + ": 0800"
	}
}

// mozilla2 reads the high half of them. Three bits are the number of a label, from before labels were keywords.
func (r *reading) mozilla2(field, text string) {
	value, err := strconv.ParseUint(text, 16, 32)
	if err != nil || len(text) != 8 {
		r.garbled(field)
		return
	}
	const zeros = "00000000"
	r.bits(field, zeros, value, []bit{{0x800000, "$MDNSent"}, {0x40000, "$muted"}})
	if n := value >> 25 & 7; n >= 1 && n <= 5 {
		r.flag("$label"+strconv.FormatUint(n, 10), field+": "+hexadecimal(n<<25, zeros))
	}
}

func (r *reading) draftInfo(field, text string) {
	if strings.HasPrefix(strings.ToLower(text), "internal/draft") {
		r.flag(`\Draft`, field)
	}
}

func (r *reading) xUnsent(field, text string) {
	if text == "1" {
		r.flag(`\Draft`, field+": 1")
	}
}

// A uid, the flags as a number, and perhaps the keywords (EDS, camel-local-summary.c).
var evolution = regexp.MustCompile(`^[0-9a-f]{8}-([0-9a-f]{4,8})(?:; *(.*))?$`)

// evolution reads the flags of Evolution (camel-message-info.h).
func (r *reading) evolution(field, text string) {
	parts := evolution.FindStringSubmatch(text)
	if parts == nil {
		r.garbled(field)
		return
	}
	value, _ := strconv.ParseUint(parts[1], 16, 32) // the form says that it is one
	r.bits(field, "0000", value, []bit{{1, `\Answered`}, {4, `\Draft`}, {8, `\Flagged`}, {0x10, `\Seen`},
		{0x40, `\Answered`}, {0x400, "$Forwarded"}})
	if value&2 != 0 {
		r.deleted(field + ": 0002")
	}
	if value&0x80 != 0 {
		r.keyword("$Junk", field+": 0080")
	}
	if value&0x200 != 0 {
		r.keyword("$NotJunk", field+": 0200")
	}
	if r.believed && value&0x10 == 0 {
		r.unread = field
	}
	for _, part := range strings.Split(parts[2], ";") {
		if list, ok := strings.CutPrefix(strings.TrimSpace(part), "flags="); ok {
			r.keywordList(field, list)
		}
	}
}

// What Google calls its own labels in English.
var gmailLabels = []string{"inbox", "unread", "opened", "starred", "sent", "important", "draft", "drafts", "spam", "trash",
	"archived"}

// gmail reads the labels of an mbox that Google Takeout wrote. There what is not Unread was read; but that label has
// another name in each language, so that English must be certain: by a label that only English has, or since no other
// label is there.
func (r *reading) gmail(field, text string) {
	labels := gmailList(text)
	english := len(labels) > 0
	for _, label := range labels {
		lower := strings.ToLower(label)
		ours := slices.Contains(gmailLabels, lower)
		english = english && (ours || strings.HasPrefix(lower, "category "))
		switch lower {
		case "starred":
			r.flag(`\Flagged`, field+": Starred")
		case "important":
			r.flag("$Important", field+": Important")
		case "draft", "drafts":
			r.flag(`\Draft`, field+": Draft")
		case "spam":
			r.keyword("$Junk", field+": Spam")
		case "trash":
			r.deleted(field + ": Trash")
		default:
			if !ours && !strings.HasPrefix(lower, "category ") {
				r.keyword(label, field)
			}
		}
	}
	has := func(name string) bool {
		return slices.ContainsFunc(labels, func(l string) bool { return strings.EqualFold(l, name) })
	}
	switch {
	case has("unread") && r.believed:
		r.unread = field
	case !has("unread") && (english || has("archived") || has("opened") || has("sent")):
		r.flag(`\Seen`, field+": not Unread")
	}
	if has("sent") && r.believed && r.own.labelled == "" {
		r.own.labelled = field + ": Sent"
	}
}

func gmailList(text string) (labels []string) {
	if decoded, err := new(mime.WordDecoder).DecodeHeader(text); err == nil {
		text = decoded
	}
	for _, label := range strings.Split(text, ",") {
		if label = strings.Trim(label, `" `); label != "" {
			labels = append(labels, label)
		}
	}
	return labels
}

// asksReceipt notes who asks for a receipt (RFC 8098 §2.1). The sender does; so it is believed like all else, and a
// sender sets no flag by it.
func (r *reading) asksReceipt(field, text string) {
	switch {
	case text == "":
	case r.believed:
		r.receipt = field
	default:
		r.doubt("$MDNSent", field, senders)
	}
}
