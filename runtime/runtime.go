package runtime

import (
	"fmt"

	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/vm"
)

// Version is the protocol version: what decides acceptance, results and roots. It lies in
// state, and a node refuses to work on a state of another version.
const Version = 1

// Lanes of the replay window and of the mempool.
const (
	// LaneOrdinary carries every transaction that is not the chain's own business.
	LaneOrdinary = 0
	// LanePriority carries transactions to system contracts, so that a flood of device
	// messages can't keep the operator from acting.
	LanePriority = 1

	// Lanes is how many there are.
	Lanes = 2
)

// LaneOf returns the lane of a transaction to a contract.
func LaneOf(contract string) int {
	switch contract {
	case CodeContract, "authority":
		return LanePriority
	}
	return LaneOrdinary
}

// Config is what a Runtime is made of. Both fields are required and stay open until the
// Runtime isn't used any more.
type Config struct {
	State  *state.State
	Engine *vm.Engine
}

// Header is all that a block tells its transactions of the world.
type Header struct {
	Height uint64
	Time   int64 // unix seconds, UTC; it never falls from block to block
}

// Runtime executes blocks on a state. Begin, InitChain and the commit of a Stage belong to
// one goroutine; views and pools may run beside them.
type Runtime struct {
	state      *state.State
	engine     *vm.Engine
	signatures signatures
	specs      specs

	// genesis holds what InitChain wrote until the first block commits it.
	genesis *genesisBlock
}

// New returns a runtime on the state's last committed height. It fails if that state
// was written by another protocol version.
func New(c Config) (*Runtime, error) {
	r := &Runtime{state: c.State, engine: c.Engine}
	if r.state.Height() == 0 {
		return r, nil
	}
	snapshot, err := r.state.At(0)
	if err != nil {
		return nil, err
	}
	defer snapshot.Close()
	if _, err := readChain(snapshot); err != nil {
		return nil, err
	}
	return r, nil
}

// Height is the last committed height, 0 before the first block.
func (r *Runtime) Height() uint64 { return r.state.Height() }

// Root is the state root of the last committed height.
func (r *Runtime) Root() []byte { return r.state.Root() }

// chain is the row that says what chain this state belongs to and who operates it.
type chain struct {
	ID       string
	Operator [20]byte
}

// chainCollection and chainKey name that row. A collection that starts with a zero byte
// is out of every contract's reach.
var (
	chainCollection = []byte("\x00chain")
	chainKey        = []byte("chain")
)

func writeChain(kv registry.KV, c chain) error {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendUint(b, Version)
	b = cbor.AppendText(b, c.ID)
	b = cbor.AppendBytes(b, c.Operator[:])
	return kv.Set(chainCollection, chainKey, b)
}

func readChain(kv registry.Reader) (c chain, err error) {
	row, err := kv.Get(chainCollection, chainKey)
	if err != nil {
		return c, err
	}
	if row == nil {
		return c, fmt.Errorf("runtime: the state has no chain row: it was not made by InitChain")
	}
	r := cbor.NewReader(row)
	n, err := r.Array()
	if err != nil {
		return c, fmt.Errorf("runtime: chain row: %w", err)
	}
	version, err := r.Uint()
	if err != nil {
		return c, fmt.Errorf("runtime: chain row: %w", err)
	}
	if n != 3 || version != Version {
		return c, fmt.Errorf("runtime: the state has protocol version %d, this program speaks %d", version, Version)
	}
	if c.ID, err = r.Text(); err != nil {
		return c, fmt.Errorf("runtime: chain row: %w", err)
	}
	operator, err := r.Bytes()
	if err != nil || len(operator) != len(c.Operator) {
		return c, fmt.Errorf("runtime: chain row: the operator is %x", operator)
	}
	copy(c.Operator[:], operator)
	return c, r.End()
}
