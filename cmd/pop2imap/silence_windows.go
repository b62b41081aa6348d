package main

import "golang.org/x/sys/windows"

// silence turns the echo of a console off. Lines stay lines, and Ctrl-C a signal (SetConsoleMode).
func silence(fd int) error {
	console := windows.Handle(fd)
	var mode uint32
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return err
	}
	mode &^= windows.ENABLE_ECHO_INPUT
	return windows.SetConsoleMode(console, mode|windows.ENABLE_LINE_INPUT|windows.ENABLE_PROCESSED_INPUT)
}
