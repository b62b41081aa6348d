package main

import (
	"context"
	"sync/atomic"

	"github.com/pop2imap/pop2imap/internal/config"
	"github.com/pop2imap/pop2imap/internal/imap"
	"github.com/pop2imap/pop2imap/internal/pop3"
	"github.com/pop2imap/pop2imap/sync"
)

// source finds out what is needed to log in to the maildrop, and gives what does it.
func (p *program) source(ctx context.Context, job *config.Job, s *screen) (
	func(context.Context) (sync.Source, error), error) {
	server, err := job.From.Server(job.Timeout, s.tracer("from"))
	if err != nil {
		return nil, err
	}
	secret, err := s.secret(ctx, &job.From.Secret)
	if err != nil {
		return nil, err
	}
	e := job.From.Endpoint
	return func(ctx context.Context) (sync.Source, error) {
		session, err := pop3.Dial(ctx, server, pop3.Login{User: e.User, Password: secret, Auth: e.Auth})
		if err != nil {
			return nil, err
		}
		return session, nil
	}, nil
}

// destination does the same for the other end.
func (p *program) destination(ctx context.Context, job *config.Job, s *screen) (
	func(context.Context) (sync.Destination, error), error) {
	server, err := job.To.Server(job.Timeout, s.tracer("to"))
	if err != nil {
		return nil, err
	}
	secret, err := s.secret(ctx, &job.To.Secret)
	if err != nil {
		return nil, err
	}
	e, clear := job.To.Endpoint, new(atomic.Bool)
	return func(ctx context.Context) (sync.Destination, error) {
		session, err := imap.DialPool(ctx, server, imap.Login{User: e.User, Password: secret, Auth: e.Auth,
			Clear: clear}, job.Connections)
		if err != nil {
			return nil, err
		}
		return session, nil
	}, nil
}
