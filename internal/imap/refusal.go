package imap

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/sync"
)

const later = "the server is busy or wants less at a time: run it again later"

// codes are the response codes that say what a refusal is about (RFC 9051 §7.1, RFC 5530). What others mean depends on
// the command: ALERT is for any, and Gmail has it with a wrong password too.
var codes = map[string]struct {
	class  sync.Class
	remedy string
}{
	"UNAVAILABLE":   {sync.Temporary, later},
	"INUSE":         {sync.Temporary, later},
	"LIMIT":         {sync.Temporary, later},
	"EXPUNGEISSUED": {sync.Temporary, later},
	"SERVERBUG":     {sync.Temporary, ""},
	"CORRUPTION":    {sync.Temporary, ""},
	"OVERQUOTA": {sync.Full,
		"make room in the account, or have its quota raised, and run it again; what waits stays at the source"},
	"AUTHENTICATIONFAILED": {sync.Login, ""},
	"AUTHORIZATIONFAILED":  {sync.Login, ""},
	"EXPIRED":              {sync.Login, ""},
	"CONTACTADMIN":         {sync.Login, ""},
	"PRIVACYREQUIRED":      {sync.Unavailable, "the server wants TLS: use imaps:// or imap://"},
	"TRYCREATE":            {sync.Missing, ""},
	"NONEXISTENT":          {sync.Missing, ""},
	"NOPERM":               {sync.Unavailable, "the account may not write to that folder: choose another with --folder"},
}

// refusal makes the error for a NO, BAD or BYE. The response code in front of the text gives the class; without one that
// we know, otherwise does.
func refusal(otherwise sync.Class, status, text string) *sync.Error {
	code, _, _ := splitCode(text)
	e := &sync.Error{Class: otherwise, Code: code, Server: sync.Clean(status + " " + text),
		Err: errors.New("the server refused")}
	known, ok := codes[code]
	switch {
	case (!ok || code == "OVERQUOTA") && throttled.MatchString(text): // Gmail says OVERQUOTA then
		e.Class, e.Remedy = sync.Temporary, later
	case code == "LIMIT" && otherwise == sync.Refused && oversized.MatchString(text):
	case ok:
		e.Class, e.Remedy = known.class, known.remedy
	}
	if m := backoff.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		e.Pause = time.Duration(n) * time.Millisecond
	}
	return e
}

// What servers say that want less at a time, of us or of all connections of the account, and have no code for it. It is
// neither the message nor the password.
var (
	throttled = regexp.MustCompile(`(?i)\bthrottled\b|\bSuggested Backoff Time\b|\btoo many (simultaneous )?connections\b` +
		`|\bmaximum number of connections\b|\bbandwidth limits?\b`)
	backoff = regexp.MustCompile(`(?i)\bSuggested Backoff Time: ([0-9]{1,9}) milliseconds`) // Microsoft
)

// oversized finds what Dovecot says of a message alone that is larger than its quota_max_mail_size. To wait would be for ever.
var oversized = regexp.MustCompile(`(?i)\b(message|mail) size\b|\btoo (large|big)\b|\blarger than\b`)

// aboutDate finds what servers say of an INTERNALDATE that they do not take: "Invalid date-time in Append command" (Cyrus,
// of one before 1970).
var aboutDate = regexp.MustCompile(`(?i)\b(internal)?date(-?time)?\b`)

// statusCode is what RFC 9051 §9 has in front of a status text: what is in brackets but no such code is text.
var statusCode = regexp.MustCompile(`^\[([!#$&'+-\[^-z|}~]{1,80})(?: ([^\]]*))?\] ?`)

// splitCode takes the response code off a status text: "[APPENDUID 1 2] done" gives "APPENDUID", "1 2", "done".
func splitCode(text string) (code, arg, rest string) {
	m := statusCode.FindStringSubmatch(text)
	if m == nil {
		return "", "", text
	}
	return strings.ToUpper(m[1]), m[2], strings.TrimSpace(text[len(m[0]):])
}
