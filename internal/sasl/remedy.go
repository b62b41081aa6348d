package sasl

import (
	"fmt"
	"strings"
)

// Remedy says what the user can do where a server at host refused a login by a mechanism, with the words that it said. side is
// "from" or "to".
func Remedy(host, mechanism, side, said string) string {
	mechanism = strings.ToLower(mechanism)
	another := fmt.Sprintf("tried %s, ?auth=… in --%s takes another way", mechanism, side)
	token := mechanism == "xoauth2" || mechanism == "oauthbearer"
	switch provider := providerOf(host, said); {
	case token && provider != "":
		return "the token may be too old, another user's, or not for mail: pop2imap help " + provider
	case token:
		return "the token may be too old, another user's, or not for mail; " + another
	case provider == "microsoft365":
		return "Microsoft 365 takes OAuth only: pop2imap help microsoft365"
	case provider == "gmail":
		return "Gmail takes an app password or OAuth, and not the account's own password: pop2imap help gmail"
	}
	return "check user name and password; some providers want an app password; " + another
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
