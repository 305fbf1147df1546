package merkle

import (
	"errors"
	"fmt"
)

var errNoLeaf = errors.New("merkle: no leaf there")

// A MismatchError says that a page is not what its parent says.
type MismatchError struct {
	Node  Node
	Hash  Hash
	Count uint64
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("merkle: page %x of version %d has hash %x and %d leaves, its parent says %x and %d",
		e.Node.Path[:(int(e.Node.Depth)+1)/2], e.Node.Version, e.Hash, e.Count, e.Node.Hash, e.Node.Count)
}

// Beside is a subtree next to a range of leaves.
type Beside struct {
	Bit  int // at which it and the range part
	Hash Hash
}

// A Range proves that leaves stand next to each other in a tree, with none between them: the hashes of everything to their
// left and right.
type Range struct {
	Left  []Beside // from the root down
	Right []Beside // from the root down
}

// MaxBeside bounds each side of a [Range]: no path has more bits.
const MaxBeside = 8 * PathSize

// RangeOf proves the range whose first and last leaves stand at two paths.
func RangeOf(pages Loader, root Node, first, last Path) (r Range, err error) {
	_, steps, err := Steps(pages, root, first)
	if err != nil {
		return r, err
	}
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i].Left {
			r.Left = append(r.Left, Beside{steps[i].Bit, steps[i].Sibling})
		}
	}
	if _, steps, err = Steps(pages, root, last); err != nil {
		return r, err
	}
	for i := len(steps) - 1; i >= 0; i-- {
		if !steps[i].Left {
			r.Right = append(r.Right, Beside{steps[i].Bit, steps[i].Sibling})
		}
	}
	return r, nil
}

// Root computes the root of the tree of which r proves the leaves. Comparing it with a root that is known proves:
// these leaves are in the tree, in this order, and no other is between them; none is before them if r.Left is
// empty, and none behind if r.Right is. For whoever makes up bits or hashes would have found another tree with the same
// root, and with it two inputs of SHA-256 with the same result.
func (r Range) Root(leaves []Node) (Hash, error) {
	if len(leaves) == 0 {
		return Hash{}, errors.New("merkle: a range without leaves")
	}
	if len(r.Left) > MaxBeside || len(r.Right) > MaxBeside {
		return Hash{}, fmt.Errorf("merkle: a range with %d and %d subtrees beside it, limit %d", len(r.Left), len(r.Right), MaxBeside)
	}
	// The inner nodes are the boundaries between neighbours; of two, the one at the smaller bit stands above. So a stack of
	// subtrees that wait for their right neighbours has ascending bits.
	var stack []Beside // subtree, and the bit of the boundary to its right
	push := func(hash Hash, bit int) {
		for len(stack) > 0 && stack[len(stack)-1].Bit >= bit {
			top := &stack[len(stack)-1]
			hash = innerHash(&top.Hash, &hash)
			stack = stack[:len(stack)-1]
		}
		stack = append(stack, Beside{bit, hash})
	}
	for _, b := range r.Left {
		push(b.Hash, b.Bit)
	}
	for i := range leaves {
		bit := -1 // above everything
		switch {
		case i+1 < len(leaves):
			if compare(&leaves[i].Path, &leaves[i+1].Path) >= 0 {
				return Hash{}, fmt.Errorf("merkle: path %x is not below %x behind it", leaves[i].Path, leaves[i+1].Path)
			}
			bit = differ(&leaves[i].Path, &leaves[i+1].Path)
		case len(r.Right) > 0:
			bit = r.Right[len(r.Right)-1].Bit
		}
		push(leafHash(&leaves[i].Path, &leaves[i].Value), bit)
	}
	for i := len(r.Right) - 1; i >= 0; i-- {
		bit := -1
		if i > 0 {
			bit = r.Right[i-1].Bit
		}
		push(r.Right[i].Hash, bit)
	}
	if len(stack) != 1 {
		return Hash{}, errors.New("merkle: the range's subtrees do not make one tree")
	}
	return stack[0].Hash, nil
}
