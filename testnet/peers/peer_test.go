package peers

import (
	"errors"

	"github.com/syndtr/goleveldb/leveldb/filter"
	"github.com/syndtr/goleveldb/leveldb/opt"
)

// A store is one of the things compared: rows that are written in blocks. It is
// for one goroutine. Neither side modifies a slice that it was given.
type store interface {
	// Write sets the rows of a block and commits it as the next height; where
	// there is a root it is known afterwards. What has reached the disk then is
	// each one's own promise, see peer.
	Write(block []row) error

	// Get returns the value under key at the latest height, or nil.
	Get(key []byte) ([]byte, error)

	// Scan visits the first n rows whose key is not below start, in order, at
	// the latest height.
	Scan(start []byte, n int, visit func(key, value []byte)) error

	// Prove returns a proof, as bytes for the wire, that the row under key has
	// its value at the latest height. errNone if the store has no proofs.
	Prove(key []byte) ([]byte, error)

	Close() error
}

// verifier is a store that can check its own proofs against its own root.
type verifier interface {
	Verify(key, value, proof []byte) error
}

var errNone = errors.New("there is no such thing here")

// options are those of a store. The zero value is the default.
type options struct {
	// keep is how many heights stay readable, where there are any. Default: all.
	keep int

	// sync makes every store fsync each of its batches. Default: as each does by
	// itself.
	sync bool
}

// peer is a kind of store.
type peer struct {
	name     string
	open     func(dir string, o options) (store, error)
	versions bool // old heights can be read, and are pruned
	proofs   bool
}

var peers = []peer{
	// One synced batch per block, as a node has it.
	{"ward", openWard, true, true},
	// Batches of 100 kB, not synced: a block may be torn by a power cut, and the
	// latest ones lost.
	{"iavl", openIAVL, true, true},
	// Values in one batch per block, inner nodes in batches of their own, not
	// synced: after a crash the tree is built again from the values.
	{"merkledb", openMerkleDB, false, true},
	// One synced batch per block.
	{"floor", openFloor, false, false},
}

// cacheBytes is the memory for tree nodes that the peers get, beside the 32 MiB
// for blocks of tables that everybody has: what Ward had while its tree was IAVL.
const cacheBytes = 40 << 20

// levelDB is what node/db opens goleveldb with.
func levelDB() *opt.Options {
	return &opt.Options{
		BlockCacheCapacity:           32 << 20,
		WriteBuffer:                  8 << 20,
		Filter:                       filter.NewBloomFilter(10),
		DisableLargeBatchTransaction: true,
		NoWriteMerge:                 true,
		Strict:                       opt.StrictJournalChecksum | opt.StrictBlockChecksum | opt.StrictCompaction | opt.StrictReader,
	}
}
