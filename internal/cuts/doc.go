// Package cuts has tests and nothing else: package sync is run between the embedded servers of internal/lab, the line to
// one of them breaks or a server misbehaves, the same command is given again, and what is in the mailbox then is compared,
// octet for octet and in order, with what a run without faults leaves.
//
// The line breaks after every octet of a small session, once in each run of the test. The usual test run takes samples;
// make test-cuts takes all of them.
package cuts
