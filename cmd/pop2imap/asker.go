package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/pop2imap/pop2imap/sync"
)

// An asker asks for a password; nil: there is no terminal.
type asker = func(prompt string) (string, error)

// passwordMax is more than anybody types or pastes, in octets.
const passwordMax = 64 << 10

// asker asks for a password at a terminal, until stop is closed; it is nil where there is no terminal. The echo is off
// before the prompt is seen: who types at once is not seen to. It is on again when the asker returns, and whoever still
// waits for a line then has no hand in it.
func (p *program) asker(stop <-chan struct{}) asker {
	fd := int(p.in.Fd())
	if !term.IsTerminal(fd) || !isTerminal(p.err) {
		return nil
	}
	return func(prompt string) (string, error) {
		before, err := term.GetState(fd)
		if err == nil {
			err = silence(fd)
		}
		if err != nil {
			return "", noAnswer(err)
		}
		defer func() {
			term.Restore(fd, before)
			fmt.Fprintln(p.err) // where Enter would have shown
		}()
		fmt.Fprint(p.err, prompt)
		return answer(p.in, stop)
	}
}

// answer reads a line, until stop is closed.
func answer(in io.Reader, stop <-chan struct{}) (string, error) {
	type reply struct {
		line string
		err  error
	}
	replied := make(chan reply, 1)
	go func() {
		line, err := readLine(in)
		replied <- reply{line, err}
	}()
	select {
	case r := <-replied:
		return r.line, r.err
	case <-stop:
		return "", &sync.Error{Class: sync.Stopped, Err: errors.New("stopped while asking for a password")}
	}
}

// readLine takes no octet behind the line: that is for the next question. A line without an end counts, unless it is empty.
func readLine(in io.Reader) (string, error) {
	var line strings.Builder
	for one := make([]byte, 1); line.Len() <= passwordMax; {
		n, err := in.Read(one)
		switch {
		case n == 1 && one[0] == '\n', err == io.EOF && line.Len() > 0:
			return strings.TrimSuffix(line.String(), "\r"), nil
		case n == 1:
			line.WriteByte(one[0])
		case err != nil:
			return "", noAnswer(err)
		}
	}
	return "", noAnswer(errors.New("it is too long"))
}

func noAnswer(err error) error {
	return &sync.Error{Class: sync.Config, Err: fmt.Errorf("read a password from the terminal: %w", err)}
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
