//go:build unix

package main

import "syscall"

func init() { signalsByName["USR1"] = syscall.SIGUSR1 }
