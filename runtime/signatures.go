package runtime

import "sync"

// maxSignatures is how many verified transactions are remembered: several full blocks
// of the smallest transactions. 32 bytes each.
const maxSignatures = 1 << 16

// signatures remembers which raw transactions carried a valid signature, so that a
// transaction checked on arrival costs no second verification in its block. Whether a
// signature holds is a function of the bytes alone (the key's address is the hash of the key), so a
// hit or a miss changes speed and nothing else.
type signatures struct {
	mu    sync.Mutex
	known map[[32]byte]struct{}
	ring  [][32]byte // in order of arrival; the oldest is overwritten
	next  int
}

func (s *signatures) valid(raw [32]byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.known[raw]
	return ok
}

func (s *signatures) remember(raw [32]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = make(map[[32]byte]struct{})
	}
	if _, ok := s.known[raw]; ok {
		return
	}
	s.known[raw] = struct{}{}
	if len(s.ring) < maxSignatures {
		s.ring = append(s.ring, raw)
		return
	}
	delete(s.known, s.ring[s.next])
	s.ring[s.next] = raw
	s.next = (s.next + 1) % maxSignatures
}
