// Package vet decides, from its bytes alone, whether a module may be deployed as a contract.
//
//	bytes ─► wasm.Decode ─► bounds ─► imports, exports ─► wasm.Validate ─► Module
//	                                                        and each instruction: is it allowed?
//
// Any stock compiler's output passes: MVP, mutable globals, sign extension, saturating conversions, bulk memory,
// multi-value, reference types as compilers emit them. Refused are threads, SIMD, exceptions, tail calls, 64-bit memory,
// more than one memory, garbage collection, imports that are not in the tables of runtime/abi, and what a snapshot of an
// instance can't put back: mutable references in globals, whatever writes to a table, and the dropping of segments.
//
// Of an import that is not in the tables, or has another type there, the refusal says what the tables have and since which version
// of the interface, and of a contract that was made for a later version, which ones there are.
//
// Every refusal is a *wasm.Error that names section, index and rule, the same on every node and in
// every release that speaks the same protocol.
package vet
