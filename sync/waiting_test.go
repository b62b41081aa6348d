package sync_test

import (
	"slices"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/state"
	"github.com/pop2imap/pop2imap/sync"
)

func TestWaiting(t *testing.T) {
	w := create(t, lab.POP3Options{}, lab.IMAPOptions{AppendLimit: 2000}, mail("a"), mail("b"), sized(mail("large"), 3000))
	if r := w.run(); r.Copied != 2 || r.Refused != 1 {
		t.Fatalf("copied %d, refused %d: %v", r.Copied, r.Refused, r.Err)
	}
	a, done := w.ReadOnly()
	defer done()
	for _, c := range []struct {
		name string
		mail []lab.Mail
		a    *state.Account
		want []int // message numbers
	}{
		{"an empty maildrop", nil, a, nil},
		{"what is known, and what was refused and is not due", []lab.Mail{mail("a"), mail("b"), sized(mail("large"), 3000)}, a, nil},
		{"no memory", []lab.Mail{mail("a"), mail("b")}, nil, []int{1, 2}},
		{"something new", []lab.Mail{mail("c"), mail("a"), mail("d")}, a, []int{1, 3}},
		{"a known one that is listed twice", []lab.Mail{mail("a"), mail("a")}, a, []int{2}},
		{"a known UIDL in another size", []lab.Mail{sized(mail("a"), 1500)}, a, []int{1}},
		{"no UIDL", []lab.Mail{as(mail("a"), "")}, a, []int{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.POP.SetMail(c.mail)
			src, err := w.Options().From(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close(t.Context())
			listing, err := src.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			list, err := sync.Waiting(t.Context(), c.a, listing)
			var got []int
			for _, m := range list {
				got = append(got, m.Number)
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %v (%v), want %v", got, err, c.want)
			}
		})
	}
}
