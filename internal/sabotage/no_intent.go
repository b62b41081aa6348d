//go:build sabotage_no_intent

package sabotage

const removed = noIntent
