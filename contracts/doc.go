// Package contracts holds the standard contracts: device policies, one folder each,
// which a chain has from its genesis on.
//
//	devices/   is this device who it says it is
//	access/    may this subject do that to this object
//	authority/ who runs the chain
//	remote/    how they call each other: clients, generated from their specs
//
// They are ordinary contracts: their folders import nothing of Ward but sdk and those clients, and
// nothing here gives them more than any other contract has. This package, in
// contrast, belongs to the host's side: it hands out their Wasm.
//
// [Standard] builds them from source with the Go command when it is called, which
// takes half a second each once the Go build cache is warm; nothing compiled is
// committed and nothing but the Go build cache is kept. In a release, built with
// the tag ward_release, they are embedded and no Go is needed; contracts/embed
// makes the files for that.
package contracts

//go:generate go run ./embed
