package sync_test

import (
	"context"
	"fmt"
	"io"
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
	w.Holds(all...)
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
			w.POP.SetMail([]lab.Mail{mail("b")})
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
		w := create(t, lab.POP3Options{}, lab.IMAPOptions{Without: v, Hook: hook.Fate(lab.CutReply)}, mail("a"), mail("b"))
		hook.Set("APPEND", 1)
		r := w.run(func(o *sync.Options) { o.Patience, o.Narrow.Messages = time.Minute, 1 })
		w.wants(r, "2 listed, 2 new, 1 copied, 1 left")
		w.Holds(mail("a"))
	})
}

// A slow is a witness that takes as long with the second message as somebody waits for it.
type slow struct{ asked int }

func (s *slow) Know(ctx context.Context, _ sync.Subject) (sync.Testimony, bool, error) {
	if s.asked++; s.asked == 2 {
		<-ctx.Done()
	}
	return sync.Testimony{}, false, nil
}

// A steady is a maildrop that notices too late that nobody wants more.
type steady struct{ sync.Source }

func (s steady) Retrieve(ctx context.Context, list []sync.Listed, each func(int, io.Reader, error) error) error {
	return s.Source.Retrieve(context.WithoutCancel(ctx), list, each)
}

// What was retrieved when the user had enough is not stored: a QUIT could make the server expire or hide it.
func TestEnoughWhileAnotherIsRetrieved(t *testing.T) {
	for range 20 { // which of two events is seen first is chance
		w := create(t, lab.POP3Options{NoUIDL: true, NoTOP: true}, lab.IMAPOptions{}, as(mail("a"), ""), as(mail("b"), ""))
		r := w.run(func(o *sync.Options) {
			o.Narrow.Messages = 1
			o.Witnesses = append(o.Witnesses, func(context.Context) (sync.Witness, error) { return new(slow), nil })
			dial := o.From
			o.From = func(ctx context.Context) (sync.Source, error) {
				s, err := dial(ctx)
				return steady{s}, err
			}
		})
		w.wants(r, "2 listed, 2 new, 1 copied, 1 left")
		if got := w.Asked("QUIT"); len(got) > 0 {
			t.Fatalf("got %q after %q, want none", got, w.Asked("RETR"))
		}
	}
}
