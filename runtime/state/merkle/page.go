package merkle

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Bucket is how many leaves lie together in one page; runtime/state/RATIONALE.md has the count that led to it.
const Bucket = 24

// MaxPage bounds the encoding of a page, in bytes: a bucket of full paths. The other kind is smaller.
const MaxPage = 2 + Bucket*(1+PathSize+32)

// Key names a stored page.
type Key struct {
	Version uint64
	Depth   uint8 // half bytes of the prefix
	Prefix  Path  // zero behind
}

// Append appends the key's encoding, whose order is that of versions.
func (k *Key) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, k.Version)
	b = append(b, k.Depth)
	return append(b, k.Prefix[:(int(k.Depth)+1)/2]...)
}

// MaxKey bounds the encoding of a key, in bytes.
const MaxKey = 8 + 1 + PathSize

// ParseKey is the inverse of Append. It returns what is behind the key.
func ParseKey(b []byte) (k Key, rest []byte, err error) {
	if len(b) < 9 {
		return k, nil, fmt.Errorf("merkle: a page's key of %d bytes, must be at least 9", len(b))
	}
	k.Version, k.Depth = binary.BigEndian.Uint64(b), b[8]
	n := (int(k.Depth) + 1) / 2
	if k.Depth >= nibbles || len(b) < 9+n {
		return k, nil, fmt.Errorf("merkle: a page's key of depth %d in %d bytes", k.Depth, len(b))
	}
	copy(k.Prefix[:], b[9:9+n])
	if k.Prefix.cut(int(k.Depth)) != k.Prefix {
		return k, nil, fmt.Errorf("merkle: a page's key %x has a half byte too many", b[:9+n])
	}
	return k, b[9+n:], nil
}

// Page is the nodes of a page in the order of their paths. It is never changed.
type Page struct {
	nodes  []Node
	bucket bool // all nodes are leaves, and at most as many as fit
}

func newPage(nodes []Node) *Page {
	return &Page{nodes: nodes, bucket: total(nodes) == uint64(len(nodes)) && len(nodes) <= Bucket}
}

const (
	tagLeaf = 0
	tagPage = 1
)

// Encode returns what is stored of a page with a prefix of depth half bytes:
//
//	the number of nodes, one byte, and for each
//	  0, path without the whole bytes of the page's prefix, value
//	  1, depth, prefix without those bytes, version and count as uvarint, hash
func (p *Page) Encode(depth uint8) []byte {
	skip := int(depth) / 2
	b := make([]byte, 0, 1+len(p.nodes)*(1+PathSize-skip+32))
	b = append(b, byte(len(p.nodes)))
	for i := range p.nodes {
		n := &p.nodes[i]
		if n.isLeaf() {
			b = append(b, tagLeaf)
			b = append(b, n.Path[skip:]...)
			b = append(b, n.Value[:]...)
			continue
		}
		b = append(b, tagPage, n.Depth)
		b = append(b, n.Path[skip:(int(n.Depth)+1)/2]...)
		b = binary.AppendUvarint(b, n.Version)
		b = binary.AppendUvarint(b, n.Count)
		b = append(b, n.Hash[:]...)
	}
	return b
}

var errShort = errors.New("ends too early")

// Decode reads the page that is stored under a key. It accepts what Encode makes and nothing else.
func Decode(k Key, b []byte) (*Page, error) {
	nodes, err := decode(k, b)
	if err != nil {
		return nil, fmt.Errorf("merkle: page %x of version %d: %w", k.Prefix[:(int(k.Depth)+1)/2], k.Version, err)
	}
	return newPage(nodes), nil
}

