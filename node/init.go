package node

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/wardledger/ward/node/consensus"
	"github.com/wardledger/ward/node/durable"
	"github.com/wardledger/ward/node/genesis"
	"github.com/wardledger/ward/runtime/address"
)

// Identity is by which others know a node.
type Identity struct {
	Authority []byte // its voting key, 32 bytes Ed25519
	NodeID    string // its name among peers: 40 hexadecimal digits
}

// InitOptions are the choices of [Init]. Chain, Operator and Accounts are required.
type InitOptions struct {
	Chain     string
	Time      time.Time // default: now
	Name      string    // the authority's label; may be empty
	Operator  address.Address
	Accounts  []genesis.Account
	Contracts []genesis.Contract
	Params    genesis.Params
}

// Init makes the home of a new chain's only authority: its keys and its genesis, which is
// returned. The folder is made where needed. A home that has a genesis already is left
// alone, with an error that is fs.ErrExist; keys that are there are used.
func Init(dir string, o InitOptions) (*genesis.Genesis, error) {
	id, err := CreateKeys(dir)
	if err != nil {
		return nil, err
	}
	g := &genesis.Genesis{
		Chain: o.Chain, Time: o.Time, Operator: o.Operator,
		Authorities: []genesis.Authority{{Name: o.Name, Key: id.Authority}},
		Accounts:    o.Accounts, Contracts: o.Contracts, Params: o.Params,
	}
	if g.Time.IsZero() {
		g.Time = time.Now().UTC()
	}
	if err := WriteGenesis(dir, g); err != nil {
		return nil, err
	}
	return g, nil
}

// CreateKeys makes the keys of a new node in its home and says who it is. Keys that are
// there are kept, so it can be repeated.
func CreateKeys(dir string) (Identity, error) {
	h, err := openHome(dir)
	if err != nil {
		return Identity{}, fmt.Errorf("node: %w", err)
	}
	var id Identity
	err = h.alone(func() (err error) {
		id, err = h.createKeys()
		return err
	})
	return id, err
}

func (h home) createKeys() (Identity, error) {
	for _, dir := range []string{h.keys(), h.engine()} {
		if err := os.MkdirAll(dir, modeDir); err != nil {
			return Identity{}, err
		}
	}
	keys, err := consensus.GenerateKeys()
	if err != nil {
		return Identity{}, err
	}
	made, err := exists(h.validatorKey())
	if err != nil {
		return Identity{}, err
	}
	if !made {
		// The record first: a key without one is taken for one that has signed already.
		if err := durable.WriteFile(h.validatorState(), keys.ValidatorState, modeSecret); err != nil {
			return Identity{}, err
		}
		if err := durable.WriteFile(h.validatorKey(), keys.Validator, modeSecret); err != nil {
			return Identity{}, err
		}
	}
	if made, err = exists(h.nodeKey()); err != nil {
		return Identity{}, err
	}
	if !made {
		if err := durable.WriteFile(h.nodeKey(), keys.Node, modeSecret); err != nil {
			return Identity{}, err
		}
	}
	authority, nodeID, err := consensus.ReadKeys(h.validatorKey(), h.nodeKey())
	return Identity{Authority: authority, NodeID: nodeID}, err
}

// WriteGenesis puts a chain's genesis into a home. It is an error, fs.ErrExist, if there is
// one already: a node can't change chains.
func WriteGenesis(dir string, g *genesis.Genesis) error {
	b, err := g.Encode()
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	h, err := openHome(dir)
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	return h.alone(func() error {
		there, err := exists(h.genesis())
		if err != nil {
			return err
		}
		if there {
			return &os.PathError{Op: "create", Path: h.genesis(), Err: os.ErrExist}
		}
		return durable.WriteFile(h.genesis(), b, modePublic)
	})
}

// ReadGenesis reads and validates the genesis of a home.
func ReadGenesis(dir string) (*genesis.Genesis, error) {
	h, err := openHome(dir)
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	g, err := h.readGenesis()
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	return g, nil
}

func (h home) readGenesis() (*genesis.Genesis, error) {
	b, err := readBounded(h.genesis(), genesis.MaxDocument+1)
	if err != nil {
		return nil, err
	}
	g, err := genesis.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", h.genesis(), err)
	}
	return g, nil
}

// alone runs f with the home's lock held; the home is made where needed.
func (h home) alone(f func() error) error {
	if err := os.MkdirAll(string(h), modeDir); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	l, err := takeLock(h)
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	if err := errors.Join(f(), l.release()); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	return nil
}
