// Package eventlog is the node's durable memory of what happened: receipts and events of
// every block, append-only, kept when blocks and state are pruned.
//
//	Append(block) ──► one synced batch ──► rows on disk, seen by nobody
//	                                            │
//	   (the state commits the same block)       │
//	                                            ▼
//	Raise(height) ───────────────────────► published: Events, Tx, Block ... see it,
//	                                       and everybody who waits on Signal wakes
//
// The order is the point: event log, then state, then Raise. After a crash between the
// first two the log holds a block that the state does not; the engine replays that block,
// Append finds it already there, and because nothing above the raised height is ever shown,
// no reader can have seen an event of a block that had not happened.
//
// Readers never hold up the writer: a reader has a cursor of its own and reads rows; there
// are no queues to overflow. One call looks at so many events and bytes at most, and two long
// ones run on each processor at a time; others wait for their turn, so that whoever executes
// the next block finds a processor.
//
// Rows (all integers big-endian, so that keys sort as the chain does):
//
//	v                               the format's version
//	b | height                      the block: time, hash, root, counts, digest
//	r | height | tx                 a receipt without its events
//	e | cursor                      an event, with its transaction's id and its block's time
//	c | contract | cursor           index: the events of a contract
//	i | contract | name | cursor    index: the events of a contract with one name
//	t | id                          where a transaction was refused, where it was executed
//
// Every value starts with a checksum over key and value, so that a damaged row is an error
// that names the row, and never a wrong answer.
//
// The package knows no network, no specs and no consensus types.
package eventlog
