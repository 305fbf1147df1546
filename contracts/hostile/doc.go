// Package hostile holds contracts that misbehave on purpose, in its tests: they trap,
// forge pointers, flood, write where they may not, exhaust what there is, answer
// with rubbish and never end. Each test says with which receipt.Code that ends, on both
// of wazero's engines, and that an honest contract runs as before afterwards.
//
// Most are a few instructions, assembled by runtime/vm/wasmtest. Where the
// runtime of a compiler matters (panics, memory, stacks) they are plain Go, in
// testdata/guest.
//
// Nothing here is deployed anywhere.
package hostile
