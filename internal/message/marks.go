package message

import (
	"mime"
	"regexp"
	"slices"
	"strings"
)

var (
	identifier = regexp.MustCompile(`<[^<>\s]{1,996}>`)

	// How a forwarded message's subject begins: English, German (WG), French (TR), Italian (I), Spanish (RV).
	forwarded = regexp.MustCompile(`(?i)^\[?(?:fwd?|wg|tr|i|rv) ?:`)
)

// marks are what an own message says of others: a confirmation (RFC 8098), a forward, a reply. What a machine sent in
// the user's name, as a vacation notice, says nothing of what he did.
func (r *reading) marks() []Mark {
	text := r.own.text
	kind := strings.ToLower(text["content-type"])
	parent, why := r.parent()
	switch {
	case strings.HasPrefix(kind, "multipart/report") && strings.Contains(kind, "disposition-notification"):
		return mark(parent, why+" of a confirmation", "$MDNSent")
	case r.tells.Auto != "":
		return nil
	case identifiers(text["x-forwarded-message-id"]) != nil:
		return mark(identifiers(text["x-forwarded-message-id"]), "X-Forwarded-Message-Id", "$Forwarded")
	case forwarded.MatchString(plainSubject(text["subject"])):
		return mark(parent, why+" of a forward", "$Forwarded")
	}
	return mark(parent, why, `\Answered`, `\Seen`)
}

func mark(ids []string, why string, flags ...string) (list []Mark) {
	for _, id := range ids {
		list = append(list, Mark{ID: id, Flags: flags, Why: why})
	}
	return list
}

// parent is what the message is a reply to: In-Reply-To, else the last of References (RFC 5322 §3.6.4).
func (r *reading) parent() (ids []string, why string) {
	if ids = identifiers(r.own.text["in-reply-to"]); ids != nil {
		return ids, "In-Reply-To"
	}
	ids = identifier.FindAllString(r.own.text["references"], -1)
	return ids[max(0, len(ids)-1):], "References"
}

// identifiers are the Message-IDs in a text, each once. Other words beside them are passed over: old programs wrote
// sentences there (RFC 5322 §4.5.4).
func identifiers(text string) (ids []string) {
	for _, id := range identifier.FindAllString(text, maxMarks) {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// plainSubject decodes the beginning of a subject. What cannot be decoded stays as it is.
func plainSubject(text string) string {
	text = text[:min(len(text), maxName)]
	if decoded, err := new(mime.WordDecoder).DecodeHeader(text); err == nil {
		return strings.TrimSpace(decoded)
	}
	return text
}

// list tells mail of mailing lists and machines. Anybody can write these fields, and so they only ever take away: what
// has them marks nothing.
func (r *reading) list() {
	text := r.own.text
	r.tells.List = listID(text["list-id"])
	auto, _, _ := strings.Cut(strings.ToLower(text["auto-submitted"]), ";")
	precedence := strings.ToLower(text["precedence"])
	switch auto = strings.TrimSpace(auto); {
	case auto == "auto-generated", auto == "auto-replied", auto == "auto-notified":
		r.tells.Auto = "Auto-Submitted: " + auto
	case auto != "" && auto != "no": // RFC 3834 §5: other words may come
		r.tells.Auto = "Auto-Submitted"
	case text["list-id"] != "":
		r.tells.Auto = "List-Id"
	case precedence == "bulk", precedence == "list", precedence == "junk":
		r.tells.Auto = "Precedence: " + precedence
	case text["list-post"] != "":
		r.tells.Auto = "List-Post"
	case text["list-unsubscribe"] != "":
		r.tells.Auto = "List-Unsubscribe"
	}
}

const maxListID = 255 // octets (RFC 2919 §2)

// listID is the identifier in a List-Id field (RFC 2919 §3): what stands in <>, or all of it where there is none.
func listID(text string) string {
	if open := strings.LastIndexByte(text, '<'); open >= 0 {
		text, _, _ = strings.Cut(text[open+1:], ">")
	}
	text = strings.TrimSpace(text)
	for _, c := range []byte(text) {
		if c < ' ' || c >= 0x7f {
			return ""
		}
	}
	return text[:min(len(text), maxListID)]
}
