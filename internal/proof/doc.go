// Package proof has no code of its own: its tests hold the whole program to the guarantee of docs/design.md.
//
//   - crash_test.go: the real program, built with crash points, kills itself at each step of a small migration, is run
//     again to the end, and must have come to the same as without; a third run must change nothing. The servers live in
//     the test, and so outlive the program.
//   - pairs_test.go: the same with a second run that is killed too.
//   - history_test.go: random histories of a maildrop, a mailbox and the lines to them, against a model of multisets.
//   - kill_test.go: the real program is killed at random moments between real servers.
//
// `go test` makes a selection, the same each time. `make test-crash` makes all of the first three, `make test-kill` the
// last. A failure says what to set in the environment to see it again.
package proof
