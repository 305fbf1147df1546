// Package app is the application that the consensus engine drives: it turns the
// engine's calls (ABCI) into those of the state machine and writes down what happened.
//
//	CheckTx ─────────► room left? ──► Pool.Check ──► head start  may it wait for a block?
//	PrepareProposal ─► true clock ──► lanes ──► bytes, gas       what goes into a block?
//	ProcessProposal ─► the same bounds, from the bytes alone     is somebody else's block possible?
//	FinalizeBlock ───► Begin, Apply ..., Seal                    what does the decided block do?
//	Commit ──────────► event log ──► Stage.Commit ──► Raise      now it has happened
//
// The engine calls from three sides at once: consensus, mempool and queries, each one
// call at a time. What consensus does (everything but CheckTx, Info and Query) needs
// no lock; what Info answers is replaced as a whole when a block is committed; CheckTx
// works on the state machine's pool, which stands on committed state.
//
// A crash between any two writes of Commit is repaired by repetition: Info tells the
// engine the state's height, the engine executes the next block again, and both the
// event log and the state accept what they already have.
//
// # Deployments
//
// To make a contract ready takes a second, for which everybody waits whose block deploys it, or upgrades to it. So a block holds one such
// at most: a proposer takes one, ProcessProposal rejects a block with two, and the state machine refuses the second. While it waits
// in the mempool each node makes its code ready already, so that the block finds it done.
//
// # Errors
//
// A transaction that is refused or fails is an answer. A Go error from the
// state machine or the disk means that this node is broken; the application then takes
// part in nothing any more, and says so by [App.Failed] and [App.Err].
//
// # Authorities
//
// FinalizeBlock hands the engine what Seal says of the authorities: the difference between
// those that the contract in charge wants and those that the engine was given, both in state. So
// a block that is executed again says the same, and what was committed is never said twice. The
// engine asks the new set from two heights later on.
//
// # The true clock
//
// The engine stamps a block with the median time of the votes for the block before it.
// While blocks follow each other that is now, give or take a round trip; after a quiet
// hour it is an hour ago, and an expired grant would open the door. So a proposer whose
// own clock is more than [MaxLag] ahead of the block's time proposes an empty block
// first: its votes are made now, and the next block, a round later, has their time.
//
// A clock that is wrong by itself would make that happen for ever. Therefore a proposer
// repeats it only when, after an empty block that went by while transactions waited,
// ten times as long a silence has followed; a network in which every round takes long
// comes to its transactions all the same.
package app
