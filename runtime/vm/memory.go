package vm

import (
	"sync"

	"github.com/tetratelabs/wazero/experimental"
)

// Bounds of what is kept for the next instance. Taking memory anew costs more than
// clearing it: the system hands out each page at its first touch.
const (
	// maxSpare is how many memories are kept: more calls than that rarely run at once.
	maxSpare = 8
	// maxSpareSize is the largest memory kept, in bytes: twice what plain Go starts with.
	maxSpareSize = 8 << 20
)

// memories hands out linear memory and takes it back.
type memories struct {
	mu    sync.Mutex
	spare [][]byte // all zero
}

var _ experimental.MemoryAllocator = (*memories)(nil)

// Allocate returns memory for an instance that starts with size bytes and may come to
// most.
func (s *memories) Allocate(size, most uint64) experimental.LinearMemory {
	return &memory{from: s, most: most, b: s.take(size)}
}

// take returns the smallest spare memory that has size bytes, or else a new one.
func (s *memories) take(size uint64) []byte {
	s.mu.Lock()
	best := -1
	for i, b := range s.spare {
		if uint64(cap(b)) >= size && (best < 0 || cap(b) < cap(s.spare[best])) {
			best = i
		}
	}
	if best < 0 {
		s.mu.Unlock()
		// A quarter more than asked for: Go's runtime grows its memory as it starts.
		return make([]byte, 0, size+size/4)
	}
	b := s.spare[best]
	last := len(s.spare) - 1
	s.spare[best] = s.spare[last]
	s.spare[last] = nil
	s.spare = s.spare[:last]
	s.mu.Unlock()
	return b
}

func (s *memories) giveBack(b []byte) {
	if cap(b) > maxSpareSize {
		return
	}
	// All that the instance could reach. Whatever it left, the next one must not find.
	clear(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.spare) < maxSpare {
		s.spare = append(s.spare, b[:0])
	}
}

// memory is the linear memory of one instance. It never shrinks.
type memory struct {
	from *memories
	most uint64
	b    []byte // what the instance can reach; zero beyond it
}

// Reallocate grows the memory to size bytes, or returns nil if that is too much.
func (m *memory) Reallocate(size uint64) []byte {
	if size > m.most {
		return nil
	}
	if size > uint64(cap(m.b)) {
		// Twice as much, so that a contract which grows page by page is not copied each time.
		b := make([]byte, len(m.b), min(max(size, 2*uint64(cap(m.b))), m.most))
		copy(b, m.b)
		m.b = b
	}
	m.b = m.b[:size]
	return m.b[:size:size]
}

// Free ends the use of the memory.
func (m *memory) Free() {
	m.from.giveBack(m.b)
	m.b = nil
}
