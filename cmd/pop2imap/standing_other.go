//go:build !unix

package main

import "os"

// asks gives the signals that ask for the standing: here there are none.
func asks() <-chan os.Signal { return nil }
