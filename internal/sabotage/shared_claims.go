//go:build sabotage_shared_claims

package sabotage

const removed = sharedClaims
