package state

import (
	"bytes"

	"github.com/google/btree"
)

// walk visits the items of t with start <= key < end, in either direction, until
// visit returns false. An empty start is the first item, a nil end is past the
// last. The tree must not change meanwhile.
func walk[T any](t *btree.BTreeG[T], start, end []byte, reverse bool, pivot func(key []byte) T, key func(T) []byte, visit func(T) bool) {
	if !reverse {
		t.AscendGreaterOrEqual(pivot(start), func(item T) bool {
			return (end == nil || bytes.Compare(key(item), end) < 0) && visit(item)
		})
		return
	}
	down := func(item T) bool {
		if end != nil && bytes.Compare(key(item), end) >= 0 {
			return true // only the first item can be this one: end itself is outside
		}
		return bytes.Compare(key(item), start) >= 0 && visit(item)
	}
	if end == nil {
		t.Descend(down)
		return
	}
	t.DescendLessOrEqual(pivot(end), down)
}