func decode(k Key, b []byte) ([]Node, error) {
	if len(b) > MaxPage {
		return nil, fmt.Errorf("%d bytes, limit %d", len(b), MaxPage)
	}
	if len(b) == 0 || b[0] < 2 || b[0] > Bucket {
		return nil, fmt.Errorf("starts with %x, must be a number of nodes from 2 to %d", b[:min(1, len(b))], Bucket)
	}
	d := decoder{b: b[1:], skip: int(k.Depth) / 2, prefix: k.Prefix}
	nodes := make([]Node, b[0])
	pages := 0
	for i := range nodes {
		n := &nodes[i]
		if err := d.node(n); err != nil {
			return nil, fmt.Errorf("node %d: %w", i, err)
		}
		if !n.isLeaf() {
			pages++
			if n.Depth <= k.Depth || n.Version > k.Version {
				return nil, fmt.Errorf("node %d: a page of depth %d and version %d below one of depth %d and version %d", i, n.Depth, n.Version, k.Depth, k.Version)
			}
		}
		if n.Path.cut(int(k.Depth)) != k.Prefix {
			return nil, fmt.Errorf("node %d: path %x is not under the page's prefix", i, n.Path)
		}
		if i > 0 && compare(&nodes[i-1].Path, &n.Path) >= 0 {
			return nil, fmt.Errorf("node %d: path %x is not above the one before", i, n.Path)
		}
	}
	if len(d.b) > 0 {
		return nil, fmt.Errorf("%d bytes behind the end", len(d.b))
	}
	if nodes[0].Path.nibble(int(k.Depth)) == nodes[len(nodes)-1].Path.nibble(int(k.Depth)) {
		return nil, errors.New("the nodes share more than the page's prefix")
	}
	if pages == 0 {
		if uint64(len(nodes)) > Bucket {
			return nil, fmt.Errorf("%d leaves, limit %d", len(nodes), Bucket)
		}
		return nodes, nil
	}
	var sum uint64
	for i := range nodes {
		if i > 0 && nodes[i-1].Path.nibble(int(k.Depth)) == nodes[i].Path.nibble(int(k.Depth)) {
			return nil, fmt.Errorf("nodes %d and %d share a half byte", i-1, i)
		}
		if sum += nodes[i].Count; sum < nodes[i].Count {
			return nil, errors.New("the number of leaves overflows")
		}
	}
	if sum <= Bucket {
		return nil, fmt.Errorf("%d leaves in several pages, which fit into one", sum)
	}
	return nodes, nil
}

type decoder struct {
	b      []byte
	skip   int
	prefix Path
}

func (d *decoder) take(n int) ([]byte, error) {
	if len(d.b) < n {
		return nil, errShort
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b, nil
}

func (d *decoder) uvarint() (uint64, error) {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || n > 1 && d.b[n-1] == 0 {
		return 0, errors.New("not a uvarint in its shortest form")
	}
	d.b = d.b[n:]
	return v, nil
}

func (d *decoder) node(n *Node) error {
	tag, err := d.take(1)
	if err != nil {
		return err
	}
	copy(n.Path[:d.skip], d.prefix[:d.skip])
	switch tag[0] {
	case tagLeaf:
		b, err := d.take(PathSize - d.skip + len(n.Value))
		if err != nil {
			return err
		}
		copy(n.Path[d.skip:], b)
		copy(n.Value[:], b[PathSize-d.skip:])
		n.Count, n.Hash = 1, leafHash(&n.Path, &n.Value)
		return nil
	case tagPage:
		return d.page(n)
	}
	return fmt.Errorf("tag %d, must be 0 or 1", tag[0])
}

func (d *decoder) page(n *Node) error {
	b, err := d.take(1)
	if err != nil {
		return err
	}
	n.Depth = b[0]
	end := (int(n.Depth) + 1) / 2
	if n.Depth >= nibbles || end < d.skip {
		return fmt.Errorf("a page of depth %d", n.Depth)
	}
	if b, err = d.take(end - d.skip); err != nil {
		return err
	}
	copy(n.Path[d.skip:], b)
	if n.Path.cut(int(n.Depth)) != n.Path {
		return fmt.Errorf("prefix %x has a half byte too many", n.Path[:end])
	}
	if n.Version, err = d.uvarint(); err != nil {
		return fmt.Errorf("version: %w", err)
	}
	if n.Count, err = d.uvarint(); err != nil {
		return fmt.Errorf("count: %w", err)
	}
	if n.Count < 2 {
		return fmt.Errorf("a page of %d leaves", n.Count)
	}
	if b, err = d.take(len(n.Hash)); err != nil {
		return err
	}
	copy(n.Hash[:], b)
	return nil
}

// noPrefix is that nothing is left out of a root's encoding.
const noPrefix = 0

// EncodeRoot returns what is stored of the topmost node; nothing of an empty tree.
func EncodeRoot(n *Node) []byte {
	if n.Count == 0 {
		return nil
	}
	return newPage([]Node{*n}).Encode(noPrefix)[1:]
}

// DecodeRoot is the inverse of EncodeRoot.
func DecodeRoot(b []byte) (n Node, err error) {
	if len(b) == 0 {
		return n, nil
	}
	d := decoder{b: b}
	if err := d.node(&n); err != nil {
		return Node{}, fmt.Errorf("merkle: root: %w", err)
	}
	if len(d.b) > 0 {
		return Node{}, fmt.Errorf("merkle: root: %d bytes behind the end", len(d.b))
	}
	return n, nil
}
