// Package sabotage takes one safeguard out of the program, to see that the tests notice. In a normal build every
// constant is false, and the compiler leaves out what stands behind it:
//
//	if !sabotage.NoIntent {
//		… commit the intent …
//	}
//
// The build tag sabotage_no_intent makes NoIntent true, and so on; one tag at a time, two do not compile. Each tag has a
// file of its own, called as the tag goes on. run.sh runs the tests with each tag, and fails if they pass.
package sabotage

// The safeguards. Each names what is done when it is removed.
const (
	NoIntent              = removed == noIntent              // append without an intent in the state
	IntentNotSynced       = removed == intentNotSynced       // append before the intent is on disk
	NoSettle              = removed == noSettle              // take an open intent for not stored, without looking
	SharedClaims          = removed == sharedClaims          // let two records claim one copy
	UIDNextProof          = removed == uidnextProof          // take a UIDNEXT that moved for proof that a message is stored
	DeleBeforeVerified    = removed == deleBeforeVerified    // delete what was sent, not what was read back
	NumbersAcrossSessions = removed == numbersAcrossSessions // use the message numbers of an earlier session
	EmptyListingBelieved  = removed == emptyListingBelieved  // forget what a listing lacks
	BlindRetry            = removed == blindRetry            // send again when the reply to an APPEND is lost
)

type safeguard int

const (
	none safeguard = iota
	noIntent
	intentNotSynced
	noSettle
	sharedClaims
	uidnextProof
	deleBeforeVerified
	numbersAcrossSessions
	emptyListingBelieved
	blindRetry
)
