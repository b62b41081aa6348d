package main

import (
	"regexp"
	"slices"

	"github.com/pop2imap/pop2imap/state"
)

// Without a config file an account is called by its user at the maildrop. Two of them may have the same: at two hosts, or one
// maildrop that goes into two folders.

// A form is a way to call such an account.
type form func(*state.Account) string

// forms are in the order of preference. By the last, no two accounts are alike.
var forms = []form{
	func(a *state.Account) string { return a.Name },
	func(a *state.Account) string { return a.Key.From },
	func(a *state.Account) string { return a.Name + "/" + folderOf(a) },
	func(a *state.Account) string { return a.Key.From + "/" + folderOf(a) },
	func(a *state.Account) string { return a.Key.From + "->" + a.Key.To },
}

// behindHost finds the folder: a user may hold an @, a host neither that nor a slash.
var behindHost = regexp.MustCompile(`@[^@/]+/(.*)$`)

func folderOf(a *state.Account) string {
	if m := behindHost.FindStringSubmatch(a.Key.To); m != nil {
		return m[1]
	}
	return a.Key.To
}

// apart calls no two accounts alike: all of one name by the first form that tells them apart. Those of the config file keep
// their names.
func apart(all []remembered) []remembered {
	names := make([]string, len(all))
	for i, a := range all {
		names[i] = a.Name
		if a.called == "" {
			continue
		}
		for _, f := range forms {
			if tells(f, a.called, all) {
				names[i] = f(a.Account)
				break
			}
		}
	}
	for i := range all {
		all[i].Name = names[i]
	}
	return all
}

// tells says whether a form leaves no two alike if those that are called so have it.
func tells(f form, called string, all []remembered) bool {
	var names, of []string
	for _, a := range all {
		if a.called == called {
			of = append(of, f(a.Account))
		} else {
			names = append(names, a.Name)
		}
	}
	for i, name := range of {
		if slices.Contains(names, name) || slices.Contains(of[:i], name) {
			return false
		}
	}
	return true
}
