package state

import (
	"bytes"
	"fmt"
	"iter"

	"github.com/wardledger/ward/runtime/state/merkle"
)

// A Snapshot reads the rows of one committed height, as they were, however many
// blocks are committed or pruned meanwhile. It may be used from several
// goroutines. As long as it is open the storage keeps what it sees: Close it.
type Snapshot struct {
	at      reader
	release func()
}

// Height returns the height that the snapshot reads; 0 is the empty state before
// the first commit.
func (s *Snapshot) Height() uint64 { return s.at.height }

// Root returns the root of that height, or nil at height 0.
func (s *Snapshot) Root() []byte {
	if s.at.height == 0 {
		return nil
	}
	root := s.at.root.Root()
	return root[:]
}

// Rows returns how many rows there are.
func (s *Snapshot) Rows() uint64 { return s.at.root.Count }

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
	return s.at.scan(low, high, reverse, func(key, value []byte) bool { return visit(key[1+len(collection):], value) })
}

// Overlay returns an overlay over the snapshot, for views and for trials of
// transactions. It cannot be staged, and must not outlive the snapshot.
func (s *Snapshot) Overlay() *Overlay { return newOverlay(nil, s.at) }

// Close lets the storage forget the snapshot. It may be called more than once;
// the snapshot must not be used afterwards.
func (s *Snapshot) Close() { s.release() }

// reader reads one height. At height 0 there are no rows.
type reader struct {
	view   *view
	cache  *cache
	height uint64
	root   merkle.Node
	err    error // why the height could not be opened; answers every read
}

// latest reports whether nothing newer than the reader's height is in its view.
func (r *reader) latest() bool { return r.height == r.view.height }

func (r *reader) get(rowKey []byte) ([]byte, error) {
	if r.err != nil || r.height == 0 {
		return nil, r.err
	}
	var scratch [1 + MaxRowKey]byte
	scratch[0] = kindRow
	key := append(scratch[:1], rowKey...)
	s, found, err := getStored(r.view, key)
	if err == nil && !found && !r.latest() {
		scratch[0] = kindDeletedRow
		s, found, err = getStored(r.view, key)
	}
	if err == nil && found {
		s, found, err = r.back(rowKey, s)
	}
	if err != nil {
		return nil, fmt.Errorf("state: get row %x at height %d: %w", rowKey, r.height, err)
	}
	if !found || s.deleted {
		return nil, nil
	}
	return s.value, nil
}

// back follows a row's versions to the one that the height has.
func (r *reader) back(rowKey []byte, s stored) (_ stored, found bool, err error) {
	for s.version > r.height {
		if !s.older {
			return stored{}, false, nil
		}
		key := historyKey(s.version, rowKey)
		older, found, err := getStored(r.view, key)
		if err != nil {
			return stored{}, false, err
		}
		if !found || older.version >= s.version {
			return stored{}, false, fmt.Errorf("%w: row %x is missing, or of version %d", ErrCorrupt, key, older.version)
		}
		s = older
	}
	return s, true, nil
}

// scan visits the rows low <= row key < high.
func (r *reader) scan(low, high []byte, reverse bool, visit func(key, value []byte) bool) error {
	if r.err != nil || r.height == 0 {
		return r.err
	}
	var failed error
	show := func(key []byte, s stored, err error) bool {
		found := true
		if err == nil && s.version > r.height {
			s, found, err = r.back(key, s)
		}
		if err != nil {
			failed = err
			return false
		}
		return !found || s.deleted || visit(key, s.value)
	}
	var err error
	if r.latest() {
		err = r.view.Scan(kindKey(kindRow, low), kindKey(kindRow, high), reverse, func(key, sealed []byte) bool {
			key, sealed = keep(key, sealed)
			s, err := decodeStored(key, sealed)
			return show(key[1:], s, err)
		})
	} else {
		err = r.merged(low, high, reverse, show)
	}
	if failed != nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("state: scan at height %d: %w", r.height, err)
	}
	return nil
}

// merged visits the rows that are and those that were deleted since, in one order.
func (r *reader) merged(low, high []byte, reverse bool, show func(key []byte, s stored, err error) bool) error {
	var failed error
	deleted := func(yield func([]byte, stored) bool) {
		err := r.view.Scan(kindKey(kindDeletedRow, low), kindKey(kindDeletedRow, high), reverse, func(key, sealed []byte) bool {
			key, sealed = keep(key, sealed)
			s, err := decodeStored(key, sealed)
			if err != nil {
				failed = err
				return false
			}
			return yield(key[1:], s)
		})
		if err != nil {
			failed = err
		}
	}
	next, stop := iter.Pull2(iter.Seq2[[]byte, stored](deleted))
	defer stop()
	key, s, more := next()
	ended := false
	// before shows the deleted rows on this side of a key; a nil key is behind all.
	before := func(at []byte) bool {
		for more && failed == nil {
			c := -1
			if at != nil {
				if c = bytes.Compare(key, at); reverse {
					c = -c
				}
			}
			if c >= 0 {
				break
			}
			if !show(key, s, nil) {
				ended = true
				return false
			}
			key, s, more = next()
		}
		return failed == nil
	}
	err := r.view.Scan(kindKey(kindRow, low), kindKey(kindRow, high), reverse, func(key, sealed []byte) bool {
		if !before(key[1:]) {
			return false
		}
		key, sealed = keep(key, sealed)
		s, err := decodeStored(key, sealed)
		if !show(key[1:], s, err) {
			ended = true
			return false
		}
		return true
	})
	if err == nil && !ended {
		before(nil)
	}
	if failed != nil {
		return failed
	}
	return err
}

// keep copies what a storage shows only for the time of a visit.
func keep(key, value []byte) ([]byte, []byte) {
	n := len(key)
	b := append(append(make([]byte, 0, n+len(value)), key...), value...)
	return b[:n:n], b[n:]
}

// Load implements [merkle.Loader].
func (r *reader) Load(k merkle.Key) (*merkle.Page, error) { return r.cache.load(r.view, k) }
