package sasl

import (
	"fmt"
	"strings"

	"github.com/pop2imap/pop2imap/sync"
)

// Refused says of an error of a login by a mechanism where that was, as whom, and what the user can do: side is "from" or "to".
func Refused(e *sync.Error, host, user, mechanism, side string) error {
	mechanism = strings.ToLower(mechanism)
	switch {
	case e.Remedy != "":
	case e.Class == sync.Login:
		e.Remedy = remedy(host, mechanism, side, e.Server)
	case e.Class != sync.Temporary: // that passes, and another way would not help
		e.Remedy = another(mechanism, side)
	}
	if e.Class == sync.Login && e.Server != "" { // which says the rest
		refused := *e
		refused.Err = fmt.Errorf("cannot log in to %s as %s", host, user)
		return &refused
	}
	return sync.Doing(e, "cannot log in to %s as %s", host, user)
}

func another(mechanism, side string) string {
	return fmt.Sprintf("tried with ?auth=%s; --%s can name another way", mechanism, side)
}

// remedy is for a login that a server at host refused with the words that it said.
func remedy(host, mechanism, side, said string) string {
	token := mechanism == "xoauth2" || mechanism == "oauthbearer"
	switch provider := providerOf(host, said); {
	case token && provider != "":
		return "the token may be too old, another user's, or not for mail: pop2imap help " + provider
	case token:
		return "the token may be too old, another user's, or not for mail; " + another(mechanism, side)
	case provider == "microsoft365":
		return "Microsoft 365 takes OAuth only: pop2imap help microsoft365"
	case provider == "gmail":
		return "Gmail takes an app password or OAuth, and not the account's own password: pop2imap help gmail"
	}
	return "check user name and password; some providers want an app password; " + another(mechanism, side)
}

// providerOf names the topic of the help that is about a server, or nothing.
func providerOf(host, said string) string {
	host = "." + strings.TrimSuffix(strings.ToLower(host), ".")
	within := func(domains ...string) bool {
		for _, domain := range domains {
			if strings.HasSuffix(host, "."+domain) {
				return true
			}
		}
		return false
	}
	switch {
	case within("office365.com", "outlook.com", "hotmail.com"), strings.Contains(strings.ToLower(said), "basic authentication is disabled"):
		return "microsoft365"
	case within("gmail.com", "googlemail.com"):
		return "gmail"
	}
	return ""
}
