package stream

import (
	"sync"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/runtime/abi"
)

// Specs finds out how contracts type what they say. Both methods are called by many
// goroutines at once and read the newest committed state.
type Specs interface {
	// CodeOf returns the hash of the code that a contract runs now; false if there is no
	// contract of this name. It is called about once a block for each contract in use.
	CodeOf(contract string) (hash [32]byte, ok bool, err error)

	// Spec returns the spec that this code carries, nil if it carries none. It may be
	// expensive: the answer is kept.
	Spec(hash [32]byte) (*abi.Spec, error)
}

// Bounds of what Types keeps. Beyond, it forgets everything and asks anew: names of
// contracts come from strangers.
const (
	maxNames = 4096
	maxSpecs = 256
)

// Types is the present spec of each contract, kept as long as the log's height stays the
// same. It is safe for concurrent use.
type Types struct {
	source Specs
	log    *eventlog.Log

	mu     sync.Mutex
	height uint64
	names  map[string]*abi.Spec   // as of height
	specs  map[[32]byte]*abi.Spec // a hash's spec never changes
}

// NewTypes returns Types that ask source whenever log has risen.
func NewTypes(source Specs, log *eventlog.Log) *Types {
	return &Types{source: source, log: log, names: make(map[string]*abi.Spec), specs: make(map[[32]byte]*abi.Spec)}
}

// Spec returns the spec of a contract, nil if there is no such contract or it has no spec.
// An error means that this node cannot read its state.
func (t *Types) Spec(contract string) (*abi.Spec, error) {
	height := t.log.Height()
	t.mu.Lock()
	if height > t.height || len(t.names) >= maxNames {
		clear(t.names)
		t.height = max(t.height, height)
	}
	spec, known := t.names[contract]
	at := t.height
	t.mu.Unlock()
	if known {
		return spec, nil
	}
	// Not under the mutex: a slow read must not hold up those who ask for something known.
	spec, err := t.load(contract)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.height == at {
		t.names[contract] = spec
	}
	return spec, nil
}

func (t *Types) load(contract string) (*abi.Spec, error) {
	hash, ok, err := t.source.CodeOf(contract)
	if !ok || err != nil {
		return nil, err
	}
	t.mu.Lock()
	spec, known := t.specs[hash]
	t.mu.Unlock()
	if known {
		return spec, nil
	}
	if spec, err = t.source.Spec(hash); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.specs) >= maxSpecs {
		clear(t.specs)
	}
	t.specs[hash] = spec
	return spec, nil
}
