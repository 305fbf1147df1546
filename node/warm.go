package node

import (
	"context"
	"errors"

	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/vm"
)

// maxWarm bounds the contracts that are compiled ahead; the engine keeps about as many.
const maxWarm = 64

// warm compiles the contracts while the node serves already, so that the first view of each
// doesn't wait half a second for it. Compiling ahead changes no result: it is what the first
// call would do, and the compiled code is found by the hash of its source. It returns when ctx
// ends or everything is compiled.
func (n *Node) warm(ctx context.Context) {
	for { // a new chain has no contracts before its first block
		height, raised := n.log.Signal()
		if height > 0 {
			break
		}
		select {
		case <-raised:
		case <-ctx.Done():
			return
		}
	}
	err := func() error {
		list, err := n.runtime.Contracts("", maxWarm)
		if err != nil {
			return err
		}
		for _, instance := range list {
			if ctx.Err() != nil {
				return nil
			}
			// Read before the engine is asked: a block may be waiting for the same code, and
			// must not be told that this goroutine could not read it.
			code, err := n.code(instance.Code)
			if err == nil {
				err = n.machine.Prepare(vm.Code{Hash: instance.Code, Load: func() ([]byte, error) { return code, nil }})
			}
			if err != nil {
				return err
			}
		}
		return nil
	}()
	if err != nil { // whoever calls the contract is told again
		n.config.Logger.Warn("contracts are not compiled ahead", "error", err)
	}
}

// code reads a contract's code from the newest state.
func (n *Node) code(hash [32]byte) ([]byte, error) {
	s, err := n.state.At(0)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	code, found, err := registry.New(s.Overlay()).Code(hash)
	if err == nil && !found {
		err = errors.New("the state has an instance of it, but not the code")
	}
	return code, err
}
