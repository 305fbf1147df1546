// Package sdktest runs a contract's real Wasm in the real runtime inside go test:
// no node, no network, and the test holds the clock.
//
//	func TestDoor(t *testing.T) {
//		chain := sdktest.New(t, sdktest.Contract{Dir: "."})
//		owner := chain.Account("owner")
//
//		chain.Call(owner, "hello", "open", nil).OK().Emitted("opened")
//
//		chain.Advance(12 * sdk.Hour)
//		chain.Call(owner, "hello", "open", nil).Failed("closed")
//
//		var count uint64
//		chain.View("hello", "opened", nil).OK().Result(&count)
//	}
//
// Each Call is a signed transaction in a block of its own, and goes the whole way:
// admission, replay window, scope and quota, then the contract, then a commit. Time
// stands still unless the test moves it. [Chain.Block] puts several in one block.
//
// What a test says when it fails has a trace with the names of the contract's functions, where it trapped. The module that runs is the one that would be
// deployed, of the same bytes and gas, and has no names in it.
//
// A test goes back to an earlier moment with [Chain.Checkpoint] and [Chain.Revert], keeps what calls cost with
// [Chain.GasReport], and tries random calls with [Chain.Explore]. [Standard] has the contracts that every chain begins with,
// and [Chain.Device] enrols devices in one of them.
//
// The engine is in the test's process in Ward's own repository. In a contract's folder that `ward contract new` has made it is in
// the command ward, which the test starts (WARD says which one): so an author's module needs nothing but the SDK.
//
// Contracts are built by sdk/build when [New] is called, once in a test binary.
// Everything else is made anew by each New, so tests may run in parallel. Keys
// follow from their names, and nothing depends on the machine: a test that prints
// receipts and events prints the same everywhere.
//
// A Chain belongs to one goroutine. What goes wrong in the harness, as opposed to
// the contract, ends the test.
package sdktest
