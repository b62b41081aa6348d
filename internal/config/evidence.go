package config

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/pop2imap/pop2imap/internal/rules"
	"github.com/pop2imap/pop2imap/sync"
)

// registerEvidence registers what says where flags, dates and folders are known from.
func (j *Job) registerEvidence(f *pflag.FlagSet) {
	f.Var(&j.Flags, "flags", "how flags are set: infer, seen or unseen (`MODE`)")
	f.Var(&j.SeenBefore, "seen-before", "messages older than `AGE` (30d) arrive as read")
	f.StringArrayVar(&j.FlagsFrom, "flags-from", nil, "where true flags and dates are, only to be read, repeatable: `SOURCE` is the imaps:// "+
		"URL of the same mailbox at the source, or the path of a Thunderbird profile, an mbox or a Maildir")
	f.BoolVar(&j.TrustHeaders, "trust-headers", false, "believe all that mail stores, clients and spam filters write into a header (Status, "+
		"X-Status, X-Keywords, X-Mozilla-Status, X-Spam-Flag ...) even where a sender could have written it")
	f.StringArrayVar(&j.Identities, "identity", nil, "own `ADDRESS`, repeatable: tells own mail. User names with an @ count too")
	j.Sent, j.Junk = "auto", "off"
	f.Var(&j.Sent, "sent", "where own sent mail goes: auto (the folder for that), off (as all mail), or a `FOLDER`")
	f.Var(&j.Junk, "junk", "where mail marked as spam goes: auto (the folder for that), a `FOLDER`, or off (as all mail, and not marked as $Junk)")
}

// checkEvidence validates what a flag alone could not see, and fills in what follows.
func (j *Job) checkEvidence() error {
	j.Twin = nil
	for _, source := range j.FlagsFrom {
		if err := j.witness(source); err != nil {
			return bad("flags-from", "%w", err)
		}
	}
	for _, address := range j.Identities {
		if !IsAddress(address) {
			return bad("identity", "not an address such as me@example.org")
		}
	}
	return nil
}

// IsURL says whether a value of --flags-from is the URL of the twin. Else it is a path.
func IsURL(source string) bool { return strings.Contains(source, "://") }

// witness takes one value of --flags-from.
func (j *Job) witness(source string) (err error) {
	if source == "" {
		return errors.New("it is empty")
	}
	if !IsURL(source) {
		return nil
	}
	if j.Twin != nil {
		return errors.New("a maildrop is one mailbox over IMAP: there can be one URL only")
	}
	twin := &End{Side: j.From.Side, URL: source, CA: j.From.CA, Pin: j.From.Pin}
	twin.Endpoint, err = ParseTo(source)
	j.Twin = twin
	return err
}

// A Filing says where mail of a kind goes: auto (the folder for it), off, or the name of a folder.
type Filing string

func (p *Filing) Set(text string) error {
	if text == "auto" || text == "off" {
		*p = Filing(text)
		return nil
	}
	if strings.Trim(text, "/") == "" {
		return errors.New("not auto, off, or the name of a folder")
	}
	name, err := folder(text)
	*p = Filing(name)
	return err
}

func (p *Filing) String() string { return string(*p) }
func (p *Filing) Type() string   { return "FOLDER" }

// IsAddress says whether text can be a mail address: it has a local part and a domain, and nothing that only a list has.
func IsAddress(text string) bool {
	at := strings.LastIndexByte(text, '@')
	return at > 0 && at < len(text)-1 && !strings.ContainsAny(text, " \t\r\n<>,;")
}

// Own gives the addresses of the account's user: those that were named, and user names that are addresses.
func (j *Job) Own() []string {
	list := append([]string{}, j.Identities...)
	for _, e := range []Endpoint{j.From.Endpoint, j.To.Endpoint} {
		if IsAddress(e.User) {
			list = append(list, e.User)
		}
	}
	return list
}

// Rules are those of the account; nil: there are none.
func (j *Job) Rules() *rules.Rules {
	if j.Account == nil {
		return nil
	}
	return j.Account.rules
}

// TwinSecret is where the password for the twin is. Without one of its own it is that of the maildrop, if user and host
// are the same: no other server ever gets that.
func (j *Job) TwinSecret() *Secret {
	s, e, from := &j.Twin.Secret, j.Twin.Endpoint, j.From.Endpoint
	if e.User == from.User && e.Host == from.Host && s.fromEnvironment() == "" {
		return &j.From.Secret
	}
	return s
}

// CheckWitnesses looks whether the files are there that --flags-from names.
func (j *Job) CheckWitnesses() error {
	var wrong []error
	for _, path := range j.FlagsFrom {
		if IsURL(path) {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			wrong = append(wrong, &sync.Error{Class: sync.Config, Err: fmt.Errorf("--flags-from: %w", err),
				Remedy: "name a Thunderbird profile, an mbox file, a Maildir, or a URL imaps://USER@HOST"})
		}
	}
	return errors.Join(wrong...)
}
