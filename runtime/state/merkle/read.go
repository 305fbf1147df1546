package merkle

// A Step leads from a node to its parent: the hash of the other child, and on which side it stands.
type Step struct {
	Sibling Hash
	Left    bool // the sibling is the left child
	Bit     int  // in which the two differ
}

// Find returns the leaf at a path, or false.
func Find(pages Loader, root Node, path Path) (leaf Node, found bool, err error) {
	n := root
	for {
		if n.Count == 0 || n.isLeaf() {
			return n, n.Count == 1 && n.Path == path, nil
		}
		p, err := pages.Load(n.key())
		if err != nil {
			return Node{}, false, err
		}
		i, ok := p.find(path)
		if !ok {
			return Node{}, false, nil
		}
		n = p.nodes[i]
	}
}

// find is the node of a page under which a path stands, if anywhere.
func (p *Page) find(path Path) (i int, ok bool) {
	low, high := 0, len(p.nodes) // the first node above path
	for low < high {
		if middle := (low + high) / 2; compare(&p.nodes[middle].Path, &path) > 0 {
			high = middle
		} else {
			low = middle + 1
		}
	}
	if low == 0 {
		return 0, false
	}
	n := &p.nodes[low-1]
	if n.isLeaf() {
		return low - 1, n.Path == path
	}
	return low - 1, path.cut(int(n.Depth)) == n.Path
}

// HasPage reports whether a tree has the page that is stored under a key.
func HasPage(pages Loader, root Node, k Key) (bool, error) {
	for n := root; n.Count > 1 && n.Depth <= k.Depth; {
		if n.key() == k {
			return true, nil
		}
		p, err := pages.Load(n.key())
		if err != nil {
			return false, err
		}
		i, ok := p.find(k.Prefix)
		if !ok {
			break
		}
		n = p.nodes[i]
	}
	return false, nil
}

// Steps returns the way from the leaf at a path up to the root. The leaf must be there.
func Steps(pages Loader, root Node, path Path) (leaf Node, steps []Step, err error) {
	n := root
	for !n.isLeaf() {
		p, err := pages.Load(n.key())
		if err != nil {
			return Node{}, nil, err
		}
		i, ok := p.find(path)
		if !ok {
			return Node{}, nil, errNoLeaf
		}
		n = p.nodes[i]
		nodes := p.nodes
		for len(nodes) > 1 {
			k, bit := split(nodes)
			if i < k {
				steps = append(steps, Step{Sibling: fold(nodes[k:]), Bit: bit})
				nodes = nodes[:k]
			} else {
				steps = append(steps, Step{Sibling: fold(nodes[:k]), Left: true, Bit: bit})
				nodes, i = nodes[k:], i-k
			}
		}
	}
	if n.Path != path {
		return Node{}, nil, errNoLeaf
	}
	for i, j := 0, len(steps)-1; i < j; i, j = i+1, j-1 {
		steps[i], steps[j] = steps[j], steps[i]
	}
	return n, steps, nil
}

// Walk visits the leaves in ascending order from the first at or above a path, or in descending order from the last at or
// below it, until visit returns false.
func Walk(pages Loader, root Node, from Path, reverse bool, visit func(leaf *Node) bool) error {
	if root.Count == 0 {
		return nil
	}
	_, err := walk(pages, []Node{root}, &from, reverse, visit)
	return err
}

func walk(pages Loader, nodes []Node, from *Path, reverse bool, visit func(leaf *Node) bool) (more bool, err error) {
	for i := range nodes {
		if reverse {
			i = len(nodes) - 1 - i
		}
		n := &nodes[i]
		if from != nil && n.beyond(from, reverse) {
			continue
		}
		if n.isLeaf() {
			if !visit(n) {
				return false, nil
			}
			from = nil // everything that follows lies on the right side of it
			continue
		}
		p, err := pages.Load(n.key())
		if err != nil {
			return false, err
		}
		more, err := walk(pages, p.nodes, from, reverse, visit)
		if !more || err != nil {
			return false, err
		}
	}
	return true, nil
}

// beyond reports whether every leaf of a node lies before from, in the direction of the walk.
func (n *Node) beyond(from *Path, reverse bool) bool {
	at := *from
	if !n.isLeaf() {
		at = from.cut(int(n.Depth))
	}
	c := compare(&n.Path, &at)
	return !reverse && c < 0 || reverse && c > 0
}

// Nodes returns the page's nodes in the order of their paths. They must not be modified.
func (p *Page) Nodes() []Node { return p.nodes }

// Check computes the hash and the count of a page anew and compares them with what its parent says.
func (p *Page) Check(n *Node) error {
	if hash := fold(p.nodes); hash != n.Hash {
		return &MismatchError{Node: *n, Hash: hash, Count: total(p.nodes)}
	}
	if count := total(p.nodes); count != n.Count {
		return &MismatchError{Node: *n, Hash: n.Hash, Count: count}
	}
	return nil
}

// Key returns where a page's node is stored.
func (n *Node) Key() Key { return n.key() }
