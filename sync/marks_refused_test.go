package sync_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// A server that drops the line at each STORE, or answers what is no answer, does not keep what was copied from its read-back.
func TestMarksThatCostTheLineEachTime(t *testing.T) {
	for name, c := range map[string]struct {
		class sync.Class
		tries int
	}{"the line": {sync.Temporary, 3}, "the protocol": {sync.Protocol, 1}} {
		t.Run(name, func(t *testing.T) {
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, letterOf("a", came), letterOf("r", answer))
			var watch watcher
			tries := 0
			r := w.run(mine, func(o *sync.Options) {
				to := o.To
				o.To = func(ctx context.Context) (sync.Destination, error) {
					d, err := to(ctx)
					return costly{paced{d}, c.class, &tries}, err
				}
				o.Watch, o.Delete.On, o.Patience = &watch, true, time.Minute
			})
			w.wants(r, "2 listed, 2 new, 2 copied")
			said := slices.DeleteFunc(watch.Notices, func(n string) bool { return !strings.Contains(n, "not marked") })
			if tries != c.tries || len(said) != 1 || r.Deleted != 2 {
				t.Errorf("got %d tries, notices %q, %d deleted", tries, watch.Notices, r.Deleted)
			}
		})
	}
}

// A costly destination breaks at each STORE.
type costly struct {
	sync.Destination
	class sync.Class
	tries *int
}

func (c costly) Mark(ctx context.Context, f sync.Folder, list []sync.Marking) []error {
	*c.tries++
	c.Close(ctx)
	errs := make([]error, len(list))
	for i := range errs {
		errs[i] = &sync.Error{Class: c.class, Err: errors.New("the server closed the connection")}
	}
	return errs
}

// An unwilling destination refuses keywords, or to set any flag.
type unwilling struct {
	sync.Destination
	all bool
}

func (u unwilling) Mark(ctx context.Context, f sync.Folder, list []sync.Marking) (errs []error) {
	for _, m := range list {
		var err error = &sync.Error{Class: sync.Unavailable, Server: "NO", Err: errors.New("the server refused")}
		if !u.all && m.Flags[0][0] == '\\' {
			err = u.Destination.Mark(ctx, f, []sync.Marking{m})[0]
		}
		errs = append(errs, err)
	}
	return errs
}

// A destination that refuses STORE is told of once, and nothing else suffers.
func TestMarksThatAreRefused(t *testing.T) {
	both := answer + "X-Forwarded-Message-Id: <b@example.org>\r\n"
	mail := []lab.Mail{letterOf("a", came), letterOf("b", came), letterOf("r", answer), letterOf("s", both)}
	for _, c := range []struct {
		name string
		all  bool
		want map[string][]string
	}{
		{"keywords", false, map[string][]string{"a": {`\Answered`, `\Seen`}, "r": {`\Seen`}, "s": {`\Seen`}}},
		{"all", true, map[string][]string{"r": {`\Seen`}, "s": {`\Seen`}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			// One message at a time is on its way, so that b is there when s is.
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, mail...)
			var watch watcher
			r := w.run(mine, func(o *sync.Options) {
				to := o.To
				o.To = func(ctx context.Context) (sync.Destination, error) {
					d, err := to(ctx)
					if err != nil {
						return nil, err
					}
					return unwilling{paced{d}, c.all}, nil
				}
				o.Watch, o.Delete.On = &watch, true
			})
			w.wants(r, "4 listed, 4 new, 4 copied")
			w.hasFlags(c.want)
			said := slices.DeleteFunc(watch.Notices, func(n string) bool { return !strings.Contains(n, "not marked") })
			if len(said) != 1 || r.Deleted != 4 {
				t.Errorf("got notices %q and %d deleted, want one and 4", said, r.Deleted)
			}
		})
	}
}
