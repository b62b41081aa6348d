//go:build sabotage_dele_before_verified

package sabotage

const removed = deleBeforeVerified
