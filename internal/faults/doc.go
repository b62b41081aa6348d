// Package faults has tests and nothing else: the real program moves a few messages between the embedded servers of
// internal/lab, and the kernel fails it, by strace's fault injection: the program is killed as it syncs a file, a write or
// a sync of the state fails, the disk is full. The next run must come to the end that a run without faults comes to.
//
// strace counts the system calls of each thread by itself, and a Go program has several. So the tests look into strace's
// log for which of all the calls it was, and say at the end which were hit.
//
// The usual test run takes samples; make test-faults takes all. Without strace, or where it may not trace, the tests are
// skipped, and say so.
package faults
