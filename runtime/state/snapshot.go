package state

import (
	"fmt"
	"slices"

	"github.com/cosmos/iavl"
	iavldb "github.com/cosmos/iavl/db"
)

// A Snapshot reads the rows of one committed height, as they were, however many
// blocks are committed meanwhile. It may be used from several goroutines. As
// long as it is open, pruning leaves its height and all later ones alone: Close
// it.
type Snapshot struct {
	at      reader
	root    []byte
	release func()
}

// Height returns the height that the snapshot reads; 0 is the empty state before
// the first commit.
func (s *Snapshot) Height() uint64 { return s.at.height }

// Root returns the root of that height, or nil at height 0.
func (s *Snapshot) Root() []byte { return slices.Clone(s.root) }

// Get returns the value of a row, or nil if there is none; a present but empty
// value is not nil. The result must not be modified.
func (s *Snapshot) Get(collection, key []byte) ([]byte, error) {
	if err := checkRow(collection, key); err != nil {
		return nil, err
	}
	return s.at.get(rowKey(make([]byte, 0, 64), collection, key))
}

// Scan visits the rows of a collection with start <= key < end in ascending
// order of their keys, or in descending order if reverse is set, until visit
// returns false. An empty start is the first row, an empty end is past the last.
// Key and value must not be modified.
func (s *Snapshot) Scan(collection, start, end []byte, reverse bool, visit func(key, value []byte) bool) error {
	if err := checkCollection(collection); err != nil {
		return err
	}
	low, high := rowRange(collection, start, end)
	c, err := s.at.scan(low, high, reverse)
	if err != nil {
		return err
	}
	for {
		key, value, err := c.next()
		if key == nil || err != nil {
			return err
		}
		if !visit(key[1+len(collection):], value) {
			return nil
		}
	}
}

// Overlay returns an overlay over the snapshot, for views and for trials of
// transactions. It cannot be staged, and must not outlive the snapshot.
func (s *Snapshot) Overlay() *Overlay { return newOverlay(nil, s.at) }

// Close lets pruning have the height. It may be called more than once; the
// snapshot must not be used afterwards.
func (s *Snapshot) Close() { s.release() }

// reader reads one version of the tree; with a nil tree there are no rows.
type reader struct {
	tree   *iavl.ImmutableTree
	nodes  *nodes // of the tree
	height uint64
	err    error // why the version could not be opened; answers every read
}

func (r reader) get(key []byte) (value []byte, err error) {
	if r.tree == nil {
		return nil, r.err
	}
	defer guard("get", &err)
	value, err = r.tree.Get(key)
	if err != nil {
		return nil, fmt.Errorf("state: get row %x at height %d: %w", key, r.height, r.nodes.cause(err))
	}
	return slices.Clip(value), nil // clipped: behind it in memory lies its checksum
}

// cursor walks a range of the tree's keys.
type cursor struct {
	reader
	low, high []byte
	it        iavldb.Iterator
	count     int64
}

func (r reader) scan(low, high []byte, reverse bool) (c *cursor, err error) {
	c = &cursor{reader: r, low: low, high: high}
	if r.tree == nil {
		return c, r.err
	}
	defer guard("scan", &err)
	if c.it, err = r.tree.Iterator(low, high, !reverse); err != nil {
		return nil, fmt.Errorf("state: scan at height %d: %w", r.height, r.nodes.cause(err))
	}
	return c, nil
}

// next returns the next row with the tree's key, or a nil key at the end.
func (c *cursor) next() (key, value []byte, err error) {
	if c.it == nil {
		return nil, nil, nil
	}
	defer guard("scan", &err)
	if c.it.Valid() {
		key, value = c.it.Key(), slices.Clip(c.it.Value())
		c.count++
		c.it.Next()
		return key, value, nil
	}
	c.it = nil
	return nil, nil, c.complete()
}

// complete says whether the range really ended: the library's iterator takes a
// failed read for the end.
func (c *cursor) complete() error {
	first, _, err := c.tree.GetWithIndex(c.low)
	if err != nil {
		return fmt.Errorf("state: scan at height %d: %w", c.height, c.nodes.cause(err))
	}
	last, _, err := c.tree.GetWithIndex(c.high)
	if err != nil {
		return fmt.Errorf("state: scan at height %d: %w", c.height, c.nodes.cause(err))
	}
	want := max(last-first, 0)
	if c.count == want {
		return nil
	}
	for i := first; i < last; i++ {
		if _, _, err := c.tree.GetByIndex(i); err != nil {
			return fmt.Errorf("state: scan at height %d: %w", c.height, c.nodes.cause(err))
		}
	}
	// Every row can be read after all, so that the failure was a passing one.
	return fmt.Errorf("state: scan at height %d was cut short: %d of %d rows", c.height, c.count, want)
}

// guard turns a panic of the library into an error; deferred by whoever calls
// it, around nothing but that call.
func guard(what string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %s: the tree gave up: %v", ErrCorrupt, what, r)
	}
}
