package consensus

import (
	"errors"
	"sync"

	dbm "github.com/cometbft/cometbft-db"
)

// store is one of the engine's databases. When the engine stops, it closes its stores
// while its gossip still reads them, and panics over what they answer then. A closed
// store therefore answers reads as if it were empty, which gossip takes for a peer that
// is ahead; nothing that decides or writes is running any more by then.
type store struct {
	dbm.DB

	mu     sync.RWMutex // held for reading while a read is under way
	closed bool
}

var errStoreClosed = errors.New("store is closed")

func (s *store) Get(key []byte) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, nil
	}
	return s.DB.Get(key)
}

func (s *store) Has(key []byte) (bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return false, nil
	}
	return s.DB.Has(key)
}

func (s *store) Iterator(start, end []byte) (dbm.Iterator, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, errStoreClosed
	}
	return s.DB.Iterator(start, end)
}

func (s *store) ReverseIterator(start, end []byte) (dbm.Iterator, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, errStoreClosed
	}
	return s.DB.ReverseIterator(start, end)
}

// Close waits for reads under way. It may be called again.
func (s *store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.DB.Close()
}
