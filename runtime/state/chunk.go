package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/wardledger/ward/runtime/state/merkle"
)

// A snapshot travels in chunks. Each holds rows that stand next to each other in the tree, in the order of their paths, and
// what is to the left and right of them there, so that it can be compared with the root alone:
//
//	version 1, flags (1: more follow)
//	chunk's number, uvarint
//	number, then bit (2 bytes) and hash (32) of each subtree to the left, from the root down; the same for the right
//	path (55) and SHA-256 of the value (32) of the last row of the chunk before, unless this is the first
//	number of rows, and for each: collection, key and value, with their lengths as uvarint
const chunkVersion = 1

// Bounds of a chunk. The engine's own limit is 16 MB.
const (
	chunkTarget = 2 << 20 // after which no more rows are put in: a second's work for who receives it, at most
	chunkRows   = 20_000

	// MaxChunk is a full chunk with the largest row in it, in bytes.
	MaxChunk = chunkTarget + MaxValue + MaxRowKey + 2*merkle.MaxBeside*34 + 256
)

// ErrChunk is wrapped by every refusal of a chunk.
var ErrChunk = errors.New("state: chunk refused")

// fullRow is a row as it travels.
type fullRow struct{ collection, key, value []byte }

type chunk struct {
	number uint64
	more   bool
	beside merkle.Range
	before *merkle.Node // the last leaf of the chunk before
	rows   []fullRow
}

func (c *chunk) encode() []byte {
	b := []byte{chunkVersion, 0}
	if c.more {
		b[1] = 1
	}
	b = binary.AppendUvarint(b, c.number)
	for _, side := range [][]merkle.Beside{c.beside.Left, c.beside.Right} {
		b = binary.AppendUvarint(b, uint64(len(side)))
		for _, s := range side {
			b = append(binary.BigEndian.AppendUint16(b, uint16(s.Bit)), s.Hash[:]...)
		}
	}
	if c.before != nil {
		b = append(append(b, c.before.Path[:]...), c.before.Value[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(c.rows)))
	for _, r := range c.rows {
		for _, part := range [][]byte{r.collection, r.key, r.value} {
			b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
		}
	}
	return b
}

func decodeChunk(b []byte) (c chunk, err error) {
	if len(b) > MaxChunk {
		return c, fmt.Errorf("%d bytes, limit %d", len(b), MaxChunk)
	}
	if len(b) < 2 || b[0] != chunkVersion || b[1] > 1 {
		return c, fmt.Errorf("starts with %x, must be version %d and a flag", b[:min(2, len(b))], chunkVersion)
	}
	c.more = b[1] == 1
	if c.number, b, err = uvarint(b[2:]); err != nil {
		return c, err
	}
	for _, side := range []*[]merkle.Beside{&c.beside.Left, &c.beside.Right} {
		var n int
		if n, b, err = count(b, 34); err != nil {
			return c, err
		}
		if n > merkle.MaxBeside {
			return c, fmt.Errorf("%d subtrees on one side, limit %d", n, merkle.MaxBeside)
		}
		for ; n > 0; n-- {
			*side = append(*side, merkle.Beside{Bit: int(binary.BigEndian.Uint16(b)), Hash: merkle.Hash(b[2:34])})
			b = b[34:]
		}
	}
	if c.number > 0 {
		const size = merkle.PathSize + len(merkle.Hash{})
		if len(b) < size {
			return c, errors.New("ends in the leaf before")
		}
		leaf := merkle.Leaf(merkle.Path(b), merkle.Hash(b[merkle.PathSize:size]))
		c.before, b = &leaf, b[size:]
	}
	n, b, err := count(b, 4)
	if err != nil {
		return c, err
	}
	if n == 0 && (c.number > 0 || c.more) || n > chunkRows {
		return c, fmt.Errorf("%d rows, limit %d", n, chunkRows)
	}
	c.rows = make([]fullRow, n)
	for i := range c.rows {
		r := &c.rows[i]
		for _, part := range []*[]byte{&r.collection, &r.key, &r.value} {
			var size int
			if size, b, err = count(b, 1); err != nil {
				return c, fmt.Errorf("row %d: %w", i, err)
			}
			*part, b = b[:size:size], b[size:]
		}
		if err := checkRow(r.collection, r.key); err != nil {
			return c, fmt.Errorf("row %d: %w", i, err)
		}
		if len(r.value) > MaxValue {
			return c, fmt.Errorf("row %d: value of %d bytes, limit %d", i, len(r.value), MaxValue)
		}
	}
	if len(b) > 0 {
		return c, fmt.Errorf("%d bytes behind the end", len(b))
	}
	return c, nil
}

// leaves returns the leaves of the chunk's rows.
func (c *chunk) leaves() []merkle.Node {
	leaves := make([]merkle.Node, len(c.rows))
	beside(len(c.rows), func(from, to int) error {
		var prefix [merkle.PrefixSize]byte
		var last []byte
		for i := from; i < to; i++ {
			r := &c.rows[i]
			if last == nil || !bytes.Equal(last, r.collection) {
				last, prefix = r.collection, merkle.PrefixOf(r.collection)
			}
			leaves[i] = merkle.Leaf(merkle.Under(prefix, r.key), sha256.Sum256(r.value))
		}
		return nil
	})
	return leaves
}

// verify compares the chunk with the root of its snapshot, and returns the leaves of its rows.
func (c *chunk) verify(root merkle.Hash) ([]merkle.Node, error) {
	leaves := c.leaves()
	if len(leaves) == 0 {
		if root != merkle.EmptyRoot {
			return nil, errors.New("no rows, and the root is not that of none")
		}
		return nil, nil
	}
	all := leaves
	if c.before != nil {
		all = append([]merkle.Node{*c.before}, leaves...)
	}
	if c.before == nil && len(c.beside.Left) > 0 {
		return nil, errors.New("the first chunk leaves out what is before it")
	}
	if c.more != (len(c.beside.Right) > 0) {
		return nil, fmt.Errorf("more chunks follow: %v, and there are %d subtrees behind its rows", c.more, len(c.beside.Right))
	}
	got, err := c.beside.Root(all)
	if err != nil {
		return nil, err
	}
	if got != root {
		return nil, fmt.Errorf("its rows give the root %x, the snapshot has %x", got, root)
	}
	return leaves, nil
}
