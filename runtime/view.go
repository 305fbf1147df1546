package runtime

import (
	"context"
	"fmt"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/state"
)

// Query asks a contract something without a transaction.
type Query struct {
	Height   uint64 // a committed height, 0 for the last
	Time     int64  // unix seconds; what the contract takes for the block's time
	Contract string
	Method   string
	Args     []byte          // one canonical CBOR item
	Sender   address.Address // who asks, zero if nobody says; it is not checked
	GasLimit uint64          // 0 for gas.MaxLimit
}

// View runs a method on a committed height. The host lets it read, never write or emit. The
// receipt's Code, Return, GasUsed and Log are filled in; the height that was read is returned beside it. An error is a
// height that is not kept, or a node that can't read its state.
//
// Views run beside block execution. ctx bounds how long a view may take: when it ends first, View
// returns its error.
func (r *Runtime) View(ctx context.Context, q Query) (receipt.Receipt, uint64, error) {
	snapshot, err := r.state.At(q.Height)
	if err != nil {
		return receipt.Receipt{}, 0, err
	}
	defer snapshot.Close()
	overlay := snapshot.Overlay()
	c, err := readChain(overlay)
	if err != nil {
		return receipt.Receipt{}, 0, err
	}
	limit := q.GasLimit
	if limit == 0 || limit > gas.MaxLimit {
		limit = gas.MaxLimit
	}
	meter := gas.NewMeter(limit)
	out, err := r.execute(ctx, call{
		overlay: overlay, records: registry.New(overlay), chain: c,
		height: snapshot.Height(), time: q.Time,
		contract: q.Contract, method: q.Method, args: q.Args, sender: q.Sender,
		view: true, meter: meter,
	})
	if err != nil {
		return receipt.Receipt{}, 0, err
	}
	return receipt.Receipt{
		Code: out.Code, ContractCode: out.ContractCode, Reason: out.Reason, Return: out.result, Log: out.log,
		GasUsed: meter.Used(), GasLimit: limit, Contract: q.Contract, Method: q.Method, Sender: q.Sender,
	}, snapshot.Height(), nil
}

// ContractInfo is what the chain knows of a contract.
type ContractInfo struct {
	registry.Instance
	Timelock registry.Timelock // as it was written; At says what it is at a time
	Since    uint64            // height at which it got the code that it has
	Spec     *abi.Spec         // nil if the module carries none
}

// Contract returns the contract of this name at the last committed height.
func (r *Runtime) Contract(name string) (info ContractInfo, found bool, err error) {
	if name == CodeContract {
		return ContractInfo{Instance: registry.Instance{Name: CodeContract}, Spec: CodeSpec()}, true, nil
	}
	err = r.read(func(s *state.Snapshot) error {
		records := registry.New(s.Overlay())
		if info.Instance, found, err = records.Instance(name); err != nil || !found {
			return err
		}
		if info.Timelock, err = records.Timelock(name); err != nil {
			return err
		}
		history, err := records.History(name)
		if err != nil {
			return err
		}
		if n := len(history.Activations); n > 0 {
			info.Since = history.Activations[n-1].Height
		}
		info.Spec, err = r.specs.of(records, info.Code)
		return err
	})
	return info, found, err
}

// SpecAt returns the spec that a contract had after the block at a height, for whoever reads what it said then: nil if it had none, or is not there.
// Of heights before all that its history remembers it is the oldest known. It reads the last committed state, which old specs stay in.
func (r *Runtime) SpecAt(name string, height uint64) (spec *abi.Spec, err error) {
	if name == CodeContract {
		return CodeSpec(), nil
	}
	err = r.read(func(s *state.Snapshot) error {
		records := registry.New(s.Overlay())
		history, err := records.History(name)
		if err != nil || len(history.Activations) == 0 {
			return err
		}
		code := history.Activations[0].Hash
		for _, a := range history.Activations {
			if a.Height <= height {
				code = a.Hash
			}
		}
		spec, err = r.specs.of(records, code)
		return err
	})
	return spec, err
}

// Contracts lists the deployed contracts by name, from the one after the given name on.
func (r *Runtime) Contracts(after string, limit int) (list []registry.Instance, err error) {
	err = r.read(func(s *state.Snapshot) error {
		list, err = registry.New(s.Overlay()).Instances(after, limit)
		return err
	})
	return list, err
}

// KeyInfo is what the chain knows of a key and its account at a height.
type KeyInfo struct {
	Key     registry.Key
	Account registry.Account
	Room    uint64        // gas that the account may use now
	Next    [Lanes]uint64 // for each lane the lowest sequence above all used ones
}

// Key returns the key with this address at the last committed height. The time, in unix
// seconds, decides how much of the quota has come back.
func (r *Runtime) Key(kid address.Address, time int64) (info KeyInfo, found bool, err error) {
	err = r.read(func(s *state.Snapshot) error {
		records := registry.New(s.Overlay())
		if info.Key, found, err = records.Key(kid); err != nil || !found {
			return err
		}
		var known bool
		if info.Account, known, err = records.Account(info.Key.Account); err != nil {
			return err
		}
		if !known {
			return fmt.Errorf("runtime: key %s belongs to account %s, which has no record", kid, info.Key.Account)
		}
		if info.Room, err = records.Room(info.Key.Account, time); err != nil {
			return err
		}
		for lane := range info.Next {
			if info.Next[lane], err = records.Next(kid, lane); err != nil {
				return err
			}
		}
		return nil
	})
	return info, found, err
}

// read runs a function on the last committed height.
func (r *Runtime) read(f func(*state.Snapshot) error) error {
	s, err := r.state.At(0)
	if err != nil {
		return err
	}
	defer s.Close()
	return f(s)
}
