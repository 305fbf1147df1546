// Package hostile holds contracts that misbehave on purpose, in its tests: they trap, loop, recurse,
// forge pointers, flood, write where they may not, take powers that they were not given, exhaust what there is, play with the gas of
// those that they call, have others do what they may not, answer with rubbish, spin while they start, compile to more than they look, and never end. Each test says with which receipt.Code and
// reason that ends.
//
// Every case runs several times on four engines that nothing may tell apart: the compiler with instances from the pool, with an
// instance from the snapshot for each call, and with one that starts anew, and the interpreter. The result, the gas, the events, the
// log and what was written must be the same, and an honest contract must run as before afterwards. TestNode has the
// same of a chain, TestCalls of contracts that call each other on it: receipts and roots.
//
// Most are a few instructions, assembled by runtime/vm/wasmtest. Where the
// runtime of a compiler matters (panics, memory, stacks) they are plain Go, in
// testdata/guest.
//
// Nothing here is deployed anywhere.
package hostile
