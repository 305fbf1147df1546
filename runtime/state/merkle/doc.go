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
// A path is 440 bits ([PathOf]). Two subtrees meet at the first bit in which their paths differ (a crit-bit or
// Patricia tree), so that the 184 bits which all rows of a collection share cost nothing, and a proof has about as
// many steps as the binary logarithm of the number of rows.
//
//	leaf   SHA-256(0x00 || SHA-256(path) || value)
//	inner  SHA-256(0x01 || left || right)
//	empty  SHA-256("")
//
// The path is hashed so that the bytes of a leaf can be read in one way only. ICS23 says how what stands in front of the
// key begins, and lets a proof say where it ends. Were the path itself in the leaf, with lengths or without, a forger
// would count some bytes of it to what is in front, and show the leaf under the key that is left: as a neighbour of any
// key that is to look absent. But 65 bytes have room for two hashes and the 0x00, and a key with a given hash is not to be found.
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
