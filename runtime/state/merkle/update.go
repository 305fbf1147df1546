package merkle

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// A Loader gives back stored pages, usually through a cache. It may be called from several goroutines at once.
type Loader interface {
	Load(k Key) (*Page, error)
}

// Change sets or deletes a leaf.
type Change struct {
	Path    Path
	Value   Hash
	Deleted bool
}

// Written is a page that an update made.
type Written struct {
	Key  Key
	Page *Page
}

// An Update is what became of a tree, before anything is stored.
type Update struct {
	Root  Node      // of the new tree; Count 0 if it is empty
	New   []Written // pages to store, in the order of their keys
	Stale []Key     // pages of the old tree that the new one does not have, likewise
}

// parallel is from how many changes on a page's subtrees are updated side by side. Below, handing over costs as much as it
// saves.
const parallel = 128

// Apply changes a tree. The changes are in ascending order of their paths, each path once; one that changes nothing counts
// as none. Every page on the way is read, hashed and made once. The result does not depend on the number of processors.
func Apply(pages Loader, root Node, version uint64, changes []Change) (*Update, error) {
	for i := range changes {
		if i > 0 && compare(&changes[i-1].Path, &changes[i].Path) >= 0 {
			return nil, fmt.Errorf("BUG: merkle: change %d is not above the one before", i)
		}
	}
	w := writer{pages: pages, version: version, free: make(chan struct{}, runtime.GOMAXPROCS(0)-1)}
	node, err := w.apply(root, changes)
	if err != nil {
		return nil, err
	}
	u := &Update{Root: node, New: w.new, Stale: w.stale}
	// A page that was made and gathered into another in the same update was never there.
	if len(w.dropped) > 0 {
		dropped := make(map[Key]bool, len(w.dropped))
		for _, k := range w.dropped {
			dropped[k] = true
		}
		u.New = slices.DeleteFunc(u.New, func(n Written) bool { return dropped[n.Key] })
	}
	slices.SortFunc(u.New, func(a, b Written) int { return compareKeys(&a.Key, &b.Key) })
	slices.SortFunc(u.Stale, func(a, b Key) int { return compareKeys(&a, &b) })
	return u, nil
}

// compareKeys is the order of the keys' encodings.
func compareKeys(a, b *Key) int {
	if a.Version != b.Version {
		return cmp.Compare(a.Version, b.Version)
	}
	if a.Depth != b.Depth {
		return cmp.Compare(a.Depth, b.Depth)
	}
	return compare(&a.Prefix, &b.Prefix)
}

// writer is one goroutine's part of an update.
type writer struct {
	pages   Loader
	version uint64
	free    chan struct{} // a place in it is a processor to use

	new     []Written
	stale   []Key
	dropped []Key // of new
}

// apply returns what becomes of a subtree.
func (w *writer) apply(n Node, changes []Change) (Node, error) {
	switch {
	case len(changes) == 0:
		return n, nil
	case n.Count <= 1:
		var leaves []Node
		if n.isLeaf() {
			leaves = []Node{n}
		}
		leaves, changed := merge(leaves, changes)
		if !changed {
			return n, nil
		}
		return w.build(leaves), nil
	}
	// Where the changes leave the prefix of the page, the page becomes one node of a new page above.
	depth := int(n.Depth)
	for _, c := range []*Change{&changes[0], &changes[len(changes)-1]} {
		depth = min(depth, differ(&n.Path, &c.Path)/4)
	}
	nodes := []Node{n}
	if depth == int(n.Depth) {
		p, err := w.pages.Load(n.key())
		if err != nil {
			return Node{}, err
		}
		if p.bucket {
			leaves, changed := merge(p.nodes, changes)
			if !changed {
				return n, nil
			}
			w.stale = append(w.stale, n.key())
			return w.build(leaves), nil
		}
		nodes = p.nodes
	}
	out, changed, err := w.children(nodes, depth, changes)
	if err != nil {
		return Node{}, err
	}
	if !changed {
		return n, nil
	}
	if depth == int(n.Depth) {
		w.stale = append(w.stale, n.key())
	}
	switch count := total(out); {
	case len(out) == 0:
		return Node{}, nil
	case len(out) == 1:
		return out[0], nil
	case count <= Bucket:
		return w.gather(out, int(count))
	}
	return w.page(out, depth), nil
}

// children applies the changes to the nodes of a page, each to its own.
func (w *writer) children(nodes []Node, depth int, changes []Change) (out []Node, changed bool, err error) {
	if len(changes) >= parallel {
		return w.aside(nodes, depth, changes)
	}
	out = make([]Node, 0, min(16, len(nodes)+len(changes)))
	for len(nodes) > 0 || len(changes) > 0 {
		child, mine := next(&nodes, depth, &changes)
		after, err := w.apply(child, mine)
		if err != nil {
			return nil, false, err
		}
		if after.Hash != child.Hash { // an empty node has the hash 0
			changed = true
		}
		if after.Count > 0 {
			out = append(out, after)
		}
	}
	return out, changed, nil
}

