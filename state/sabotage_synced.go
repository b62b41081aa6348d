//go:build sabotage_intent_not_synced

package state

import "strings"

// What is committed is not yet on disk.
func init() {
	reading = strings.Replace(reading, "_synchronous=FULL", "_synchronous=OFF", 1)
	writing = strings.Replace(writing, "_synchronous=FULL", "_synchronous=OFF", 1)
}
