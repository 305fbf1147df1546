package state

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/google/btree"
)

// An Overlay holds the writes of a block, or of a trial, over a committed
// height. Its reads and scans see its writes. Nothing of it reaches the disk
// before the Commit of its Stage. It is for one goroutine.
type Overlay struct {
	state *State // nil over a Snapshot
	base  reader

	rows    map[string]*row     // every row written since the base, by the tree's key
	order   *btree.BTreeG[*row] // the same rows in the order of their keys
	journal []undo              // how to take back each write, latest last
	scans   int                 // running, during which nothing may be written
	scratch [1 + MaxCollection + MaxKey]byte
}

// row is what the overlay knows of a row. Values are never changed in place, so
// that a Stage may share them.
type row struct {
	key     []byte
	value   []byte
	deleted bool
}

type undo struct {
	row   *row
	value []byte
	was   presence
}

type presence uint8

const (
	untouched presence = iota // the overlay did not know the row
	set
	deleted
)

// Mark is a moment in an overlay's life, to revert to.
type Mark int

// ErrScanning answers a write from inside a scan of the same overlay. Collect
// what you find, and write after the scan.
var ErrScanning = errors.New("state: write during a scan of the same overlay")

func newOverlay(s *State, base reader) *Overlay {
	return &Overlay{
		state: s,
		base:  base,
		rows:  map[string]*row{},
		order: btree.NewG(32, func(a, b *row) bool { return bytes.Compare(a.key, b.key) < 0 }),
	}
}

// Height returns the committed height under the overlay.
func (o *Overlay) Height() uint64 { return o.base.height }

// Get returns the value of a row, or nil if there is none; a present but empty
// value is not nil. The result must not be modified.
func (o *Overlay) Get(collection, key []byte) ([]byte, error) {
	if err := checkRow(collection, key); err != nil {
		return nil, err
	}
	k := rowKey(o.scratch[:0], collection, key)
	if r := o.rows[string(k)]; r != nil {
		return r.value, nil // nil if deleted
	}
	return o.base.get(k)
}

// Set writes a row; a nil value is an empty one. The overlay keeps copies. It
// fails only with [ErrBounds] or [ErrScanning].
func (o *Overlay) Set(collection, key, value []byte) error {
	if len(value) > MaxValue {
		return fmt.Errorf("%w: value is %d bytes, limit %d", ErrBounds, len(value), MaxValue)
	}
	return o.write(collection, key, append([]byte{}, value...))
}

// Delete removes a row, which need not exist. It fails like Set.
func (o *Overlay) Delete(collection, key []byte) error {
	return o.write(collection, key, nil)
}

func (o *Overlay) write(collection, key, value []byte) error {
	if err := checkRow(collection, key); err != nil {
		return err
	}
	if o.scans > 0 {
		return ErrScanning
	}
	k := rowKey(o.scratch[:0], collection, key)
	r := o.rows[string(k)]
	if r == nil {
		r = &row{key: bytes.Clone(k)}
		o.rows[string(k)] = r
		o.order.ReplaceOrInsert(r)
		o.journal = append(o.journal, undo{r, nil, untouched})
	} else if r.deleted {
		o.journal = append(o.journal, undo{r, nil, deleted})
	} else {
		o.journal = append(o.journal, undo{r, r.value, set})
	}
	r.value, r.deleted = value, value == nil
	return nil
}

// Checkpoint returns a mark of this moment. Marks nest, cost nothing and need no
// release.
func (o *Overlay) Checkpoint() Mark { return Mark(len(o.journal)) }

// Revert takes back every write since the mark, in time proportional to their
// number. The mark stays valid; later ones no longer are. It panics on a mark of
// a moment that was itself reverted, and during a scan.
func (o *Overlay) Revert(m Mark) {
	if o.scans > 0 {
		panic("BUG: state: revert during a scan of the same overlay")
	}
	if m < 0 || int(m) > len(o.journal) {
		panic(fmt.Sprintf("BUG: state: revert to mark %d of %d", m, len(o.journal)))
	}
	for i := len(o.journal) - 1; i >= int(m); i-- {
		u := o.journal[i]
		switch u.was {
		case untouched:
			delete(o.rows, string(u.row.key))
			o.order.Delete(u.row)
		case set:
			u.row.value, u.row.deleted = u.value, false
		case deleted:
			u.row.value, u.row.deleted = nil, true
		}
	}
	clear(o.journal[m:]) // let go of the values
	o.journal = o.journal[:m]
}

// Scan visits the rows of a collection with start <= key < end in ascending
// order of their keys, or in descending order if reverse is set, until visit
// returns false. An empty start is the first row, an empty end is past the last.
// The visit may read the overlay but not write to it. Key and value must not be
// modified. A row that was deleted since the base is visited too, with a nil
// value: passing over it takes time, of which there may be a lot, so whoever has
// somebody pay for the scan must hear of it.
func (o *Overlay) Scan(collection, start, end []byte, reverse bool, visit func(key, value []byte) bool) error {
	if err := checkCollection(collection); err != nil {
		return err
	}
	low, high := rowRange(collection, start, end)
	o.scans++
	defer func() { o.scans-- }()

	prefix := 1 + len(collection)
	// Merge: before each row of the base come the overlay's rows on this side of it; a row that both have is the
	// overlay's.
	own := o.rowsFrom(low, high, reverse)
	next := own()
	stopped := false
	err := o.base.scan(low, high, reverse, func(key, value []byte) bool {
		for next != nil {
			order := bytes.Compare(next.key, key)
			if reverse {
				order = -order
			}
			if order > 0 {
				break
			}
			r := next
			next = own()
			if !visit(r.key[prefix:], r.value) { // nil if deleted
				stopped = true
				return false
			}
			if order == 0 {
				return true
			}
		}
		if !visit(key[prefix:], value) {
			stopped = true
		}
		return !stopped
	})
	for err == nil && !stopped && next != nil {
		if !visit(next.key[prefix:], next.value) {
			break
		}
		next = own()
	}
	return err
}

// rowsFrom returns a function that returns one row of the overlay in low <= key < high after the other, then nil. The overlay
// must not be written meanwhile.
func (o *Overlay) rowsFrom(low, high []byte, reverse bool) func() *row {
	var page []*row // read ahead, because each look into the order costs a way down
	ended := false
	return func() *row {
		if len(page) == 0 && !ended {
			page = make([]*row, 0, 16)
			ended = true
			walk(o.order, low, high, reverse,
				func(key []byte) *row { return &row{key: key} },
				func(r *row) []byte { return r.key },
				func(r *row) bool {
					if len(page) == cap(page) {
						ended = false
						return false
					}
					page = append(page, r)
					return true
				})
			if !ended {
				if last := page[len(page)-1].key; reverse {
					high = last
				} else {
					low = append(bytes.Clone(last), 0)
				}
			}
		}
		if len(page) == 0 {
			return nil
		}
		r := page[0]
		page = page[1:]
		return r
	}
}
