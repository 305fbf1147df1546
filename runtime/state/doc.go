// Package state keeps the chain's authenticated, versioned, ordered rows.
//
//	Snapshot (a committed height) <- queries and views
//	   └─ Overlay (this block)    <- Checkpoint / Revert, one per transaction
//	        └─ Stage (root known, nothing on disk) -> Commit -> the next height
//
// It knows nothing of contracts or transactions: a row is a value under a key
// in a collection, and all three are bytes. Rows of one collection are ordered
// by their keys. The root commits to every row; it is known at Stage, before
// anything touches the disk, and an unchanged state keeps its root from height
// to height.
//
// # Durability
//
// Commit hands the storage below one batch: the rows, what they were, the new
// pages of the tree and the record that names height and root. The batch is
// atomic and synced, so that a process that dies at any moment comes back at
// the height before or at the height after, never between. Synced, because a
// node answers "committed" and streams events as soon as Commit returns; on a
// chain of one authority nobody else could tell it again, and the engine prunes
// the blocks from which it could be replayed. One fsync a block is small beside
// those of the engine's own log.
//
// Commit is repeatable. After a failure the state is at the old height or at
// the new one; the same block, staged again over the old height, gives the same
// root, and a Stage whose height is already there with its root commits as a
// no-op.
//
// Old heights leave by Prune, which the host calls beside its blocks.
//
// # Storage
//
// A [DB] is four methods and owns nothing but bytes; node/db (LevelDB) and
// [NewMemory] satisfy it, and package statetest is what any other one must pass.
// Each row in it ends in a checksum over key and value, so that a flipped bit is
// an error which names the row and never a different answer. What a checksum
// can't tell, a row that is gone, Verify finds.
//
// disk.go says what lies where, and package merkle how the tree is made.
//
// # Proofs
//
// A row is proven under its path, SHA-256(collection)[:23] || SHA-256(key), with
// the SHA-256 of its value, by anybody who has a verifier of ICS23 and
// [ProofSpec]. [Snapshot.ProveCollection] proves that nothing was withheld. A
// Snapshot travels in chunks that are checked on arrival ([Snapshot.Export],
// [OpenImport]).
package state
