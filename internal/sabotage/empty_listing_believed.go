//go:build sabotage_empty_listing_believed

package sabotage

const removed = emptyListingBelieved
