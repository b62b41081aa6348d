package message

import (
	"bytes"
	"mime"
)

// Enclosed gives what the parts of an own message say of others: an attached message was forwarded (RFC 2046 §5.2.1), and a
// confirmation names in a part of its own what it confirms (RFC 8098 §3.2.5). body is what follows the header, line ends
// CRLF, or the beginning of that. What is in an attached message says nothing.
func Enclosed(header, body []byte) (list []Mark) {
	whole, params := kindOf(header)
	if params["boundary"] == "" {
		return nil
	}
	body = append([]byte("\r\n"), body...)
	for i, part := range bytes.Split(body, []byte("\r\n--"+params["boundary"])) {
		rest, part, found := bytes.Cut(part, []byte("\r\n"))
		if i == 0 || !found || len(bytes.Trim(rest, blanks)) > 0 { // no part, or the boundary of another message
			continue
		}
		head := Split(part)
		inner := Split(part[len(head):])
		switch kind, _ := kindOf(head); {
		case kind == "message/rfc822" && whole != "multipart/report": // there it is what the report is about
			list = append(list, mark(identifiers(ID(inner)), "an attached message", "$Forwarded")...)
		case kind == "message/disposition-notification":
			list = append(list, mark(identifiers(first(inner, "original-message-id")), "Original-Message-ID", "$MDNSent")...)
		}
		if len(list) >= maxMarks {
			return list[:maxMarks]
		}
	}
	return list
}

// kindOf is what a header says of the body, "" if it says nothing.
func kindOf(header []byte) (kind string, params map[string]string) {
	kind, params, _ = mime.ParseMediaType(first(header, "content-type")) // what cannot be read is no kind
	return kind, params
}

// first is the text of the topmost field of a name.
func first(header []byte, name string) string {
	for f := range Fields(header) {
		if f.Name == name {
			return f.Text()
		}
	}
	return ""
}
