// Package sdk is what the author of a contract imports.
//
// A contract is a Go package main with an empty main. It declares what it offers
// when it starts, and keeps what it knows in items and maps:
//
//	var opened = sdk.Event[Opened]("opened", "Somebody opened the door.")
//	var count = sdk.NewItem[uint64]("count")
//
//	func init() {
//		sdk.Describe("door", "A door that counts.")
//		sdk.Method("open", open, "Open the door.")
//	}
//
//	func open(c *sdk.Ctx, a OpenArgs) (OpenResult, error) { ... }
//
//	func main() {}
//
// (contracts/hello is that contract in full.) It is compiled by the stock Go tool,
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared
//
// and its spec, from which the CLI, the API and the dashboard take their types, is
// made of these declarations: wrong ones panic when the contract is built.
//
//	transaction ─ method, arguments ──► ward_call ─► Method's decoder ─► your function
//	                                                                       │  ▲
//	             Ctx, Item, Map, Set, Index, Counter, Event ◄──────────────┘  │
//	                               │ runtime/abi                              │
//	                               ▼                                          │
//	                            the chain        result, or error with a code ┘
//
// A function that returns an error has changed nothing: its writes and events are
// undone. Return an [ErrorCode] with a reason for a person. A policy that says no is
// not an error: answer that, and emit an event.
//
// # What a contract can rely on
//
// There is one caller at a time, no clock but [Ctx.Time], and no randomness. What a
// contract answers must follow from its arguments and its rows alone: never range
// over a Go map where the order shows. A panic ends the call as "trapped"; it is for
// what cannot be.
//
// Values on the wire (arguments, results, events, rows) are described in sdk/wire.
// The package avoids fmt, time and os: they would double a contract. [Text] formats.
//
// On other platforms than wasip1 the package compiles, so that editors and go vet
// work, and whatever would ask the chain panics. Tests run a contract's real Wasm
// through sdk/sdktest. (Only the examples of this package run natively.)
package sdk
