package runtime

import (
	"fmt"

	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vet"
)

// deployMethod is the method of CodeContract that creates a contract.
const deployMethod = "deploy"

// Activates reports whether a transaction asks the engine to make code ready, whatever comes of it. A block holds at most one:
// two of a second's gas each would keep the next block waiting for longer than the authorities wait for a proposal.
func Activates(t *tx.Signed) bool { return t.Contract == CodeContract && t.Method == deployMethod }

// MayDeploy reports whether a deployment may happen, as far as it is the right of its sender or has a permit, by the last
// committed height. What does not [Activates] may not. It reads four rows, and hashes the code only if its name has a permit.
func (r *Runtime) MayDeploy(t *tx.Signed) (may bool, err error) {
	if !Activates(t) {
		return false, nil
	}
	n, err := decodeDeploy(t.Args)
	if err != nil {
		return false, nil // the block says what is wrong
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
		right, err := c.deployRight(records, key.Account, n)
		may = err == nil && right.granted()
		return err
	})
	return may, err
}

// Prepare does ahead what the deployment in an admitted transaction will ask of the engine, so that its block finds it done. It
// changes no result and does no more than the transaction's gas pays for. A transaction that does not [Activates] is none of its
// business. The error says why the block will refuse the code, or that this node is broken; the block will say it too.
//
// It may run beside anything, and takes a second for a contract in plain Go.
func (r *Runtime) Prepare(t *tx.Signed, size int) error {
	if !Activates(t) {
		return nil
	}
	n, err := decodeDeploy(t.Args)
	if err != nil {
		return err
	}
	meter := gas.NewMeter(t.GasLimit)
	if !meter.Charge(gas.MinLimit(size)) || !meter.Charge(gas.DeployByte*uint64(len(n.code))) {
		return fmt.Errorf("the gas limit of %d does not pay for %d bytes of code", t.GasLimit, len(n.code))
	}
	return r.engine.Activate(meter, n.code)
}

// DeployGas is what the deployment of code costs before anything of the contract runs, beside [gas.MinLimit] of its transaction.
// [gas.MaxInit] more must be there for _initialize, of which is charged what it uses; the memory that it leaves costs
// [gas.EnterPrice], and the contract's init uses what it likes. The error is why the code will be refused.
func DeployGas(code []byte) (uint64, error) {
	module, err := vet.Module(code)
	if err != nil {
		return 0, err
	}
	return (gas.DeployByte+gas.ActivateByte)*uint64(len(code)) + gas.ActivateWork*vet.Work(module), nil
}
