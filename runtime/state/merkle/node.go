package merkle

import (
	"bytes"
	"crypto/sha256"
	"math/bits"
)

// PathSize is how many bytes a path has: the most that SHA-256 takes in one block.
const PathSize = PrefixSize + sha256.Size

// PrefixSize is how many of them all rows of a collection share. With 16, names of collections that collide would be found by 2^64
// hashes, which whoever may deploy could buy.
const PrefixSize = 23

const nibbles = 2 * PathSize

// Path is where a row stands in the tree.
type Path [PathSize]byte

// Hash is a SHA-256.
type Hash [sha256.Size]byte

// EmptyRoot is the hash of no leaves.
var EmptyRoot = Hash(sha256.Sum256(nil))

// PathOf is SHA-256(collection)[:23] || SHA-256(key). Two names of collections with the same 184 bits (2^92 hashes to find)
// would be one collection in the tree, though two in storage.
func PathOf(collection, key []byte) (p Path) {
	prefix := PrefixOf(collection)
	copy(p[:], prefix[:])
	return Under(prefix, key)
}

// PrefixOf is the first part of the paths of a collection.
func PrefixOf(collection []byte) (prefix [PrefixSize]byte) {
	sum := sha256.Sum256(collection)
	copy(prefix[:], sum[:])
	return prefix
}

// Under is the path of a key, with the prefix of its collection.
func Under(prefix [PrefixSize]byte, key []byte) (p Path) {
	sum := sha256.Sum256(key)
	copy(p[:], prefix[:])
	copy(p[PrefixSize:], sum[:])
	return p
}

// nibble is the i-th half byte.
func (p *Path) nibble(i int) byte {
	if i%2 == 0 {
		return p[i/2] >> 4
	}
	return p[i/2] & 15
}

func (p *Path) bit(i int) bool { return p[i/8]&(0x80>>(i%8)) != 0 }

// cut is the first n half bytes, zero behind.
func (p *Path) cut(n int) (out Path) {
	copy(out[:], p[:(n+1)/2])
	if n%2 == 1 {
		out[n/2] &= 0xf0
	}
	return out
}

// differ is the first bit in which two paths differ; 440 if none.
func differ(a, b *Path) int {
	for i := range a {
		if x := a[i] ^ b[i]; x != 0 {
			return 8*i + bits.LeadingZeros8(x)
		}
	}
	return 8 * PathSize
}

// Node is a subtree that is not empty: a leaf, or what a parent knows of a page.
type Node struct {
	Hash  Hash
	Count uint64 // leaves in it; 1 is a leaf, 0 is no node

	Path  Path  // of the leaf, or the prefix of the page, zero behind
	Value Hash  // of the leaf
	Depth uint8 // of the page: half bytes of its prefix

	Version uint64 // of the page
}

// Leaf returns the leaf of a path and a value.
func Leaf(path Path, value Hash) Node {
	return Node{Hash: leafHash(&path, &value), Count: 1, Path: path, Value: value}
}

// Root is the hash of the subtree as the whole tree, which may be empty.
func (n *Node) Root() Hash {
	if n.Count == 0 {
		return EmptyRoot
	}
	return n.Hash
}

func (n *Node) isLeaf() bool { return n.Count == 1 }

// key is where the page of a node is stored.
func (n *Node) key() Key { return Key{Version: n.Version, Depth: n.Depth, Prefix: n.Path} }

const (
	leafPrefix  = 0x00
	innerPrefix = 0x01
)

func leafHash(path *Path, value *Hash) Hash {
	key := sha256.Sum256(path[:]) // see the package comment for what it is good for
	var b [1 + 2*sha256.Size]byte
	b[0] = leafPrefix
	copy(b[1:], key[:])
	copy(b[1+sha256.Size:], value[:])
	return sha256.Sum256(b[:])
}

func innerHash(left, right *Hash) Hash {
	var b [1 + 2*sha256.Size]byte
	b[0] = innerPrefix
	copy(b[1:], left[:])
	copy(b[1+sha256.Size:], right[:])
	return sha256.Sum256(b[:])
}

// fold is the hash of the subtree that sorted nodes make.
func fold(nodes []Node) Hash {
	if len(nodes) == 1 {
		return nodes[0].Hash
	}
	i, _ := split(nodes)
	left, right := fold(nodes[:i]), fold(nodes[i:])
	return innerHash(&left, &right)
}

// split says where the topmost inner node of two or more sorted nodes divides them, and at which bit.
func split(nodes []Node) (i, bit int) {
	bit = differ(&nodes[0].Path, &nodes[len(nodes)-1].Path)
	low, high := 1, len(nodes)-1
	for low < high {
		if middle := (low + high) / 2; nodes[middle].Path.bit(bit) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low, bit
}

func total(nodes []Node) (count uint64) {
	for i := range nodes {
		count += nodes[i].Count
	}
	return count
}

func compare(a, b *Path) int { return bytes.Compare(a[:], b[:]) }
