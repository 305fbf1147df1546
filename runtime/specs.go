package runtime

import (
	"errors"
	"fmt"
	"sync"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/registry"
)

// What is kept of specs: 250 of the largest, or thousands of usual ones. To read one again takes its whole module, and no gas pays for it.
const (
	// maxSpecs is the most bytes of specs, as they are encoded; decoded they take up to 30 times that.
	maxSpecs = 16 << 20
	// specOverhead is counted for each on top, in bytes.
	specOverhead = 1 << 10
)

// specs keeps the decoded spec of each code hash. A spec is a function of the code, so what
// is kept and what is dropped changes speed and nothing else.
type specs struct {
	mu    sync.Mutex
	known map[[32]byte]*abi.Spec
	size  int // of what is known
}

// of returns the spec that the code with this hash carries, or nil if it carries none.
func (s *specs) of(records *registry.Records, hash [32]byte) (*abi.Spec, error) {
	s.mu.Lock()
	spec, ok := s.known[hash]
	s.mu.Unlock()
	if ok {
		return spec, nil
	}
	code, found, err := records.Code(hash)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("runtime: the state has an instance of code %x, but not the code", hash)
	}
	if spec, err = specOf(code); err != nil {
		return nil, fmt.Errorf("runtime: code %x was accepted with a spec that can't be read: %w", hash, err)
	}
	section, _ := abi.SpecOf(code) // or nothing
	size := specOverhead + len(section)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || s.size+size > maxSpecs {
		s.known, s.size = make(map[[32]byte]*abi.Spec), 0
	}
	if _, again := s.known[hash]; !again {
		s.size += size
	}
	s.known[hash] = spec
	return spec, nil
}

// specOf reads the spec out of a module, nil if it has none.
func specOf(code []byte) (*abi.Spec, error) {
	section, err := abi.SpecOf(code)
	if errors.Is(err, abi.ErrNoSpec) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return abi.DecodeSpec(section)
}
