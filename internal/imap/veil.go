package imap

import (
	"cmp"
	"slices"
	"strings"
)

// A veil hides our secrets in a server's words: there are servers that repeat what they do not understand.
type veil []string // the longest first: one may be part of another

// hide adds a secret in one of the forms in which it goes over the line.
func (v *veil) hide(secret string) {
	if secret != "" {
		*v = append(*v, secret)
		slices.SortFunc(*v, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	}
}

// over gives a text without secrets.
func (v veil) over(text string) string {
	for _, secret := range v {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}
