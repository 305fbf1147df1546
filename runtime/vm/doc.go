// Package vm runs contracts: Wasm modules, by wazero, which no other package of
// Ward imports.
//
//	code hash ──► modules ──► compiled once, kept while in use and then for a while
//	                 │
//	Engine.Call ─────┤  1  gas for the instance
//	                 │  2  a fresh instance: its memory, its globals
//	                 │  3  _initialize            only WASI answers
//	                 │  4  ward_call ◄──────────► bind: pointers -> slices ──► host.Call
//	                 │                            wasi: time, randomness, log
//	                 ▼
//	              Result{Code, ContractCode, Reason}; the rest is in the host.Call
//
// A call ends in one of three ways, as three kinds of value:
//
//   - a [Result]: the contract returned, failed, trapped, ran out of gas or did what
//     it may not. It is the same on every node, engine and platform;
//   - an error for which context.Cause of the given context is the reason: a view
//     took too long;
//   - any other error: this node is broken. It can't read its state, or the code in
//     its state is not what the hash says.
//
// If one of our own host functions panics, so does Call: that is a bug, and
// nothing that a contract can bring about.
//
// # What a contract sees
//
// The module "ward" is the table of runtime/abi, with the meaning of runtime/host.
// Every pointer and length is checked in one place (bind.go) before anything is
// read, allocated or looked up; a wrong one traps.
//
// The module "wasi_snapshot_preview1" is there because stock compilers import it.
// It is the same for everybody: the clock stands at the block's time, randomness is
// a public stream derived from the transaction, standard output and error go to
// the debug log, and there are no arguments, variables, files or sockets. Sleeping
// takes no time, though the monotonic clock moves on by it.
//
// _initialize and a start section see neither block nor transaction: the clock stands at one second
// after the epoch and the stream is derived from the code hash, because their effect
// depends on the code alone and may be kept.
//
// # What is not here yet
//
// Instructions are not metered and stack height is bounded by wazero's engines, at different depths:
// a contract that loops for ever in a transaction never returns, and one that recurses some thousand
// frames deep traps on the interpreter and not on the compiler. Until the code that is deployed counts
// for itself, only the operator deploys, and all authorities of a chain use the same engine.
package vm
