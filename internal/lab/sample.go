package lab

import (
	"cmp"
	"slices"
)

// Sample gives the maildrop of alice@example.org, for the demo: some three dozen messages from 1998 to 2025 in the
// order of their arrival, always the same. They are as various as mail is: threads, lists, enclosures, many charsets,
// traces of the clients that once had them, and much that no standard allows but every maildrop holds. Two of them are
// the same message. People and hosts are those that RFC 2606 sets apart. The slice and the octets are the caller's.
func Sample() []Mail {
	letters := slices.Concat(private(), lists(), enclosures(), alphabets(), marked(), oddities(), misshapen())
	slices.SortStableFunc(letters, func(a, b letter) int { return cmp.Compare(a.at.Unix(), b.at.Unix()) })
	mail := make([]Mail, 0, len(letters))
	for i, l := range letters {
		mail = append(mail, Mail{UIDL: l.uidl(i + 1), Raw: l.raw()})
	}
	return mail
}
