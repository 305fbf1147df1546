package state

import (
	"errors"
	"fmt"
)

// Bounds of a row, in bytes. They are the storage's own; whoever stands above
// (the host of contracts) may set narrower ones.
const (
	// MaxCollection leaves room for a contract's name, a separator and the
	// contract's own name of the collection, 64 bytes each at most with it.
	MaxCollection = 128

	// MaxKey is two addresses, two 32-byte hashes and room for a readable name.
	MaxKey = 256

	// MaxValue is the largest contract (4 MiB), twice.
	MaxValue = 8 << 20

	// MaxRowKey is the longest key of a row in the storage, without its kind.
	MaxRowKey = 1 + MaxCollection + MaxKey
)

// ErrBounds is wrapped by every refusal of a collection, key or value that is
// longer than its bound.
var ErrBounds = errors.New("state: out of bounds")

// rowKey appends the storage's key of a row: the collection's length in one byte,
// the collection, the key. The length keeps ("a", "bc") and ("ab", "c") apart;
// within a collection the order is that of the keys.
func rowKey(b, collection, key []byte) []byte {
	b = append(b, byte(len(collection)))
	b = append(b, collection...)
	return append(b, key...)
}

// rowRange returns the storage's keys that bound the rows start <= key < end of a
// collection; an empty end is the end of the collection.
func rowRange(collection, start, end []byte) (low, high []byte) {
	low = rowKey(nil, collection, start)
	if len(end) > 0 {
		return low, rowKey(nil, collection, end)
	}
	// Never nil: the first byte is a length of at most 128, so that the carry always finds a place.
	return low, behind(rowKey(nil, collection, nil))
}

func checkCollection(collection []byte) error {
	if n := len(collection); n == 0 || n > MaxCollection {
		return fmt.Errorf("%w: collection name is %d bytes, must be 1 to %d", ErrBounds, n, MaxCollection)
	}
	return nil
}

func checkRow(collection, key []byte) error {
	if err := checkCollection(collection); err != nil {
		return err
	}
	if len(key) > MaxKey {
		return fmt.Errorf("%w: key is %d bytes, limit %d", ErrBounds, len(key), MaxKey)
	}
	return nil
}
