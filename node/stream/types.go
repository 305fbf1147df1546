package stream

import (
	"sync"

	"github.com/wardledger/ward/node/eventlog"
	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
)

// Contracts finds out how contracts type what they say: a *runtime.Runtime. It is called by
// many goroutines at once, about once a block for each contract in use.
type Contracts interface {
	Contract(name string) (info runtime.ContractInfo, found bool, err error)
}

// Past finds out how contracts typed what they said before their code was replaced. Contracts that have it are asked.
type Past interface {
	SpecAt(name string, height uint64) (*abi.Spec, error)
}

var (
	_ Contracts = (*runtime.Runtime)(nil)
	_ Past      = (*runtime.Runtime)(nil)
)

// maxNames bounds what Types keeps: beyond, it forgets everything and asks anew. Names of
// contracts come from strangers.
const maxNames = 4096

// Types is the present spec of each contract, kept as long as the log's height stays the
// same. It is safe for concurrent use.
type Types struct {
	source Contracts
	log    *eventlog.Log

	mu     sync.Mutex
	height uint64
	names  map[string]typed // as of height
}

// typed is the spec of a contract, and the height from which on it is that.
type typed struct {
	spec  *abi.Spec
	since uint64
}

// NewTypes returns Types that ask source whenever log has risen.
func NewTypes(source Contracts, log *eventlog.Log) *Types {
	return &Types{source: source, log: log, names: make(map[string]typed)}
}

// Spec returns the spec of a contract, nil if there is no such contract or it has no spec.
// An error means that this node cannot read its state.
func (t *Types) Spec(contract string) (*abi.Spec, error) {
	now, err := t.now(contract)
	return now.spec, err
}

// SpecAt returns the spec that a contract had after the block at a height, by which its events of then are typed. Within the block in which its
// code was replaced that is the new one.
func (t *Types) SpecAt(contract string, height uint64) (*abi.Spec, error) {
	now, err := t.now(contract)
	if err != nil || height >= now.since {
		return now.spec, err
	}
	if past, ok := t.source.(Past); ok {
		return past.SpecAt(contract, height)
	}
	return now.spec, nil
}

func (t *Types) now(contract string) (typed, error) {
	height := t.log.Height()
	t.mu.Lock()
	if height > t.height || len(t.names) >= maxNames {
		clear(t.names)
		t.height = max(t.height, height)
	}
	is, known := t.names[contract]
	at := t.height
	t.mu.Unlock()
	if known {
		return is, nil
	}
	// Not under the mutex: a slow read must not hold up those who ask for something known.
	info, found, err := t.source.Contract(contract)
	if err != nil {
		return typed{}, err
	}
	if found {
		is = typed{info.Spec, info.Since}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.height == at {
		t.names[contract] = is
	}
	return is, nil
}
