package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pop2imap/pop2imap/sync"
)

// A prompter asks the user on stderr, and reads a line for each answer: at a terminal, or from a pipe that has them all.
type prompter struct {
	in   *bufio.Reader
	err  io.Writer
	ask  asker // nil: there is no terminal, and passwords are lines as the others
	stop <-chan struct{}
}

// answersMax is more than all answers together have, in octets.
const answersMax = 1 << 20

func (p *program) prompter(stop <-chan struct{}) *prompter {
	return &prompter{in: bufio.NewReader(io.LimitReader(p.in, answersMax)), err: p.err, ask: p.asker(stop), stop: stop}
}

// tries is how often somebody at a terminal may get an answer wrong. A pipe gets one: what follows in it is meant for
// other questions, and may be the password of the other server.
func (q *prompter) tries() int {
	if q.ask == nil {
		return 1
	}
	return 3
}

func (q *prompter) say(format string, args ...any) { fmt.Fprintf(q.err, format+"\n", args...) }

// line asks for one. At the end of the input it is empty, as if the user had only pressed Enter.
func (q *prompter) line(prompt string) (string, error) {
	type reply struct {
		text string
		err  error
	}
	fmt.Fprint(q.err, prompt)
	replied := make(chan reply, 1)
	go func() {
		text, err := q.in.ReadString('\n')
		replied <- reply{text, err}
	}()
	select {
	case r := <-replied:
		if q.ask == nil {
			fmt.Fprintln(q.err) // where a terminal would have shown the answer
		}
		if r.err != nil && r.err != io.EOF {
			return "", &sync.Error{Class: sync.Config, Err: fmt.Errorf("read an answer: %w", r.err)}
		}
		return strings.TrimRight(r.text, "\r\n"), nil
	case <-q.stop:
		fmt.Fprintln(q.err)
		return "", &sync.Error{Class: sync.Stopped, Err: errors.New("stopped while asking")}
	}
}

// until asks for a line that take is content with.
func (q *prompter) until(prompt string, take func(answer string) error) error {
	for try := 1; ; try++ {
		answer, err := q.line(prompt)
		if err != nil {
			return err
		}
		if err = take(strings.TrimSpace(answer)); err == nil {
			return nil
		}
		if try == q.tries() {
			return &usage{err}
		}
		q.say("  %s", sync.Clean(err.Error()))
	}
}

// secret asks without echo.
func (q *prompter) secret(prompt string) (string, error) {
	if q.ask != nil {
		return q.ask(prompt)
	}
	return q.line(prompt)
}
