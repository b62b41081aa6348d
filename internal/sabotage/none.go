//go:build !(sabotage_no_intent || sabotage_intent_not_synced || sabotage_no_settle || sabotage_shared_claims || sabotage_uidnext_proof || sabotage_dele_before_verified || sabotage_numbers_across_sessions || sabotage_empty_listing_believed || sabotage_blind_retry)

package sabotage

const removed = none
