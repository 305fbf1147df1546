// Package vm runs contracts: Wasm modules, by wazero, which no other package of
// Ward imports.
//
//	Activate ─► vet ─► meter ─► wazero ─► _initialize ─► contract: machine code, image of the memory, globals, prices
//	             │       │        │           once, under gas, with no host but WASI
//	             │       │        └ on disk, for the next start of the node
//	             │       └ counts gas and stack for itself
//	             └ or Refused, with the rule
//
//	Call ──────► gas to enter ─► an instance: from the pool, or made from the image ─► ward_call ◄─► bind: pointers -> slices
//	                                   ▲                                                   │         ──► host.Call
//	                                   └── put back to the image ◄── it neither trapped ◄──┤         wasi: time, randomness, log
//	                                                                 nor grew its memory   ▼
//	                                                 Result{Code, ContractCode, Reason}; the rest is in the host.Call
//
// Which instance serves a call, how it came to be and which engine runs it changes no result and no gas: TestAgreement
// holds all ways against each other and against other platforms.
//
// A call ends in one of three ways, as three kinds of value:
//
//   - a [Result]: the contract returned, failed, trapped, ran out of gas or did what
//     it may not. It is the same on every node, engine and platform;
//   - an error for which context.Cause of the given context is the reason: a view
//     took too long. It ends at the next function of the host, and by its gas at the latest;
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
// depends on the code alone and is kept.
//
// # Gas
//
// A contract counts its instructions in a global of its own, in ticks (runtime/gas). At each crossing into the host
// what it has counted goes into the gas.Meter of the transaction, and what is left comes back from there, so that
// host functions and inner calls all draw on the same. Below zero a call is out of gas, however it ended.
//
// A call pays to enter by the memory that may have to be put back, and once more if it leaves no
// instance behind: because it trapped, or because its memory has grown, which can't be undone.
//
// # Memory
//
// On Linux an image is a file in memory, and an instance's memory a private mapping of it with room to grow. The kernel tells
// which blocks a call has written (PAGEMAP_SCAN), and only those are copied back; they stay private to the instance, so that the next
// call meets no page fault where the last one wrote. A small memory is copied as a whole, a
// kernel that can't tell drops everything, and elsewhere all is copied: the same results, more slowly.
package vm
