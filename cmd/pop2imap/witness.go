package main

import (
	"context"

	"github.com/pop2imap/pop2imap/internal/client"
	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/imap"
	"github.com/pop2imap/pop2imap/internal/twin"
	"github.com/pop2imap/pop2imap/sync"
)

// witnesses are those that --flags-from names: each is opened when the run first needs it.
type witnesses struct {
	open  []func(context.Context) (sync.Witness, error)
	twins []*twin.Twin // that were opened
}

// witnesses finds out what is needed to open them. Nothing is opened yet, but the files and the password are there.
func (p *program) witnesses(ctx context.Context, job *config.Job, s *screen) (*witnesses, error) {
	w := &witnesses{}
	if err := job.CheckWitnesses(); err != nil {
		return nil, err
	}
	for _, source := range job.FlagsFrom {
		if config.IsURL(source) {
			dial, err := p.twin(ctx, job, s)
			if err != nil {
				return nil, err
			}
			w.open = append(w.open, func(ctx context.Context) (sync.Witness, error) {
				t, err := twin.Open(ctx, dial, job.Twin.Endpoint.Folder)
				if err != nil {
					return nil, err
				}
				w.twins = append(w.twins, t)
				return t, nil
			})
			continue
		}
		w.open = append(w.open, func(ctx context.Context) (sync.Witness, error) {
			c, err := client.Open(ctx, source)
			if err != nil {
				return nil, err
			}
			return c, nil
		})
	}
	return w, nil
}

// close leaves those that were opened.
func (w *witnesses) close(ctx context.Context) {
	for _, t := range w.twins {
		t.Close(ctx) // nothing was changed there: that it fails means nothing
	}
}

// twin finds out what is needed to log in to the maildrop's IMAP twin, and gives what does it.
func (p *program) twin(ctx context.Context, job *config.Job, s *screen) (func(context.Context) (*imap.Session, error), error) {
	server, err := job.Twin.Server(job.Timeout, s.tracer("twin"))
	if err != nil {
		return nil, err
	}
	secret, err := s.secret(ctx, job.TwinSecret())
	if err != nil {
		return nil, err
	}
	e := job.Twin.Endpoint
	return func(ctx context.Context) (*imap.Session, error) {
		return imap.Dial(ctx, server, imap.Login{User: e.User, Password: secret, Auth: e.Auth})
	}, nil
}
