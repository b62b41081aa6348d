//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// asks gives the signals that ask for the standing, from now on for as long as the program lives: one that comes late must not
// kill it.
func asks() <-chan os.Signal {
	in := make(chan os.Signal, 1)
	signal.Notify(in, syscall.SIGUSR1)
	return in
}
