package page

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/pop2imap/pop2imap/internal/units"
	"github.com/pop2imap/pop2imap/sync"
)

// host is the name of the server in a key of the state, as far as it can be told.
func host(place string) string {
	place, _, _ = strings.Cut(place, "/")
	return place[strings.LastIndex(place, "@")+1:]
}

// sentences say how far an account is.
func (a Account) sentences() (list []string) {
	o := a.Overview
	all := 0
	for _, p := range a.pieces() {
		all += p.n
	}
	there := host(a.To)
	switch n := o.All.Messages; {
	case all == 0 && !a.through():
		return []string{"No message was moved yet."}
	case all == 0:
		return []string{"There was no message to move."}
	case n == all && !a.through():
		list = append(list, fmt.Sprintf("%s %s at %s.", units.Plural(n, "message"), is(n), there))
	case n == all && n == 1:
		list = append(list, fmt.Sprintf("The only message is at %s.", there))
	case n == all:
		list = append(list, fmt.Sprintf("All %s are at %s.", units.Plural(all, "message"), there))
	default:
		list = append(list, fmt.Sprintf("%s of %s are at %s.", comma(n), units.Plural(all, "message"), there))
	}
	list = append(list, a.proved()...)
	for _, s := range []struct {
		n    int
		what string
	}{
		{o.Deleted, "deleted at the source since"},
		{o.Refused, "refused"},
		{o.Missing, "said to be stored, and not found there"},
		{o.Intents, "under way, or the reply was lost"},
		{a.waiting(), "waiting when the last run ended"},
	} {
		if s.n > 0 {
			list = append(list, fmt.Sprintf("%s %s %s.", comma(s.n), was(s.n), s.what))
		}
	}
	return list
}

// through says whether the last run got so far that it knew of all messages: only then may the page speak of all.
func (a Account) through() bool { return a.Ran && !a.Last.Ended.IsZero() && a.Last.Error == "" }

// proved says what was read back of the messages that are there.
func (a Account) proved() (list []string) {
	o := a.Overview
	octets, sizes, altered := o.Same[sync.ByDigest.String()], o.Same[sync.BySize.String()], total(o.Altered)
	if octets > 0 {
		list = append(list, fmt.Sprintf("%s %s read back there and %s the same, octet for octet.", comma(octets), was(octets), is(octets)))
	}
	if sizes > 0 {
		list = append(list, fmt.Sprintf("%s %s found there again, of the same size.", comma(sizes), was(sizes)))
	}
	if altered > 0 {
		list = append(list, fmt.Sprintf("%s %s there with a reservation, which is told below.", comma(altered), is(altered)))
	}
	if n := o.All.Messages - total(o.Same) - altered; n > 0 {
		list = append(list, fmt.Sprintf("%s %s not read back yet.", comma(n), was(n)))
	}
	return list
}

func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func is(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// todo says what to do about the rest.
func (m *markup) todo(a Account) {
	m.panel("What to do")
	m.put("<dl>")
	defer m.put("</dl>\n</div>")
	said := false
	advise := func(yes bool, about, what, verb string) {
		if !yes {
			return
		}
		said = true
		m.put("<dt>%s</dt>\n<dd>%s", about, what)
		if verb != "" {
			m.put(" <code>pop2imap %s %s</code>", verb, a.Args)
		}
		m.put("</dd>")
	}
	o := a.Overview
	advise(a.Busy, "A run is going on", "The numbers are of this moment.", "")
	advise(a.Ran && a.Last.Ended.IsZero() && !a.Busy, "The last run was interrupted", "Begin it again: it goes on from there.", "sync")
	advise(a.Last.Error != "", "The last run ended with an error", cmp.Or(a.Last.Error, "?"), "")
	advise(a.waiting() > 0, "What was waiting", "The next run copies it, unless flags such as --since leave it out.", "sync")
	advise(o.Refused > 0, "What was refused",
		"It stays at the source, and runs try it again with growing pauses. The words of the server are below: what they name, such as "+
			"a limit, can perhaps be changed there. Then try at once:", "retry")
	advise(o.Missing > 0, "What was not found there", "Look for it in the mailbox. Who wants it sent again:", "retry")
	advise(o.Intents > 0, "What is under way", "The next run finds out whether it is there.", "")
	advise(o.All.Messages > total(o.Same)+total(o.Altered), "What was not read back", "Have it read back:", "verify")
	if !said {
		m.put("<dt>Nothing</dt>\n<dd>It is all there. pop2imap sync copies what is new.</dd>")
	}
	if a.Ran {
		m.put("<dt>Last run</dt>\n<dd>%s</dd>", a.Last.Began.Local().Format("2 January 2006, 15:04 MST")+since(a.Last.Began, a.Last.Ended))
	}
}

func since(began, ended time.Time) string {
	if ended.IsZero() {
		return ""
	}
	return ", and it took " + ended.Sub(began).Round(time.Second).String()
}
