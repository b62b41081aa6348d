package sync

import (
	"fmt"
	"runtime/debug"
)

// Caught makes an error of a panic, where it is deferred: other accounts go on, and what was recorded is in the state. Each
// goroutine needs its own, for a panic that nobody recovers ends the process.
func Caught(err *error) {
	if p := recover(); p != nil {
		*err = &Error{Class: Bug, Err: fmt.Errorf("panic: %v\n%s", p, debug.Stack()),
			Remedy: "report it; what was recorded is safe, and the next run goes on from there"}
	}
}

// Answered gives what wait gives for a batch of n messages. If that panics nobody knows what became of them.
func Answered(n int, wait func() []Answer) (answers []Answer) {
	var err error
	defer func() {
		if err != nil {
			answers = unanswered(n, err)
		}
	}()
	defer Caught(&err)
	return wait()
}

// unanswered is what is heard of a batch of n messages if an error is in the way.
func unanswered(n int, err error) []Answer {
	answers := make([]Answer, n)
	for i := range answers {
		answers[i].Err = err
	}
	return answers
}
