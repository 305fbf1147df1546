// Package abi describes the line between a contract and the runtime, as data.
//
//	   contract (Wasm, any language)
//	        │  imports  "ward"                      Table()   what a contract may ask of the runtime
//	        │  imports  "wasi_snapshot_preview1"    WASI()    what stock compilers import anyway
//	        │  exports  memory, _initialize,        Exports() what the runtime asks of a contract
//	        │           ward_call, ward_spec
//	        │  section  "ward_spec"                 Spec      methods, events and errors, typed and documented
//	        ▼
//	runtime/vm binds the tables, runtime/host gives them meaning,
//	sdk holds the guest's stubs, documentation is printed from the same rows
//
// A [Spec] says what a contract offers: the CLI, the HTTP API and the dashboard
// take their flags, types and help from it. It is canonical CBOR (runtime/cbor)
// in a custom section of the module, so it is covered by the code hash.
//
// The names that contracts, methods, events and collections may have, and the
// sizes of what crosses the line, are here too (names.go, bounds.go), once for
// everybody.
//
// Guests import this package: it uses no fmt, no reflection, no encoding/json.
// It does not know what any function does to state; that is runtime/host.
package abi
