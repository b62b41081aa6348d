//go:build sabotage_uidnext_proof

package sabotage

const removed = uidnextProof
