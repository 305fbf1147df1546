// Package merkle keeps a set of (path, value) pairs under one hash.
//
//	the tree that is hashed          binary, one inner node for each pair of subtrees, none with a single child
//	the pages in which it is stored  16-ary, each written once: (version, prefix) -> up to 32 nodes
//
// The hash depends on the set alone: not on the order of writes, and not on how the nodes are laid out in pages.
// Package state holds rows, heights and the disk; here are only paths and hashes.
//
// # The tree
//
// A path is 384 bits ([PathOf]). Two subtrees meet at the first bit in which their paths differ (a crit-bit or
// Patricia tree), so that the 128 bits which all rows of a collection share cost nothing, and a proof has about as
// many steps as the binary logarithm of the number of rows.
//
//	leaf   SHA-256(0x00 || 0x30 || path || 0x20 || value)     0x30 and 0x20 are the lengths, 48 and 32
//	inner  SHA-256(0x01 || left || right)
//	empty  SHA-256("")
//
// The lengths are hashed because ICS23 would otherwise let a forger move bytes from path to value, and so pass off a
// leaf as its own left neighbour.
//
// # The pages
//
// Up to [Bucket] leaves lie together in one page. Above that a page has one node for each of the 16 next half bytes:
// a leaf, or the reference to another page with its hash, version and number of leaves. Both kinds are a sorted
// list of nodes, hashed the same way. A page is stored under the version that wrote it and the prefix that all
// its leaves share, so that writes are new rows in ascending order and never overwrite what a reader of an older
// version may still want. The layout follows from the set: an update that takes everything back leaves pages of the
// same content.
//
// The arrangement is that of the Jellyfish Merkle tree (Gao et al., Diem 2021), with prefixes left out altogether and
// with leaves gathered.
package merkle
