package sync

import "context"

// A sending is a batch that is to be written. That has a goroutine of its own: while the one batch is on its way to the
// server, intents and outcomes of others are on theirs to the disk.
type sending struct {
	batch   []Outgoing
	folder  Folder
	answers chan []Answer
}

// post writes the batches, in their order.
func (d *delivery) post(ctx context.Context, sent chan<- struct{}) {
	defer close(sent)
	var bug error // after which the destination is not touched any more
	for s := range d.outbox {
		var pending Pending
		if bug == nil {
			pending, bug = d.write(ctx, s)
		}
		if bug != nil {
			s.answers <- unanswered(len(s.batch), bug)
			continue
		}
		go func() {
			s.answers <- Answered(len(s.batch), func() []Answer { return pending.Wait(ctx) })
		}()
	}
}

func (d *delivery) write(ctx context.Context, s sending) (p Pending, bug error) {
	defer Caught(&bug)
	return d.r.dest.Append(ctx, s.folder, s.batch), nil
}

// offer hands a batch over.
func (d *delivery) offer(f Folder, batch []Outgoing) chan []Answer {
	answers := make(chan []Answer, 1)
	d.outbox <- sending{batch, f, answers}
	return answers
}

// A flight is a batch on its way.
type flight struct {
	items   []*item
	answers chan []Answer
}
