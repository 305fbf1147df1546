// Package genesis is the first page of a chain: what every node must agree on
// before there is anything to vote about.
//
//	genesis.json  -- Parse -->  Genesis  -- node/consensus -->  the engine's own genesis (authorities, time, bounds)
//	                               └------- node/app, InitChain -->  the first state (accounts, contracts, operator)
//
// The document is made once, by [Genesis.Encode], and copied to all nodes as it
// is. It holds the code of the first contracts, so that a chain starts with its
// policies in force; the code travels compressed and is named by its hash.
// [Genesis.Digest] says in 32 bytes whether two documents start the same chain.
//
// A document comes from a stranger until it is parsed: everything in it is
// bounded before it is unpacked, unknown fields are refused (a misspelt bound
// must not silently become its default), and [Genesis.Validate] has been called
// when Parse returns.
//
// The package knows no engine and opens no files.
package genesis
