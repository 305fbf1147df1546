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
// Commit hands the storage below one batch: the new tree nodes, the deletions
// that pruning asks for and the record that names height and root. The batch is
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
// # Storage
//
// A [DB] is three methods and owns nothing but bytes; node/db (LevelDB) and
// [NewMemory] satisfy it, and package statetest is what any other one must pass.
// Each row in it ends in a checksum over key and value, so that a flipped bit is
// an error which names the row and never a different answer.
//
// # What carries it
//
// The tree is github.com/cosmos/iavl, imported here and nowhere else. Four of
// its habits shape this package:
//
//   - Its root depends on the order of insertion, therefore writes are applied
//     in key order.
//   - It splits large batches by default, which would tear a commit; here its
//     batches are recorded and written by us, as one.
//   - Its writer changes nodes in place that its readers share, which is a data
//     race; here readers, writer and pruner have a node cache each.
//   - Its iterators end early and silently when a read fails. A scan that ends
//     is therefore checked against the number of rows that the tree says the
//     range has, and a pruning during which any read failed is thrown away.
//
// The tree always holds two rows of its own, below and above all others. They
// make an absence proof always have two neighbours, and they keep the root from
// being a leaf, which the library's pruning cannot always put back.
package state
