// Package consensus runs the consensus engine, CometBFT, inside this process.
//
//	Submit ──► mempool ──► proposal ──► votes ──► block
//	             │            │                     │
//	             ▼            ▼                     ▼
//	          CheckTx   Prepare/ProcessProposal   FinalizeBlock, Commit      (node/app, by ABCI)
//
// It is the only place that knows how the engine is configured, where its files
// are and what its log says. The application comes in as an ABCI application;
// everybody else sees an [Engine]: hand in a transaction, ask how it is going,
// stop. Nobody writes consensus here.
//
// The engine is set up quiet (no empty blocks but one a minute, and those that
// node/app asks for to keep the clock true) and quick (no pause after a commit;
// a single authority commits as fast as its disk syncs). Its transaction index
// and its metrics are off: Ward has its own. What it does keep is each block's
// results, so that a stock light client, which checks /block_results against the
// next header, works against the engine's RPC.
//
// The engine panics, or only logs, when it can't go on. Both become an error
// here: New and Start return it, or [Engine.Done] is closed and [Engine.Err] says
// what happened.
package consensus
