package pop3

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/sync"
)

// responseCode is what RFC 2449 §8 has in front of the text of a reply: what is in brackets but no such code is text.
var responseCode = regexp.MustCompile(`^\[([\x21-\x5c\x5e-\x7e]{1,80})\]`)

// codes are the response codes that say what a refusal is about (RFC 2449 §8, RFC 3206). One that is not known is
// treated as the one that it begins with, up to a "/".
var codes = map[string]struct {
	class  sync.Class
	what   string // of a login; "": nothing better than that it was refused
	remedy string
}{
	"IN-USE": {sync.Temporary, "the maildrop is in use",
		"another program has the maildrop open; it works again when that one is done (or after ten minutes)"},
	"LOGIN-DELAY": {sync.Temporary, "it is too early after the last login", "the server wants a pause between two logins: run less often"},
	"SYS/TEMP":    {sync.Temporary, "", ""},
	"SYS/PERM":    {sync.Unavailable, "", "the server will not serve this account until someone mends it there"},
	"AUTH":        {sync.Login, "", ""},
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
			if otherwise == sync.Login && c.what != "" {
				e.Err = errors.New(c.what)
			}
			if known == "LOGIN-DELAY" {
				e.Pause = cmp.Or(pauseIn(text), s.caps.loginDelay())
			}
			break
		}
	}
	return e
}

// pauseMax is the longest pause that is believed.
const pauseMax = 24 * time.Hour

// pause is how servers say how long: Cyrus writes "at least 10 minutes apart".
var pause = regexp.MustCompile(`\b(\d{1,6}) ?(minutes?|mins?|seconds?|secs?|s)\b`)

// pauseIn finds in the text of a refusal how long to wait; 0: it does not say.
func pauseIn(text string) time.Duration {
	m := pause.FindStringSubmatch(strings.ToLower(text))
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1]) // six digits at the most
	d := time.Duration(n) * time.Second
	if strings.HasPrefix(m[2], "m") {
		d *= 60
	}
	if d > pauseMax {
		return 0
	}
	return d
}

// busy is what servers without response codes say when the password is right, and the maildrop not to be had just now:
// hMailServer, RFC 1939 §4's own example, UW, qpopper, Cyrus.
var busy = regexp.MustCompile(`(mailbox|maildrop) (is )?already locked|(mailbox|maildrop) (is )?in use|` +
	`unable to lock (mailbox|maildrop)|lock busy|too many (open |simultaneous )?connections`)

// blame is what they say of a user or a password. An account that is locked for that is locked longer by another try.
var blame = regexp.MustCompile(`passw|credential|login|auth|account|fail|invalid|incorrect|wrong|denied|disabled|attempt`)

// denial makes the error for a login that was refused: without a response code it is about user and password, unless
// the text clearly says something else.
func (s *Session) denial(text string) *sync.Error {
	e := s.refusal(text, sync.Login, "login refused")
	words := strings.ToLower(text)
	if user := strings.ToLower(s.login.User); user != "" {
		words = strings.ReplaceAll(words, user, "") // it may be called anything
	}
	if e.Code == "" && busy.MatchString(words) && !blame.MatchString(words) {
		e.Class, e.Err, e.Remedy = sync.Temporary, errors.New("the maildrop cannot be had just now"), codes["IN-USE"].remedy
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
