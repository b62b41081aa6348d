package pop3

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pop2imap/pop2imap/sync"
)

// responseCode is what RFC 2449 §8 has in front of the text of a reply: what is in brackets but no such code is text.
var responseCode = regexp.MustCompile(`^\[([\x21-\x5c\x5e-\x7e]{1,80})\]`)

// codes are the response codes that say what a refusal is about (RFC 2449 §8, RFC 3206). One that is not known is
// treated as the one that it begins with, up to a "/".
var codes = map[string]struct {
	class  sync.Class
	remedy string
}{
	"IN-USE": {sync.Temporary,
		"another program has the maildrop open; it works again when that one is done (or after ten minutes)"},
	"LOGIN-DELAY": {sync.Temporary, "the server wants a pause between two logins: run less often"},
	"SYS/TEMP":    {sync.Temporary, ""},
	"SYS/PERM":    {sync.Unavailable, "the server will not serve this account until someone mends it there"},
	"AUTH":        {sync.Login, ""},
}

// refusal makes the error for a -ERR. The response code gives the class, otherwise is does.
func (s *Session) refusal(text string, otherwise sync.Class, format string, args ...any) *sync.Error {
	e := &sync.Error{Class: otherwise, Err: fmt.Errorf(format, args...)}
	e.Server = sync.Clean("-ERR " + s.link.masked(text))
	m := responseCode.FindStringSubmatch(text)
	if m == nil {
		return e
	}
	e.Code = strings.ToUpper(m[1])
	for known, ok := e.Code, true; ok; known, ok = parent(known) {
		if c, found := codes[known]; found {
			e.Class, e.Remedy = c.class, c.remedy
			break
		}
	}
	return e
}

// parent cuts the last level off a response code.
func parent(code string) (string, bool) {
	at := strings.LastIndexByte(code, '/')
	if at < 0 {
		return "", false
	}
	return code[:at], true
}
