package runtime

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vet"
)

// Activates reports whether a transaction asks the engine to make code ready, whatever comes of it: a deployment, an upgrade, a rollback.
// A block holds at most one: two of a second's gas each would keep the next block waiting for longer than the authorities wait for a proposal.
func Activates(t *tx.Signed) bool { return activates(t.Contract, t.Method) }

func activates(contract, method string) bool {
	return contract == CodeContract && (method == deployMethod || method == upgradeMethod || method == rollbackMethod)
}

// MayActivate reports whether a transaction that [Activates] may do so, as far as it is the right of its sender or has a permit, by the last
// committed height, and its gas limit leaves a chance; whether a delay has passed only its block knows. What does not activate may not. It
// reads some rows, and hashes the code only if there is a permit.
func (r *Runtime) MayActivate(t *tx.Signed) (may bool, err error) {
	if !Activates(t) || t.GasLimit <= gas.MaxInit {
		return false, nil // the engine wants MaxInit left, whatever the code: what fails for next to nothing must not keep others waiting, block after block
	}
	a, err := decodeCodeArgs(t.Method, t.Args)
	if err != nil || !abi.ValidContract(a.name) {
		return false, nil // the block says what is wrong; to look up any text would be an error of this node, if it is longer than a row's key
	}
	err = r.read(func(s *state.Snapshot) error {
		c, err := readChain(s)
		if err != nil {
			return err
		}
		records := registry.New(s.Overlay())
		key, known, err := records.Key(t.Key)
		if err != nil || !known {
			return err
		}
		if t.Method == deployMethod {
			right, err := c.deployRight(records, key.Account, creation{name: a.name, code: a.code, init: a.init})
			may = err == nil && right.granted()
			return err
		}
		of, refused, err := targetOf(records, a.name, key.Account, 0)
		if err != nil || refused != nil {
			return err
		}
		var hash [32]byte
		switch {
		case t.Method == rollbackMethod:
			history, err := records.History(a.name)
			if err != nil {
				return err
			}
			then, refused := of.version(&history, a.version)
			if refused != nil {
				return nil
			}
			hash = then.Hash
		case of.permit != nil:
			hash = sha256.Sum256(a.code)
		}
		may = of.mayBecome(key.Account, hash) == nil
		return nil
	})
	return may, err
}

// Prepare does ahead what an admitted transaction will ask of the engine, so that its block finds it done. It
// changes no result and does no more than the transaction's gas pays for. A transaction that does not [Activates] is none of its
// business. The error says why the block will refuse the code, or that this node is broken; the block will say it too.
//
// It may run beside anything, and takes a second for a contract in plain Go.
func (r *Runtime) Prepare(t *tx.Signed, size int) error {
	if !Activates(t) {
		return nil
	}
	a, err := decodeCodeArgs(t.Method, t.Args)
	if err != nil {
		return err
	}
	if !abi.ValidContract(a.name) {
		return errors.New(notAName(a.name).Reason)
	}
	price := gas.DeployByte * uint64(len(a.code))
	if t.Method == rollbackMethod {
		err := r.read(func(s *state.Snapshot) error {
			records := registry.New(s.Overlay())
			history, err := records.History(a.name)
			if err != nil {
				return err
			}
			then, found := history.Find(a.version)
			if !found {
				return fmt.Errorf("version %d is not in the history of %q", a.version, a.name)
			}
			a.code, _, err = records.Code(then.Hash)
			return err
		})
		if err != nil {
			return err
		}
	}
	meter := gas.NewMeter(t.GasLimit)
	if !meter.Charge(gas.MinLimit(size)) || !meter.Charge(price) {
		return fmt.Errorf("the gas limit of %d does not pay for %d bytes of code", t.GasLimit, len(a.code))
	}
	return r.engine.Activate(meter, a.code)
}

// DeployGas is what the deployment of code, or an upgrade to it, costs before anything of the contract runs, beside [gas.MinLimit] of its transaction and
// [gas.Administer] of an upgrade.
// [gas.MaxInit] more must be there for _initialize, of which is charged what it uses; the memory that it leaves costs
// [gas.EnterPrice], and the contract's init uses what it likes. The error is why the code will be refused.
func DeployGas(code []byte) (uint64, error) {
	module, err := vet.Module(code)
	if err != nil {
		return 0, err
	}
	return (gas.DeployByte+gas.ActivateByte)*uint64(len(code)) + gas.ActivateWork*vet.Work(module), nil
}
