// Package build makes a contract's Wasm from its source, in Go or in C.
//
//	folder ──go build──► module ──ward_spec, run by runtime/vm──► spec
//	                        │                                      │ + toolchain
//	                        └───────────────┬──────────────────────┘
//	                              module with the section ward_spec ──► hash
//
// The spec is asked of the compiled contract itself, so it can't say anything else
// than what the contract does.
//
// The same sources and the same Go toolchain give the same bytes in any folder,
// on any machine: everything in the environment that could make a difference is
// set or taken away, no path and no version control stamp gets in. The toolchain
// is recorded in the spec, so that somebody else can build the same hash again.
//
// What the contract or the engine complains of is looked up in the source, so that the author
// reads file, line and what to do ([SourceError]).
//
// A contract in C is a folder with C files and none of Go. clang makes it, and its spec is what
// [SpecFile] says.
//
// It needs the Go command, or clang. Release binaries carry the standard contracts
// (package contracts) and need none.
package build
