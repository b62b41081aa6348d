//go:build sabotage_intent_not_synced

package sabotage

const removed = intentNotSynced
