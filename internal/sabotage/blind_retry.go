//go:build sabotage_blind_retry

package sabotage

const removed = blindRetry
