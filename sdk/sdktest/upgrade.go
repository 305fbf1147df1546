package sdktest

import (
	"maps"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/sdk"
)

// mostGas is gas.MaxLimit: making code ready takes more than what contracts do.
const mostGas = 1_000_000_000

type upgradeArgs struct {
	Code          []byte
	Name          string
	AllowBreaking bool `wire:",omitempty"`
}

type rollbackArgs struct {
	Name string
	To   uint64
}

// Upgrade has a contract's admin, [Chain.Operator] unless [Contract] said otherwise, replace its code by that of another folder or module, with
// the hook of the new code, in a block of its own. Of to, Dir, Standard and Module count. Code that breaks callers is refused as receipt.Breaking, unless
// by [Chain.UpgradeBreaking]. From then on arguments, results and events of the contract are typed by its new spec.
func (c *Chain) Upgrade(as *Key, name string, to Contract) *Receipt {
	c.t.Helper()
	return c.upgrade(as, name, to, false)
}

// UpgradeBreaking is Upgrade that may break callers.
func (c *Chain) UpgradeBreaking(as *Key, name string, to Contract) *Receipt {
	c.t.Helper()
	return c.upgrade(as, name, to, true)
}

func (c *Chain) upgrade(as *Key, name string, to Contract, breaking bool) *Receipt {
	c.t.Helper()
	module, _ := moduleOf(c.t, to)
	c.known[module.Hash] = module.Spec
	r := c.withGas(as, "upgrade", upgradeArgs{module.Wasm, name, breaking})
	r.failing = module.Spec
	if r.Code == receipt.OK {
		c.become(name, module.Spec)
		c.retype(r)
	}
	return r
}

// Rollback has a contract's admin give it the code of an earlier version again, which are counted from 1.
func (c *Chain) Rollback(as *Key, name string, to uint64) *Receipt {
	c.t.Helper()
	failing := c.version(name, to)
	r := c.withGas(as, "rollback", rollbackArgs{name, to})
	r.failing = failing
	if r.Code == receipt.OK {
		var done struct {
			Hash    []byte
			Version uint64
		}
		r.Result(&done)
		c.become(name, c.known[[32]byte(done.Hash)])
		c.retype(r)
	}
	return r
}

// version is the spec of a version of a contract, nil if that isn't known.
func (c *Chain) version(name string, version uint64) *abi.Spec {
	c.t.Helper()
	type activation struct {
		By                         []byte
		Gas, From, Height, Version uint64
		Hash                       []byte
		Time                       sdk.Time
	}
	var history []activation
	r := c.View("code", "history", struct{ Name string }{name})
	if r.Code != receipt.OK {
		return nil
	}
	r.Result(&history)
	for _, a := range history {
		if a.Version == version {
			return c.known[[32]byte(a.Hash)]
		}
	}
	return nil
}

// withGas calls the contract code with all the gas that there is.
func (c *Chain) withGas(as *Key, method string, args any) *Receipt {
	c.t.Helper()
	limit := c.GasLimit
	defer func() { c.GasLimit = limit }()
	c.GasLimit = mostGas
	return c.Call(as, "code", method, args)
}

// become notes the spec of a contract. The map is another from then on: marks keep the one that they know.
func (c *Chain) become(name string, spec *abi.Spec) {
	c.specs = maps.Clone(c.specs)
	c.specs[name] = spec
}

// retype gives the events of a receipt, which came before the new spec was known, their types.
func (c *Chain) retype(r *Receipt) {
	for i := range r.Events {
		r.Events[i].spec = c.specs[r.Events[i].Contract]
	}
	copy(c.events[len(c.events)-len(r.Events):], r.Events)
}
