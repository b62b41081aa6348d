package imap

import (
	"context"
	"errors"
	"fmt"

	"github.com/pop2imap/pop2imap/sync"
)

// A pending is a batch that is written.
type pending struct {
	s     *Session
	parts []*part
}

// Append writes a batch (RFC 9051 §6.3.12). Dovecot is several times as fast when the folder is selected; Courier
// refuses whatever is appended to the folder that it has EXAMINEd. So until a first message was taken, each is offered
// alone, and waited for.
func (s *Session) Append(ctx context.Context, f sync.Folder, batch []sync.Outgoing) sync.Pending {
	defer s.begin(ctx)()
	p := &pending{s: s}
	if err := s.compress(); err != nil {
		p.parts = []*part{failed(batch, unsent(err))}
		return p
	}
	if s.shy {
		if err := s.deselect(); err != nil {
			p.parts = []*part{failed(batch, unsent(err))}
			return p
		}
	}
	for s.selected == f.Name && !s.sure && len(batch) > 0 {
		p.parts = append(p.parts, s.offer(f, batch[:1])...)
		batch = batch[1:]
	}
	p.parts = append(p.parts, s.dispatch(f, batch)...)
	return p
}

// Pace is what the server's abilities and measurements suggest: half of its time for a message goes into a transaction, so
// a hundred share one, and three on their way hide the wait for answers. Where each message has to be asked for, a batch
// only holds up.
func (s *Session) Pace() sync.Pace {
	if !s.caps.has("LITERAL+") {
		return sync.Pace{Messages: 10, Octets: 1 << 20, Flights: 1}
	}
	return sync.Pace{Messages: 100, Octets: 4 << 20, Flights: 3}
}

// Wait implements [sync.Pending].
func (p *pending) Wait(ctx context.Context) []sync.Answer {
	defer p.s.w.Bind(ctx)()
	var all []sync.Answer
	for _, part := range p.parts {
		all = append(all, p.s.settled(part)...)
	}
	return all
}

// offer finds out with one message whether the server takes any for the folder that is selected. If it is refused, it
// is offered once more with none.
func (s *Session) offer(f sync.Folder, one []sync.Outgoing) []*part {
	parts := s.dispatch(f, one)
	err := s.settled(parts[0])[0].Err
	switch {
	case err == nil:
		s.sure = true
		return parts
	case !isClass(err, sync.Refused) || s.mux.why() != nil:
		return parts
	}
	if err := s.deselect(); err != nil {
		return []*part{failed(one, unsent(err))}
	}
	parts = s.dispatch(f, one)
	s.shy = s.settled(parts[0])[0].Err == nil
	if !s.shy && s.mux.why() == nil { // it is the message
		if name, err := s.names.raw(f.Name); err == nil {
			s.examined(f.Name, name, s.examining(name)) // only for speed
		}
	}
	return parts
}

// deselect leaves the selected folder. CLOSE after EXAMINE removes nothing (RFC 9051 §6.4.1).
func (s *Session) deselect() error {
	if s.selected == "" {
		return nil
	}
	if err := s.client.UnselectAndExpunge().Wait(); err != nil {
		return s.fault(err)
	}
	s.selected = ""
	return nil
}

// dispatch sends messages, or says of each why it is not sent.
func (s *Session) dispatch(f sync.Folder, batch []sync.Outgoing) []*part {
	parts := s.divide(f, batch)
	s.mux.write(true)
	defer s.mux.write(false)
	whole := false
	defer func() {
		if !whole { // a bug: what came next would go into the rest of a literal
			s.mux.giveUp(&sync.Error{Class: sync.Bug, Err: errors.New("a message was not written to its end")})
		}
	}()
	for _, p := range parts {
		if p.answers != nil {
			continue
		}
		if why := s.mux.why(); why != nil {
			p.fail(unsent(why))
		} else if err := s.send(p); err != nil {
			s.cut(parts, err)
		}
	}
	if err := s.out.flush(); err != nil {
		s.cut(parts, err)
	}
	whole = true
	return parts
}

// cut settles what is certain of messages after an error of sending them: those of which the kernel does not have the
// last octet are not stored. What the server said to the one that was under way is its own refusal, and must not stop
// the others again and again.
func (s *Session) cut(parts []*part, err error) {
	halfway := !s.out.spoilt
	for _, p := range parts {
		if p.answers != nil || p.end <= s.out.sent {
			continue
		}
		if halfway && p.command != nil {
			halfway = false
			s.mux.write(false)
			if r, gone := s.mux.await(p.command); gone == nil && r.tag != "+" {
				p.answers = s.outcome(p, r, false)
				continue
			}
		}
		s.mux.giveUp(err)
		p.fail(unsent(s.mux.gone()))
	}
	s.mux.giveUp(err)
}

// settled waits for what became of a part.
func (s *Session) settled(p *part) []sync.Answer {
	if p.answers == nil {
		r, err := s.mux.await(p.command)
		if err != nil {
			p.fail(open(sync.Doing(err, "append to %q: no reply", p.folder)))
		} else {
			p.answers = s.outcome(p, r, true)
		}
	}
	return p.answers
}

// outcome reads the tagged reply to an APPEND. sent says whether all of it was sent. A refusal for whatever reason
// means that nothing of it is stored (RFC 3502 §3).
func (s *Session) outcome(p *part, r reply, sent bool) []sync.Answer {
	switch {
	case r.status == "OK" && sent:
		p.answers = make([]sync.Answer, len(p.messages))
		for i, placed := range p.places(r.text) {
			p.answers[i].Placed = placed
		}
	case r.status == "NO" || r.status == "BAD":
		e := refusal(sync.Refused, r.status, s.mux.veil.over(r.text))
		e.Err = fmt.Errorf("append to %q", p.folder)
		e.Unsent, e.Together, e.BadDate = true, len(p.messages) > 1, aboutDate.MatchString(r.text)
		if e.Code == "LIMIT" && e.Pause == 0 && p.keywords() { // there may be too many (RFC 5530 §3)
			e.Class = sync.Refused
		}
		p.fail(e)
	case sent:
		p.fail(open(s.mux.broken(fmt.Errorf("%s answered APPEND with neither OK, NO nor BAD", s.server.Host))))
	default:
		p.fail(unsent(s.mux.broken(fmt.Errorf("%s answered APPEND before it had the message", s.server.Host))))
	}
	return p.answers
}
