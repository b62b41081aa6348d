package sync_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// A login at the destination that is still under way when a session ends that needed none is begun anew by the next one: here
// all that the first session of a maildrop with many lists has vanished.
func TestALoginThatOutlastsItsSession(t *testing.T) {
	var w *world
	p := lab.POP3Options{NoUIDL: true, NoTOP: true}
	p.Hook = func(session int, line string) (string, bool) {
		if session > 1 || !strings.HasPrefix(line, "RETR") {
			return "", false
		}
		return "-ERR there is no such message\r\n", false
	}
	w = create(t, p, lab.IMAPOptions{}, mail("a"), mail("b"))
	sessions, logins := 0, 0
	r := w.run(func(o *sync.Options) {
		from, to := o.From, o.To
		o.From = func(ctx context.Context) (sync.Source, error) {
			if sessions++; sessions == 2 {
				w.POP.SetMail([]lab.Mail{sized(mail("c"), 500)})
			}
			src, err := from(ctx)
			return partial{src, sessions == 1}, err
		}
		o.To = func(ctx context.Context) (sync.Destination, error) {
			if logins++; logins == 1 { // it takes longer than the session
				<-ctx.Done()
				return nil, &sync.Error{Class: sync.Temporary, Err: errors.New("the login was cut off")}
			}
			return to(ctx)
		}
		o.Patience = 0
	})
	w.wants(r, "3 listed, 3 new, 1 copied, 2 vanished")
	w.Holds(sized(mail("c"), 500))
	if logins != 2 || r.Took > 20*time.Second {
		t.Errorf("got %d logins, want 2", logins)
	}
}

// A partial source says that another session has other messages.
type partial struct {
	sync.Source
	partial bool
}

func (p partial) List(ctx context.Context) (sync.Listing, error) {
	l, err := p.Source.List(ctx)
	l.Partial = p.partial
	return l, err
}
