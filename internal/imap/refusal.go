package imap

import (
	"errors"
	"strings"

	"github.com/pop2imap/pop2imap/sync"
)

// refusal makes the error for a NO, BAD or BYE. The response code (RFC 9051 §7.1, RFC 5530) gives the class;
// without one that we know, otherwise does.
func refusal(otherwise sync.Class, status, code, text string) *sync.Error {
	words := status + " " + text
	if code != "" {
		words = status + " [" + code + "] " + text
	}
	e := &sync.Error{Class: otherwise, Code: strings.ToUpper(code), Server: sync.Clean(words),
		Err: errors.New("the server refused")}
	switch e.Code {
	case "UNAVAILABLE", "INUSE", "LIMIT", "EXPUNGEISSUED":
		e.Class = sync.Temporary
		e.Remedy = "the server is busy or wants less at a time: run it again later"
	case "SERVERBUG", "CORRUPTION":
		e.Class = sync.Temporary
	case "OVERQUOTA":
		e.Class = sync.Full
		e.Remedy = "make room in the account, or have its quota raised, and run it again; what waits stays at the source"
	case "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED", "CONTACTADMIN":
		e.Class = sync.Login
	case "TRYCREATE", "NONEXISTENT":
		e.Class = sync.Missing
	case "NOPERM":
		e.Class = sync.Unavailable
		e.Remedy = "the account may not write to that folder: choose another with --folder"
	}
	return e
}

// splitCode takes the response code off a status text: "[APPENDUID 1 2] done" gives "APPENDUID", "1 2", "done".
func splitCode(text string) (code, arg, rest string) {
	inner, rest, ok := strings.Cut(text, "]")
	if !ok || !strings.HasPrefix(inner, "[") {
		return "", "", text
	}
	code, arg, _ = strings.Cut(inner[1:], " ")
	return strings.ToUpper(code), arg, strings.TrimSpace(rest)
}
