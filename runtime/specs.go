package runtime

import (
	"errors"
	"fmt"
	"sync"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/registry"
)

// maxSpecs is how many decoded specs are kept: more than a chain has active contracts.
const maxSpecs = 256

// specs keeps the decoded spec of each code hash. A spec is a function of the code, so what
// is kept and what is dropped changes speed and nothing else.
type specs struct {
	mu    sync.Mutex
	known map[[32]byte]*abi.Spec
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxSpecs {
		s.known = make(map[[32]byte]*abi.Spec)
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
