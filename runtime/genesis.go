package runtime

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/state"
)

// AnyContract in the scope of a genesis account lets its key call every contract, also
// those that come later. No contract can hand it out.
const AnyContract = "*"

// Genesis is what a chain starts from. The same on every node.
type Genesis struct {
	Chain    string
	Operator address.Address // who may deploy, unless Parameters say otherwise
	// Parameters are the chain's; the zero value is their defaults.
	Parameters abi.Parameters
	Accounts   []GenesisAccount
	Contracts  []GenesisContract // created in this order
	// Authorities are the keys with which the engine starts. Without any, a chain that has no
	// engine, they are those that the contracts want.
	Authorities [][]byte
}

// GenesisAccount is an account with one key; the key's address names it.
type GenesisAccount struct {
	Key   []byte // public key, 32 bytes Ed25519 or 33 bytes P-256
	Quota uint64 // gas per hour
	Scope []abi.Scope
}

// GenesisContract is a contract that exists from the first block on.
type GenesisContract struct {
	Name         string
	Code         []byte // Wasm
	Admin        address.Address
	Capabilities []string
	Init         []byte // canonical CBOR for the method init; empty if it has none
}

// genesisBlock is genesis, executed, until the first block commits it.
type genesisBlock struct {
	genesis Genesis
	header  Header
	written *state.Overlay // taken by the first Begin
	events  []receipt.Event
}

// take returns the overlay with everything that genesis wrote. A block that is begun anew,
// because the first was never committed, gets it executed anew.
func (g *genesisBlock) take(r *Runtime) (*state.Overlay, error) {
	if g.written == nil {
		if err := g.execute(r); err != nil {
			return nil, err
		}
	}
	overlay := g.written
	g.written = nil
	return overlay, nil
}

// InitChain executes genesis and returns the state root after it. Nothing is written to
// disk: the first block commits genesis with itself, and a node that dies before calls InitChain
// again. It fails if genesis is wrong; then there is no chain.
func (r *Runtime) InitChain(g Genesis, h Header) ([]byte, error) {
	if height := r.state.Height(); height != 0 {
		return nil, fmt.Errorf("runtime: genesis on a state of height %d", height)
	}
	block := &genesisBlock{genesis: g, header: h}
	if err := block.execute(r); err != nil {
		return nil, fmt.Errorf("runtime: genesis: %w", err)
	}
	root, err := block.written.Root()
	if err != nil {
		return nil, fmt.Errorf("runtime: genesis: %w", err)
	}
	r.genesis = block
	return root, nil
}

func (g *genesisBlock) execute(r *Runtime) error {
	overlay := r.state.Overlay()
	records := registry.New(overlay)
	c := chain{ID: g.genesis.Chain, Operator: g.genesis.Operator}
	if !abi.ValidChain(c.ID) {
		return fmt.Errorf("%q is not a chain id", c.ID)
	}
	if err := writeChain(overlay, c); err != nil {
		return err
	}
	if p := g.genesis.Parameters; p.Deploy != "" || p.Deployers != nil {
		if err := records.SetParameters(p); err != nil {
			return fmt.Errorf("parameters: %w", err)
		}
	}
	for _, a := range g.genesis.Accounts {
		status, err := records.OpenKey(&abi.OpenAccount{Key: a.Key, Scope: a.Scope, Quota: a.Quota}, 0)
		if err != nil {
			return err
		}
		if status != abi.StatusOK {
			return fmt.Errorf("account of key %x: %s", a.Key, status)
		}
	}
	g.events = nil
	for _, contract := range g.genesis.Contracts {
		out, err := r.create(context.Background(), call{
			overlay: overlay, records: records, chain: c, height: 0, time: g.header.Time,
			sender: contract.Admin, origin: contract.Admin, seed: sha256.Sum256(contract.Code), meter: gas.NewMeter(gas.MaxLimit),
		}, creation{
			name: contract.Name, code: contract.Code, admin: contract.Admin,
			capabilities: contract.Capabilities, init: contract.Init, ofContract: g.genesis.has(contract.Admin),
		})
		if err != nil {
			return err
		}
		if out.Code != receipt.OK {
			return fmt.Errorf("contract %q: %s: %s", contract.Name, refusalOf(out, contract.Code), out.Reason)
		}
		g.events = append(g.events, out.events...)
	}
	if err := initialAuthorities(records, g.genesis.Authorities); err != nil {
		return err
	}
	if len(g.events) > 0 {
		if err := writeEventsRoot(overlay, 1, g.events); err != nil {
			return err
		}
	}
	g.written = overlay
	return nil
}

// eventsCollection holds, under a block's height, the root of the events that belong to none
// of its transactions, so that these too can be proven.
var eventsCollection = []byte("\x00events")

func writeEventsRoot(overlay *state.Overlay, height uint64, events []receipt.Event) error {
	root := receipt.EventsRoot(events)
	return overlay.Set(eventsCollection, cbor.AppendUint(nil, height), root[:])
}

// has reports whether an address is that of a contract of genesis.
func (g *Genesis) has(a address.Address) bool {
	return slices.ContainsFunc(g.Contracts, func(c GenesisContract) bool { return address.OfContract(c.Name) == a })
}

// refusalOf says how the creation of a contract with some code ended, for people: by an error that its init declares, with number and name.
func refusalOf(out outcome, code []byte) string {
	if out.Code != receipt.Failed {
		return out.Code.String()
	}
	name := ""
	if spec, err := specOf(code); err == nil && spec != nil {
		if e, ok := spec.Error(out.ContractCode); ok {
			name = " " + e.Name
		}
	}
	return fmt.Sprintf("its init refused with %d%s", out.ContractCode, name)
}
