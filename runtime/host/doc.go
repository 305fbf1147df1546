// Package host says what each function that a contract may call means, on plain
// Go values. It knows nothing of Wasm: runtime/vm turns pointers into slices and
// calls the methods of a [Call]; a test calls them directly.
//
//	runtime ── fills in ──► Call{Contract, Method, Args, Sender, Block, Gas, Store...}
//	                          │
//	runtime/vm ── Get, Set, Delete, Scan, Emit, Return, Fail, Verify... ──►│
//	                          │                                            ▼
//	                          │                              Store, Accounts (state, registry)
//	                          ▼
//	runtime ◄── reads ── Events, Result, Log
//
// A method of a Call answers in one of three ways:
//
//   - a value, which may be "there is none";
//   - a [*Stop]: the call has ended, with this code and reason, the same on every
//     node. Nothing of the contract may run after it;
//   - any other error: this node could not read or write its own state. It says
//     nothing about the contract.
//
// Everything is paid for before it is done (runtime/gas), and bounded by the
// constants of runtime/abi before that.
//
// # Reasons are consensus
//
// The reason of a Stop is written for people, but the runtime puts it in the
// event that tells of a refused transaction, so two nodes that word it
// differently fork. Reasons here hold only what every node knows: no
// library's error text, no address in memory, nothing that depends on the engine. To
// change one is to change the protocol. What a library has to say goes to the log.
package host
