// Package peers holds runtime/state against the libraries that it could have
// been, and against the disk store below all of them. It is a module of its own,
// so that they never enter Ward's dependencies; everything in it is a test.
//
//	rows (seeded: the same keys, values and blocks for everybody)
//	  └─ store (one small interface)
//	       ├─ ward      runtime/state over node/db
//	       ├─ iavl      github.com/cosmos/iavl
//	       ├─ merkledb  github.com/ava-labs/avalanchego/x/merkledb
//	       └─ floor     node/db alone: no root, no proof, no history
//	            └─ goleveldb, with the options of node/db
//
// README.md says how to run it and how to read it.
package peers
