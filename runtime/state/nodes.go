package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"

	"github.com/cosmos/iavl"
	iavldb "github.com/cosmos/iavl/db"
)

// nodes is what one tree (the writer, the readers' or the pruner) sees of the
// storage: sealed rows to read, and a recorder instead of a way to write.
type nodes struct {
	db DB

	// written collects, in order, what the tree believes to have written. Only
	// the State decides whether that ever reaches the storage.
	written Batch

	// failed is the last read that failed, or missed a row that must exist. The
	// library forgets it in places: its iterators end as if there were no more,
	// and many of its errors carry only the text.
	failed atomic.Pointer[error]
}

var _ iavldb.DB = (*nodes)(nil)

// openTree returns a tree over n with a cache of the given number of nodes. It
// keeps no second copy of the rows and never splits a batch.
func openTree(n *nodes, cache int) *iavl.MutableTree {
	return iavl.NewMutableTree(n, cache, true, iavl.NewNopLogger(), iavl.FlushThresholdOption(math.MaxInt))
}

// take returns what the tree has written since the last take.
func (n *nodes) take() *Batch {
	b := n.written
	n.written = Batch{}
	return &b
}

// fail remembers and returns a failed read.
func (n *nodes) fail(err error) error {
	n.failed.Store(&err)
	return err
}

// cause returns an error of the library, wrapped around the failed read of which
// it tells, so that callers can ask for it.
func (n *nodes) cause(err error) error {
	if failed := n.failed.Load(); failed != nil && !errors.Is(err, *failed) && strings.Contains(err.Error(), (*failed).Error()) {
		return &readError{err, *failed}
	}
	return err
}

type readError struct{ err, read error }

func (e *readError) Error() string   { return e.err.Error() }
func (e *readError) Unwrap() []error { return []error{e.err, e.read} }

// Get implements iavldb.DB.
func (n *nodes) Get(key []byte) ([]byte, error) {
	stored, err := n.db.Get(key)
	if err != nil {
		return nil, n.fail(err)
	}
	if stored == nil {
		if err := missing(key); err != nil {
			return nil, n.fail(err)
		}
		return nil, nil
	}
	value, err := unseal(key, stored)
	if err != nil {
		return nil, n.fail(err)
	}
	return value, nil
}

// missing says what it means that a row is not there. Nodes lie under 's',
// version, nonce. A root (nonce 1) may have been moved to nonce 0, where the
// tree looks next; it asks for any other node because another says that it
// exists. And it asks for a row under 'r', version (of a format that nobody
// wrote here), only after missing the root of a version, which it is only asked
// for when the record says that it is there.
func missing(key []byte) error {
	switch {
	case len(key) == 13 && key[0] == 's' && binary.BigEndian.Uint32(key[9:]) != 1:
		return fmt.Errorf("%w: tree node %x is missing", ErrCorrupt, key)
	case len(key) == 9 && key[0] == 'r':
		return fmt.Errorf("%w: the root of height %d is missing", ErrCorrupt, binary.BigEndian.Uint64(key[1:]))
	}
	return nil
}

// Has implements iavldb.DB.
func (n *nodes) Has(key []byte) (bool, error) {
	stored, err := n.db.Get(key)
	if err != nil {
		return false, n.fail(err)
	}
	return stored != nil, nil
}

// Iterator implements iavldb.DB.
func (n *nodes) Iterator(start, end []byte) (iavldb.Iterator, error) {
	return n.rows(start, end, false)
}

// ReverseIterator implements iavldb.DB.
func (n *nodes) ReverseIterator(start, end []byte) (iavldb.Iterator, error) {
	return n.rows(start, end, true)
}

// Close implements iavldb.DB; the storage is its owner's to close.
func (n *nodes) Close() error { return nil }

// NewBatch implements iavldb.DB.
func (n *nodes) NewBatch() iavldb.Batch { return &recorder{nodes: n} }

// NewBatchWithSize implements iavldb.DB; the size is the flush threshold, which
// is no estimate.
func (n *nodes) NewBatchWithSize(int) iavldb.Batch { return &recorder{nodes: n} }

// recorder is a batch whose Write moves it to nodes.written.
type recorder struct {
	nodes *nodes
	batch Batch
}

func (r *recorder) Set(key, value []byte) error {
	r.batch.Set(key, seal(key, value))
	return nil
}

func (r *recorder) Delete(key []byte) error {
	r.batch.Delete(key)
	return nil
}

func (r *recorder) Write() error {
	r.nodes.written.append(&r.batch)
	r.batch = Batch{}
	return nil
}

func (r *recorder) WriteSync() error          { return r.Write() }
func (r *recorder) Close() error              { r.batch = Batch{}; return nil }
func (r *recorder) GetByteSize() (int, error) { return r.batch.Size(), nil }

// page is how many rows an iterator reads at once. The tree only ever asks for
// the first row of a range, to find its versions.
const page = 4

// rowIterator turns [DB.Scan] into the pull form, a page at a time.
type rowIterator struct {
	nodes      *nodes
	start, end []byte
	reverse    bool
	next       []op
	more       bool
	err        error
}

func (n *nodes) rows(start, end []byte, reverse bool) (iavldb.Iterator, error) {
	it := &rowIterator{nodes: n, start: start, end: end, reverse: reverse}
	it.fill()
	// Here and not through Error: the library forgets to ask in places.
	if it.err != nil {
		return nil, it.err
	}
	return it, nil
}

func (it *rowIterator) fill() {
	it.more = false
	err := it.nodes.db.Scan(it.start, it.end, it.reverse, func(key, stored []byte) bool {
		if len(it.next) == page {
			it.more = true
			return false
		}
		value, err := unseal(key, append([]byte(nil), stored...))
		if err != nil {
			it.err = err
			return false
		}
		it.next = append(it.next, op{append([]byte(nil), key...), value})
		return true
	})
	if it.err == nil {
		it.err = err
	}
	if it.err != nil {
		it.nodes.fail(it.err)
		it.next = nil
	}
}

func (it *rowIterator) Next() {
	last := it.next[0].key
	it.next = it.next[1:]
	if len(it.next) > 0 || !it.more {
		return
	}
	if it.reverse {
		it.end = last
	} else {
		it.start = append(last, 0)
	}
	it.fill()
}

func (it *rowIterator) Domain() (start, end []byte) { return it.start, it.end }
func (it *rowIterator) Valid() bool                 { return it.err == nil && len(it.next) > 0 }
func (it *rowIterator) Key() []byte                 { return it.next[0].key }
func (it *rowIterator) Value() []byte               { return it.next[0].value }
func (it *rowIterator) Error() error                { return it.err }
func (it *rowIterator) Close() error                { it.next = nil; return nil }
