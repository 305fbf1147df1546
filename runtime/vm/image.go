package vm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"

	"github.com/tetratelabs/wazero/experimental"
)

// blockSize is in what steps memory is put back: the machine's pages, which are no larger than Wasm's.
var blockSize = os.Getpagesize()

// An image is what the memory of a contract holds before a call. It is shared by all instances of the contract, each
// of which maps it privately (Linux) or copies it.
type image struct {
	blocks [][]byte // nil: zeros, which a contract may have many of
	file   imageFile
}

// newImage returns an image of what a memory holds, of which it keeps a copy.
func newImage(b []byte) (*image, error) {
	i := &image{blocks: make([][]byte, len(b)/blockSize)}
	for n := range i.blocks {
		if block := b[n*blockSize:][:blockSize]; !zero(block) {
			i.blocks[n] = bytes.Clone(block)
		}
	}
	if err := i.file.open(i); err != nil {
		return nil, err
	}
	return i, nil
}

// size is how many bytes the image has; without one none.
func (i *image) size() int {
	if i == nil {
		return 0
	}
	return len(i.blocks) * blockSize
}

// held is how many bytes of memory the image may take: its blocks, and all of its file, where a block of zeros is made at the
// first access to it.
func (i *image) held() int {
	n := i.size()
	for _, block := range i.blocks {
		n += len(block)
	}
	return n
}

// copyTo makes a part of a memory, of whole blocks, what the image says.
func (i *image) copyTo(b []byte, from, to int) {
	for at := from; at < to; at += blockSize {
		if block := i.blocks[at/blockSize]; block != nil {
			copy(b[at:], block)
		} else {
			clear(b[at : at+blockSize])
		}
	}
}

// A memory is the linear memory of one instance.
type memory struct {
	image *image // nil: it starts with zeros
	most  uint64
	b     []byte // what the instance can reach
	room  mapping
	err   error // why the system gave no memory
}

var (
	_ experimental.MemoryAllocator = (*memory)(nil)
	_ experimental.LinearMemory    = (*memory)(nil)
)

// Allocate makes the memory of an instance. It is called once for each.
func (m *memory) Allocate(_, most uint64) experimental.LinearMemory {
	m.most = most
	return m
}

// Reallocate grows the memory to size bytes, or returns nil if that is too much for the contract, or, as err says,
// for the system.
func (m *memory) Reallocate(size uint64) []byte {
	if size > m.most {
		return nil
	}
	b, err := m.grow(size)
	if err != nil {
		m.err = fmt.Errorf("memory of a contract: %d of at most %d bytes: %w", size, m.most, err)
		return nil
	}
	m.b = b
	return b
}

// copyBack puts all of the memory back to what the image says, whatever was written.
func (m *memory) copyBack() { m.image.copyTo(m.b, 0, len(m.b)) }

func zero(b []byte) bool {
	for len(b) >= 8 {
		if binary.NativeEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	return true
}
