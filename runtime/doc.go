// Package runtime is Ward's state machine: signed bytes and a block header go in; receipts,
// events and a state root come out. It knows no sockets, files, clocks or consensus types.
//
// The way of one signed transaction:
//
//	                 raw bytes                               Header{Height, Time}
//	                     │                                          │
//	Pool.Check ──────────┤ (the same admission,                     ▼
//	 on the committed    │  on a pending overlay)             Runtime.Begin
//	 state               ▼                                          │
//	              tx.Decode   size, canonical form                  ▼
//	                     │                                        Block
//	              admit       chain, expiry, key, scope, quota,     │
//	                     │    replay slot, signature                │
//	                     │ no: nothing at all has changed           │
//	                     ▼                                          │
//	              state.Checkpoint ◄──── slot and quota stay ───────┤
//	                     │                                          │
//	              registry: name -> code                            │
//	                     │                                          │
//	              vm.Call ◄──► host   what each import means;       │
//	                     │            a call of another contract    │
//	                     │            comes back to "name -> code"  │
//	                     │                                          │
//	        ┌────────────┴────────────┐                             │
//	     success                   failure                          │
//	  writes and events        writes and events revert,            │
//	  stay                     one `refused` event stays            │
//	        └────────────┬────────────┘                             │
//	                     ▼                                          ▼
//	              receipt.Receipt                             Block.Seal
//	                                                                │
//	                                              Stage{Root}: known, not yet true
//	                                                                │
//	                                                          Stage.Commit
//
// [Runtime.View] asks a contract, [Runtime.Simulate] makes a call without effect, and [Runtime.TraceTx] executes a transaction
// again at its place: each on a committed height, in an overlay that is thrown away, beside the block in the making.
//
// Three kinds of failure are three kinds of value. "The contract said no" and "the machine
// stopped it" are codes in a [receipt.Receipt], the same on every node. "This node is broken" is a Go
// error, after which the node stops rather than guesses.
package runtime