// next takes the first node, which may be empty, and the changes under it off both lists.
func next(nodes *[]Node, depth int, changes *[]Change) (child Node, mine []Change) {
	var nib byte
	if len(*changes) == 0 || len(*nodes) > 0 && (*nodes)[0].Path.nibble(depth) <= (*changes)[0].Path.nibble(depth) {
		nib = (*nodes)[0].Path.nibble(depth)
		child, *nodes = (*nodes)[0], (*nodes)[1:]
	} else {
		nib = (*changes)[0].Path.nibble(depth)
	}
	k := 0
	for k < len(*changes) && (*changes)[k].Path.nibble(depth) == nib {
		k++
	}
	mine, *changes = (*changes)[:k], (*changes)[k:]
	return child, mine
}

// aside is children with as many goroutines as processors are free.
func (w *writer) aside(nodes []Node, depth int, changes []Change) (out []Node, changed bool, err error) {
	type part struct {
		writer        writer
		before, after Node
		err           error
	}
	parts := make([]part, 0, 16) // as many as there are half bytes: it never grows, and goroutines keep their pointers
	var wait sync.WaitGroup
	for len(nodes) > 0 || len(changes) > 0 {
		child, mine := next(&nodes, depth, &changes)
		parts = append(parts, part{writer: writer{pages: w.pages, version: w.version, free: w.free}, before: child})
		p := &parts[len(parts)-1]
		if len(mine) > 0 && len(changes) > 0 {
			select {
			case w.free <- struct{}{}:
				wait.Go(func() {
					p.after, p.err = p.writer.apply(child, mine)
					<-w.free
				})
				continue
			default:
			}
		}
		p.after, p.err = p.writer.apply(child, mine)
	}
	wait.Wait()
	out = make([]Node, 0, len(parts))
	for i := range parts {
		p := &parts[i]
		if p.err != nil {
			return nil, false, p.err
		}
		w.new = append(w.new, p.writer.new...)
		w.stale = append(w.stale, p.writer.stale...)
		w.dropped = append(w.dropped, p.writer.dropped...)
		changed = changed || p.after.Hash != p.before.Hash
		if p.after.Count > 0 {
			out = append(out, p.after)
		}
	}
	return out, changed, nil
}

// merge applies changes to sorted leaves, into a new list.
func merge(leaves []Node, changes []Change) (out []Node, changed bool) {
	out = make([]Node, 0, len(leaves)+len(changes))
	for len(leaves) > 0 || len(changes) > 0 {
		order := -1
		if len(leaves) == 0 {
			order = 1
		} else if len(changes) > 0 {
			order = compare(&leaves[0].Path, &changes[0].Path)
		}
		if order < 0 {
			out, leaves = append(out, leaves[0]), leaves[1:]
			continue
		}
		c := &changes[0]
		changes = changes[1:]
		switch {
		case order > 0 && c.Deleted:
		case order > 0:
			out, changed = append(out, Leaf(c.Path, c.Value)), true
		case c.Deleted:
			leaves, changed = leaves[1:], true
		case leaves[0].Value == c.Value:
			out, leaves = append(out, leaves[0]), leaves[1:]
		default:
			out, leaves, changed = append(out, Leaf(c.Path, c.Value)), leaves[1:], true
		}
	}
	return out, changed
}

// build makes the pages of sorted leaves.
func (w *writer) build(leaves []Node) Node {
	switch {
	case len(leaves) == 0:
		return Node{}
	case len(leaves) == 1:
		return leaves[0]
	}
	depth := differ(&leaves[0].Path, &leaves[len(leaves)-1].Path) / 4
	if len(leaves) <= Bucket {
		return w.page(leaves, depth)
	}
	out := make([]Node, 0, 16)
	for len(leaves) > 0 {
		nib, k := leaves[0].Path.nibble(depth), 1
		for k < len(leaves) && leaves[k].Path.nibble(depth) == nib {
			k++
		}
		out = append(out, w.build(leaves[:k]))
		leaves = leaves[k:]
	}
	return w.page(out, depth)
}

// gather makes one page of nodes that have become few.
func (w *writer) gather(nodes []Node, count int) (Node, error) {
	leaves := make([]Node, 0, count)
	for i := range nodes {
		n := &nodes[i]
		if n.isLeaf() {
			leaves = append(leaves, *n)
			continue
		}
		p, err := w.take(n.key())
		if err != nil {
			return Node{}, err
		}
		leaves = append(leaves, p.nodes...)
	}
	return w.build(leaves), nil
}

// take reads a page of which nothing will be left.
func (w *writer) take(k Key) (*Page, error) {
	for i := len(w.new) - 1; i >= 0 && k.Version == w.version; i-- { // it was made a moment ago
		if w.new[i].Key == k {
			w.dropped = append(w.dropped, k)
			return w.new[i].Page, nil
		}
	}
	p, err := w.pages.Load(k)
	if err == nil {
		w.stale = append(w.stale, k)
	}
	return p, err
}

// page makes the page of sorted nodes that share depth half bytes.
func (w *writer) page(nodes []Node, depth int) Node {
	n := Node{
		Hash: fold(nodes), Count: total(nodes), Path: nodes[0].Path.cut(depth), Depth: uint8(depth),
		Version: w.version,
	}
	w.new = append(w.new, Written{n.key(), newPage(nodes)})
	return n
}
