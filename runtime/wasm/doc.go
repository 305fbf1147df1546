// Package wasm reads WebAssembly modules (core specification 2.0, binary format) and checks
// that they are valid. It knows nothing of contracts: what may be deployed is for
// runtime/vet to say, and runtime/meter rewrites what was read.
//
//	bytes ──Decode──► Module ──Validate──► every function type-checked
//	                     │
//	                     └── Body.Instructions: one Instruction after the other, for whoever rewrites
//
// A decoder of our own, because whether a module is accepted is consensus: it must not change
// with a library's release. wazero, which compiles the module afterwards, is the oracle of the tests.
//
// Nothing is allocated by a number that a module merely claims: each count is first held against
// the bytes that are there and against a bound.
package wasm
