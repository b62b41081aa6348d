package bench

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// floor keeps both lines full and does nothing else. It shows what the servers can do.
func floor(j job) error {
	from, sizes, err := enterPOP(j)
	if err != nil {
		return err
	}
	defer from.Close()
	to, multi, err := enterIMAP(j)
	if err != nil {
		return err
	}
	defer to.Close()
	p := newPipe(j.Folder, multi)
	g, ctx := errgroup.WithContext(context.Background())
	context.AfterFunc(ctx, func() { // one has failed: the others must not wait for ever
		from.Close()
		to.Close()
	})
	asked := newWindow(400, 8<<20)
	g.Go(func() error { return ask(ctx, from, sizes, asked) })
	g.Go(func() error { return p.retrieve(ctx, from, sizes, asked) })
	g.Go(func() error { return p.send(ctx, to) })
	g.Go(func() error { return p.confirm(to) })
	return g.Wait()
}

// A window is room for so many things and octets that are under way.
type window struct {
	things, octets *semaphore.Weighted
	most           int64
}

func newWindow(things, octets int64) *window {
	return &window{semaphore.NewWeighted(things), semaphore.NewWeighted(octets), octets}
}

// acquire waits for room. waiting is called before it has to.
func (w *window) acquire(ctx context.Context, octets int, waiting func() error) error {
	n := min(int64(octets), w.most)
	if w.things.TryAcquire(1) {
		if w.octets.TryAcquire(n) {
			return nil
		}
		w.things.Release(1)
	}
	if err := waiting(); err != nil {
		return err
	}
	if err := w.things.Acquire(ctx, 1); err != nil {
		return err
	}
	return w.octets.Acquire(ctx, n)
}

func (w *window) release(octets int) {
	w.octets.Release(min(int64(octets), w.most))
	w.things.Release(1)
}

// ask sends all the RETRs that the window lets through.
func ask(ctx context.Context, from *line, sizes []int, asked *window) error {
	for i, size := range sizes {
		if err := asked.acquire(ctx, size, from.out.Flush); err != nil {
			return err
		}
		fmt.Fprintf(from.out, "RETR %d\r\n", i+1)
	}
	fmt.Fprint(from.out, "QUIT\r\n")
	return from.out.Flush()
}

// A pipe is what lies between the two lines.
type pipe struct {
	folder   string
	batch    int // messages of one APPEND
	octets   int // of one APPEND
	messages chan *bytes.Buffer
	flights  chan int // octets of each APPEND that is under way, in order
	flying   *window
	spare    sync.Pool
}

func newPipe(folder string, multi bool) *pipe {
	p := &pipe{folder: folder, batch: 1, messages: make(chan *bytes.Buffer, 64), flights: make(chan int, 400),
		flying: newWindow(256, 8<<20), spare: sync.Pool{New: func() any { return new(bytes.Buffer) }}}
	if multi {
		p.batch, p.octets, p.flying = 100, 4<<20, newWindow(4, 16<<20)
	}
	return p
}

func (p *pipe) retrieve(ctx context.Context, from *line, sizes []int, asked *window) error {
	defer close(p.messages)
	for _, size := range sizes {
		if s, err := from.hear(); err != nil || !bytes.HasPrefix(s, []byte("+OK")) {
			return fmt.Errorf("RETR: %q, %v", s, err)
		}
		m := p.spare.Get().(*bytes.Buffer)
		m.Reset()
		if err := from.body(m); err != nil {
			return err
		}
		asked.release(size)
		select {
		case p.messages <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s, err := from.hear()
	if err == nil && !bytes.HasPrefix(s, []byte("+OK")) {
		err = fmt.Errorf("QUIT: %q", s)
	}
	return err
}

// send appends what comes: a command ends when it has enough, and the next begins with the message after it.
func (p *pipe) send(ctx context.Context, to *line) error {
	defer close(p.flights)
	count, octets := 0, 0
	end := func() {
		to.out.WriteString("\r\n")
		p.flights <- octets
		count, octets = 0, 0
	}
	for m := range p.messages {
		if count > 0 && (count == p.batch || octets+m.Len() > p.octets) {
			end()
		}
		if count == 0 {
			if err := p.flying.acquire(ctx, max(m.Len(), p.octets), to.out.Flush); err != nil {
				return err
			}
			fmt.Fprintf(to.out, "e APPEND %s", p.folder)
		}
		fmt.Fprintf(to.out, " {%d+}\r\n", m.Len())
		to.out.Write(m.Bytes())
		count++
		octets += m.Len()
		p.spare.Put(m)
		if len(p.messages) == 0 {
			if err := to.out.Flush(); err != nil {
				return err
			}
		}
	}
	if count > 0 {
		end()
	}
	return to.out.Flush()
}

func (p *pipe) confirm(to *line) error {
	for octets := range p.flights {
		if err := to.until("e"); err != nil {
			return err
		}
		p.flying.release(max(octets, p.octets))
	}
	return nil
}
