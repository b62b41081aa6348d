package imap

import (
	"context"
	stdsync "sync"

	"github.com/pop2imap/pop2imap/internal/wire"
	"github.com/pop2imap/pop2imap/sync"
)

// A Pool is a login at a server through several connections. That is faster where each literal has to wait for the server
// (no LITERAL+): time is then linear in connections. Only appends are shared out; all else goes over the first one. Batches
// that travel over several connections are stored in the order in which the server takes them, and not in that of the
// maildrop, which is why nobody gets several who has not asked for them.
type Pool struct {
	*Session // the first
	dial     func(context.Context) (*Session, error)
	most     int           // connections
	free     chan *Session // those that have nothing to do
	grown    stdsync.Once
	dialling stdsync.WaitGroup

	mu  stdsync.Mutex
	all []*Session // but the first
}

var _ sync.Destination = (*Pool)(nil)

// DialPool is [Dial] for at most so many connections; 0 is 1. The others are made when they are needed, and a server that
// allows fewer gets along with those.
func DialPool(ctx context.Context, s wire.Server, l Login, connections int) (*Pool, error) {
	first, err := Dial(ctx, s, l)
	if err != nil {
		return nil, err
	}
	p := &Pool{Session: first, most: max(connections, 1),
		dial: func(ctx context.Context) (*Session, error) { return Dial(ctx, s, l) }}
	p.free = make(chan *Session, p.most)
	p.free <- first
	return p, nil
}

// Pace lets each connection have a batch, and one more be made ready.
func (p *Pool) Pace() sync.Pace {
	pace := p.Session.Pace()
	if p.most > 1 {
		pace.Flights = p.most + 1
	}
	return pace
}

// Append gives the batch to a connection that has nothing to do.
func (p *Pool) Append(ctx context.Context, f sync.Folder, batch []sync.Outgoing) sync.Pending {
	if p.most == 1 {
		return p.Session.Append(ctx, f, batch)
	}
	s := p.next(ctx, f)
	answers := make(promise, 1)
	go func() {
		answers <- sync.Answered(len(batch), func() []sync.Answer { return s.Append(ctx, f, batch).Wait(ctx) })
		p.free <- s
	}()
	return answers
}

// A promise is a batch that another goroutine sends.
type promise chan []sync.Answer

// Wait implements [sync.Pending].
func (a promise) Wait(context.Context) []sync.Answer { return <-a }

// next gives a connection that is free. When the first is not, the others are made, all at once.
func (p *Pool) next(ctx context.Context, f sync.Folder) *Session {
	select {
	case s := <-p.free:
		return s
	default:
	}
	p.grown.Do(func() {
		for range p.most - 1 {
			p.dialling.Go(func() { p.grow(ctx, f) })
		}
	})
	return <-p.free
}

// grow makes one more connection, if the server allows that.
func (p *Pool) grow(ctx context.Context, f sync.Folder) {
	s, err := p.another(ctx, f)
	if err != nil {
		return
	}
	p.mu.Lock()
	p.all = append(p.all, s)
	p.mu.Unlock()
	p.free <- s
}

// another makes a connection with the folder open, which is faster on some servers.
func (p *Pool) another(ctx context.Context, f sync.Folder) (_ *Session, err error) {
	defer sync.Caught(&err)
	s, err := p.dial(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.Open(ctx, f.Name, false); err != nil {
		s.drop()
		return nil, err
	}
	return s, nil
}

// Close says LOGOUT on all connections.
func (p *Pool) Close(ctx context.Context) error {
	p.dialling.Wait()
	for _, s := range p.all {
		s.Close(ctx) // what was stored was answered before
	}
	return p.Session.Close(ctx)
}
