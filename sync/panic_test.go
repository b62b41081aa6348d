package sync_test

import (
	"context"
	"io"
	"testing"

	"github.com/pop2imap/pop2imap/internal/lab"
	"github.com/pop2imap/pop2imap/sync"
)

// A bug panics in the method of that name.
type bug string

func (b bug) at(method string) {
	if string(b) == method {
		panic("a bug in " + method)
	}
}

type buggySource struct {
	sync.Source
	bug
}

func (s buggySource) List(ctx context.Context) (sync.Listing, error) {
	s.at("List")
	return s.Source.List(ctx)
}

func (s buggySource) Retrieve(ctx context.Context, m []sync.Listed, each func(int, io.Reader, error) error) error {
	s.at("Retrieve")
	return s.Source.Retrieve(ctx, m, each)
}

func (s buggySource) Close(ctx context.Context) error {
	defer s.at("Source.Close")
	return s.Source.Close(ctx)
}

type buggyDestination struct {
	sync.Destination
	bug
}

func (d buggyDestination) Open(ctx context.Context, folder string, create bool) (sync.Folder, error) {
	d.at("Open")
	return d.Destination.Open(ctx, folder, create)
}

func (d buggyDestination) Append(ctx context.Context, f sync.Folder, batch []sync.Outgoing) sync.Pending {
	d.at("Append")
	return buggyPending{d.Destination.Append(ctx, f, batch), d.bug}
}

func (d buggyDestination) Close(ctx context.Context) error {
	defer d.at("Destination.Close")
	return d.Destination.Close(ctx)
}

type buggyPending struct {
	sync.Pending
	bug
}

func (p buggyPending) Wait(ctx context.Context) []sync.Answer {
	defer p.at("Wait")
	return p.Pending.Wait(ctx)
}

type buggyWatcher struct {
	watcher
	bug
}

func (w *buggyWatcher) Planned(n int, octets int64) { w.at("Planned"); w.watcher.Planned(n, octets) }
func (w *buggyWatcher) Moved(n int)                 { w.at("Moved"); w.watcher.Moved(n) }
func (w *buggyWatcher) Done(o sync.Outcome)         { w.at("Done"); w.watcher.Done(o) }
func (w *buggyWatcher) Notice(text string)          { w.at("Notice"); w.watcher.Notice(text) }

// A bug, in whichever goroutine it shows, ends the run of its account, not the program, and what was recorded stays: the
// next run makes it whole.
func TestPanic(t *testing.T) {
	for _, b := range []bug{"List", "Retrieve", "Source.Close", "To", "Open", "Append", "Wait", "Destination.Close",
		"Planned", "Moved", "Done", "Notice"} {
		t.Run(string(b), func(t *testing.T) {
			drop := []lab.Mail{mail("a"), mail("b"), mail("c"), mail("d")}
			w := create(t, lab.POP3Options{}, lab.IMAPOptions{}, drop...)
			w.Folder = "Archive" // that it was created is a notice
			r := w.run(func(o *sync.Options) {
				from, to := o.From, o.To
				o.From = func(ctx context.Context) (sync.Source, error) {
					src, err := from(ctx)
					return buggySource{src, b}, err
				}
				o.To = func(ctx context.Context) (sync.Destination, error) {
					b.at("To")
					d, err := to(ctx)
					return buggyDestination{paced{d}, b}, err
				}
				o.Watch = &buggyWatcher{bug: b}
			})
			if r.Err == nil || sync.ClassOf(r.Err) != sync.Bug {
				t.Errorf("got %s (%v), want a bug", counts(r), r.Err)
			}
			if r := w.run(); r.Err != nil || r.Known+r.Recognised+r.Copied != 4 {
				t.Errorf("the next run: got %s (%v)", counts(r), r.Err)
			}
			w.Holds(drop...)
		})
	}
}
