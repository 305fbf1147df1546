package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cosmos/iavl"
)

// Options are the choices of whoever opens a State. The zero value is the
// default of each.
type Options struct {
	// Keep is how many committed heights can be read: the latest and Keep-1
	// before it. Default 1,000: a quarter of an hour of blocks at one a second,
	// most of a day at the pace of a quiet chain, and under load at most a few
	// gigabytes. At least 2, because the overlay of the block in work reads the
	// height below the one that is being committed.
	Keep uint64

	// CacheNodes is how many tree nodes the readers and the writer keep in
	// memory, each for themselves; a node takes about 400 bytes. Default
	// 100,000 (2 times 40 MB), which is the upper 16 levels.
	CacheNodes int
}

const (
	defaultKeep       = 1000
	defaultCacheNodes = 100_000

	// pruneStep is how many heights one commit prunes at most. One falls out of
	// the window with each commit; the second catches up after Keep was lowered
	// or a snapshot held pruning back, at a bounded cost per block.
	pruneStep = 2

	// pruneCacheNodes is the pruner's cache: successive prunings compare each
	// height with the next, so that every node is wanted twice.
	pruneCacheNodes = 20_000
)

// Validate says which option is out of its range.
func (o Options) Validate() error {
	if o.Keep == 1 {
		return errors.New("state: keep is 1 height, must be at least 2")
	}
	if o.CacheNodes < 0 {
		return fmt.Errorf("state: cache of %d nodes, must not be negative", o.CacheNodes)
	}
	return nil
}

// A PrunedError answers a height that cannot be read: it was pruned, or is not
// there yet.
type PrunedError struct {
	Height   uint64 // that was asked for
	Earliest uint64 // height that can be read
	Latest   uint64 // height that can be read
}

func (e *PrunedError) Error() string {
	return fmt.Sprintf("height %d is not available, earliest is %d, latest is %d", e.Height, e.Earliest, e.Latest)
}

// State is the chain's state in a DB that it owns. Reading, in Snapshots and
// Overlays, runs beside Stage and Commit and never waits for them.
type State struct {
	db   DB
	opts Options

	// readers holds no rows: it turns a height into a tree, over a node cache
	// that no writer touches.
	readers *iavl.MutableTree
	reads   *nodes

	tipMu sync.Mutex // never held during I/O
	tip   tip
	pins  map[uint64]int // open snapshots per height

	work sync.Mutex // one Stage or Commit at a time; guards what follows
	// writer is the tree that stages are computed in, over writes; nil after a
	// failure, and then opened anew from the disk.
	writer *iavl.MutableTree
	writes *nodes
	staged *Stage // the one whose rows the writer holds
	pruner *pruner
}

// tip is what is committed. Its record is written in the same batch as the
// nodes of its height.
type tip struct {
	height   uint64 // latest; 0 before the first commit
	earliest uint64 // that can be read
	root     []byte
}

// recordKey is outside the prefixes of the tree, which are lower-case letters.
var recordKey = []byte("\x00state")

const recordVersion = 1

func (t tip) encode() []byte {
	b := []byte{recordVersion}
	b = binary.BigEndian.AppendUint64(b, t.height)
	b = binary.BigEndian.AppendUint64(b, t.earliest)
	return append(b, t.root...)
}

func decodeTip(b []byte) (tip, error) {
	if len(b) == 0 || b[0] != recordVersion {
		return tip{}, fmt.Errorf("state: record %x is of a format that this release does not know", b)
	}
	if len(b) != 1+8+8+32 {
		return tip{}, fmt.Errorf("%w: record is %d bytes, must be 49", ErrCorrupt, len(b))
	}
	return tip{
		height:   binary.BigEndian.Uint64(b[1:]),
		earliest: binary.BigEndian.Uint64(b[9:]),
		root:     slices.Clone(b[17:]),
	}, nil
}

