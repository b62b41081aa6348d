package sync_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// many are n messages of which LIST says that they have size octets; 0: what they have.
func many(n int, size int64) (list []lab.Mail) {
	for i := range n {
		m := mail(fmt.Sprintf("m%04d", i))
		m.Size = size
		list = append(list, m)
	}
	return list
}

// The room that such messages have in memory is theirs by what they are, not by what LIST says.
func TestListThatExaggerates(t *testing.T) {
	all := many(40, 1<<20)
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, all...)
	w.wants(w.run(), "40 listed, 40 new, 40 copied")
	w.holds(all...)
}

// tooShort is a message of which LIST says that it is much longer.
func tooShort(name string) lab.Mail {
	m := mail(name)
	m.Size = 1 << 20
	return m
}

// logins calls then at each login to a maildrop, from 1.
func logins(then func(n int)) lab.POP3Options {
	n := 0
	return lab.POP3Options{Hook: func(_ int, command string) (string, bool) {
		if strings.HasPrefix(command, "PASS") {
			n++
			then(n)
		}
		return "", false
	}}
}

// A message that was too short is looked for in another session, in which it may be gone.
func TestTooShortAndGone(t *testing.T) {
	var w *world
	last := 0
	w = create(t, logins(func(n int) {
		if last = n; n > 1 {
			w.pop.SetMail([]lab.Mail{mail("b")})
		}
	}), lab.IMAPOptions{}, tooShort("a"), mail("b"))
	w.wants(w.run(), "2 listed, 2 new, 1 copied, 1 left")
	if last != 2 {
		t.Errorf("got %d sessions, want 2", last)
	}
}

// What settling finds counts among the messages that the user wants at the most.
func TestEnoughAfterALostReply(t *testing.T) {
	both(t, func(t *testing.T, v variant) {
		var hook trap
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{Without: v, Hook: hook.fate(lab.CutReply)}, mail("a"), mail("b"))
		hook.set("APPEND", 1)
		r := w.run(func(o *sync.Options) { o.Patience, o.Narrow.Messages = time.Minute, 1 })
		w.wants(r, "2 listed, 2 new, 1 copied, 1 left")
		w.holds(mail("a"))
	})
}
