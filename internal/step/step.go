// Package step marks the instants at which a test kills the program: before and after each commit, each write to a
// server and each answer read from one. [At] is empty and costs nothing in a normal build.
//
// Built with -tags crashpoints, the calls of the whole process are counted from 1, and two variables are obeyed:
//
//	POP2IMAP_STEPS=FILE    the number and name of each step are appended to FILE, a line each, written at once
//	POP2IMAP_CRASH_AT=K    at step K, when its line is written, the process ends itself with SIGKILL
//
// A test runs the program once with the first to see how many steps there are, and then once for each K with the second.
// A variable that makes no sense ends the program with a panic: a test must not pass because it was not obeyed.
package step

// At says that the program has come to the step called name. It may be called from any goroutine; with crashpoints it
// does not return from the step at which the process ends.
func At(name string) { at(name) }