// Open returns the state that db holds; an empty db is an empty state at height
// 0. The State owns db until it is no longer used; there is nothing to close
// but db. Open fails if db holds anything else, or a state whose latest root
// cannot be read.
func Open(db DB, o Options) (*State, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Keep == 0 {
		o.Keep = defaultKeep
	}
	if o.CacheNodes == 0 {
		o.CacheNodes = defaultCacheNodes
	}
	s := &State{db: db, opts: o, pins: map[uint64]int{}, reads: &nodes{db: db}}
	s.readers = openTree(s.reads, o.CacheNodes)

	stored, err := db.Get(recordKey)
	if err != nil {
		return nil, fmt.Errorf("state: read the record: %w", err)
	}
	if stored == nil {
		var foreign []byte
		err := db.Scan(nil, nil, false, func(key, _ []byte) bool { foreign = bytes.Clone(key); return false })
		if err != nil {
			return nil, fmt.Errorf("state: look for rows: %w", err)
		}
		if foreign != nil {
			return nil, fmt.Errorf("%w: no record of a height, but a row %x", ErrCorrupt, foreign)
		}
		return s, nil
	}
	record, err := unseal(recordKey, stored)
	if err != nil {
		return nil, err
	}
	if s.tip, err = decodeTip(record); err != nil {
		return nil, err
	}
	if err := s.openWriter(); err != nil {
		return nil, err
	}
	return s, nil
}

// openWriter loads the tree at the tip and compares its root with the record.
func (s *State) openWriter() (err error) {
	defer guard("open", &err)
	t := s.committed()
	n := &nodes{db: s.db}
	tree := openTree(n, s.opts.CacheNodes)
	if t.height > 0 {
		if _, err := tree.LoadVersion(int64(t.height)); err != nil {
			return fmt.Errorf("state: load height %d: %w", t.height, n.cause(err))
		}
		if root := tree.Hash(); !bytes.Equal(root, t.root) {
			return fmt.Errorf("%w: the tree of height %d has root %x, its record says %x", ErrCorrupt, t.height, root, t.root)
		}
	}
	s.writer, s.writes, s.staged = tree, n, nil
	return nil
}

func (s *State) committed() tip {
	s.tipMu.Lock()
	defer s.tipMu.Unlock()
	return s.tip
}

// Height returns the latest committed height; 0 before the first commit.
func (s *State) Height() uint64 { return s.committed().height }

// Earliest returns the earliest height that At answers.
func (s *State) Earliest() uint64 { return s.committed().earliest }

// Root returns the root of the latest committed height, or nil before the first
// commit.
func (s *State) Root() []byte { return slices.Clone(s.committed().root) }

// At returns a snapshot of a committed height; 0 asks for the latest, which
// before the first commit is the empty state. A height outside the window is a
// *PrunedError, never another height. The caller closes the snapshot.
func (s *State) At(height uint64) (*Snapshot, error) {
	s.tipMu.Lock()
	t := s.tip
	if height == 0 {
		height = t.height
	}
	if height < t.earliest || height > t.height {
		s.tipMu.Unlock()
		return nil, &PrunedError{Height: height, Earliest: t.earliest, Latest: t.height}
	}
	s.pins[height]++ // before the lock is left: pruning looks under the same lock
	s.tipMu.Unlock()

	release := sync.OnceFunc(func() {
		s.tipMu.Lock()
		defer s.tipMu.Unlock()
		if s.pins[height]--; s.pins[height] == 0 {
			delete(s.pins, height)
		}
	})
	at, err := s.read(height)
	if err != nil {
		release()
		return nil, err
	}
	snap := &Snapshot{at: at, release: release}
	if at.tree != nil {
		snap.root = at.tree.Hash()
	}
	return snap, nil
}

// read returns a reader of a height that is committed and not pruned.
func (s *State) read(height uint64) (r reader, err error) {
	if height == 0 {
		return reader{}, nil
	}
	defer guard("open height", &err)
	tree, err := s.readers.GetImmutable(int64(height))
	if err != nil {
		return reader{}, fmt.Errorf("state: open height %d: %w", height, s.reads.cause(err))
	}
	return reader{tree: tree, nodes: s.reads, height: height}, nil
}

// Overlay returns an empty overlay over the latest committed height, for one
// block. It may be read and staged until the next height is committed. If the
// height cannot be read, every use of the overlay says so.
func (s *State) Overlay() *Overlay {
	at, err := s.read(s.Height())
	at.err = err
	return newOverlay(s, at)
}
