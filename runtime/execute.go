package runtime

import (
	"context"
	"fmt"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/vm"
)

// initMethod is called once, when an instance is created, and hookMethod whenever its code is replaced; never by anybody else.
const (
	initMethod = abi.MethodInit
	hookMethod = abi.MethodUpgrade
)

// notCallable is why nobody can call what only the runtime calls; nil for other methods.
func notCallable(method string) *host.Stop {
	switch method {
	case initMethod:
		return host.Stopf(receipt.UnknownMethod, "%q runs once, when a contract is created, and can't be called", method)
	case hookMethod:
		return host.Stopf(receipt.UnknownMethod, "%q runs when the code of a contract is replaced, and can't be called", method)
	}
	return nil
}

// call is a call of one contract from outside: by a transaction, a view, or genesis.
type call struct {
	overlay *state.Overlay
	records *registry.Records
	chain   chain

	height uint64
	time   int64

	contract, method string
	args             []byte
	sender, origin   address.Address
	fromContract     bool // sender is one; it is the admin in whose name init or a hook runs
	seed             [32]byte
	view             bool
	meter            *gas.Meter
	trace            *host.Trace // of this call; nil, the ordinary: nobody wants to know
}

// outcome is how a call ended and, if it ended well, what came of it.
type outcome struct {
	vm.Result
	result []byte
	events []receipt.Event
	log    []string
}

func stopped(code receipt.Code, format string, args ...any) outcome {
	stop := host.Stopf(code, format, args...)
	return outcome{Result: vm.Result{Code: stop.Code, Reason: stop.Reason}}
}

// fill says in a receipt how it ended. The caller reverts what a failed call has written.
func (o *outcome) fill(rec *receipt.Receipt) {
	rec.Code, rec.ContractCode, rec.Reason, rec.Log = o.Code, o.ContractCode, o.Reason, o.log
	if o.Code == receipt.OK {
		rec.Return, rec.Events = o.result, o.events
	} else {
		rec.Events = []receipt.Event{rec.Refusal()} // no refusal is invisible
	}
}

// stop is how a call failed, nil if it didn't.
func (o *outcome) stop() *host.Stop {
	if o.Code == receipt.OK {
		return nil
	}
	return &host.Stop{Code: o.Code, ContractCode: o.ContractCode, Reason: o.Reason}
}

// execute finds the contract and runs the method. The caller reverts what a failed call
// has written.
func (r *Runtime) execute(ctx context.Context, c call) (outcome, error) {
	c.origin = c.sender
	c.trace.Begin(c.contract, c.method, c.args, c.sender)
	before := c.meter.Used()
	out, err := r.dispatch(ctx, c)
	c.trace.Finish(out.stop(), out.result, c.meter.Used()-before)
	return out, err
}

func (r *Runtime) dispatch(ctx context.Context, c call) (outcome, error) {
	if c.contract == CodeContract { // before the next: it has a method upgrade
		return r.executeCode(ctx, c)
	}
	if stop := notCallable(c.method); stop != nil {
		return outcome{Result: vm.Result{Code: stop.Code, Reason: stop.Reason}}, nil
	}
	instance, found, err := c.records.Instance(c.contract)
	if err != nil {
		return outcome{}, err
	}
	if !found {
		return stopped(receipt.UnknownContract, "there is no contract %q", c.contract), nil
	}
	view, stop, err := r.method(c.records, instance, c.method)
	if err != nil {
		return outcome{}, err
	}
	if stop != nil {
		return outcome{Result: vm.Result{Code: stop.Code, Reason: stop.Reason}}, nil
	}
	c.view = c.view || view // also in a transaction: what the spec calls a view changes nothing, whoever calls it
	if c.trace != nil {
		c.trace.View = c.view
	}
	return r.enter(ctx, c, instance)
}

// method looks a method up in the spec of a contract. A contract without a spec decides by
// itself what it has, and nothing of that is a view.
func (r *Runtime) method(records *registry.Records, instance registry.Instance, name string) (view bool, stop *host.Stop, err error) {
	spec, err := r.specs.of(records, instance.Code)
	if err != nil || spec == nil {
		return false, nil, err
	}
	m, ok := spec.Method(name)
	if !ok {
		return false, host.Stopf(receipt.UnknownMethod, "contract %q has no method %q", instance.Name, name), nil
	}
	return m.View, nil, nil
}

// run makes a call that a contract makes of another, and undoes what it wrote if it fails.
func (r *Runtime) run(ctx context.Context, c call, inner *host.Call) (*host.Stop, error) {
	if inner.Contract == CodeContract {
		// A contract whose code is replaced while it runs would not know which it is: a call ends with the code that it began with.
		return host.Stopf(receipt.NotPermitted, "%s can't be called by a contract", CodeContract), nil
	}
	if stop := notCallable(inner.Method); stop != nil {
		return stop, nil
	}
	instance, found, err := c.records.Instance(inner.Contract)
	if err != nil {
		return nil, err
	}
	if !found {
		return host.Stopf(receipt.UnknownContract, "there is no contract %q", inner.Contract), nil
	}
	view, stop, err := r.method(c.records, instance, inner.Method)
	if stop != nil || err != nil {
		return stop, err
	}
	inner.View = inner.View || view
	inner.Capabilities = instance.Capabilities // its own: powers are never inherited
	mark := c.overlay.Checkpoint()
	result, err := r.engine.Call(ctx, codeOf(c.records, instance), inner)
	if err != nil || result.Code == receipt.OK {
		return nil, err
	}
	c.overlay.Revert(mark)
	return &host.Stop{Code: result.Code, ContractCode: result.ContractCode, Reason: result.Reason}, nil
}

// codeOf names the code of an instance for the engine.
func codeOf(records *registry.Records, instance registry.Instance) vm.Code {
	return vm.Code{Hash: instance.Code, Load: func() ([]byte, error) {
		code, found, err := records.Code(instance.Code)
		if err == nil && !found {
			err = fmt.Errorf("runtime: the state has an instance of code %x, but not the code", instance.Code)
		}
		return code, err
	}}
}

// enter runs a method of an instance in the engine.
func (r *Runtime) enter(ctx context.Context, c call, instance registry.Instance) (outcome, error) {
	h := &host.Call{
		Chain: c.chain.ID, Block: host.Block{Height: c.height, Time: c.time},
		Contract: c.contract, Method: c.method, Args: c.args,
		Sender: c.sender, Origin: c.origin, FromContract: c.fromContract, View: c.view, Seed: c.seed,
		Capabilities: instance.Capabilities,
		Gas:          c.meter, Store: c.overlay, Accounts: accounts{c.records, c.height}, Authorities: authorities{c.records},
		Parameters: c.records, Permits: permits{c.records},
		Run:   func(inner *host.Call) (*host.Stop, error) { return r.run(ctx, c, inner) },
		Trace: c.trace,
	}
	result, err := r.engine.Call(ctx, codeOf(c.records, instance), h)
	if err != nil {
		return outcome{}, err
	}
	out := outcome{Result: result, log: h.Log()}
	if out.Code == receipt.OK {
		out.result, out.events = h.Result(), h.Events()
	}
	return out, nil
}

// accounts gives a contract with the capability the account functions of this block.
type accounts struct {
	records *registry.Records
	height  uint64
}

var _ host.Accounts = accounts{}

// minLeft is what an owner must keep of its quota, in gas per hour, when a contract gives some
// of it to a new account: a call or two. Who had given everything away could never again call
// anything, not even to take it back.
const minLeft = 25_000_000

func (a accounts) OpenKey(o *abi.OpenAccount) (abi.Status, error) {
	if len(o.Owner) > 0 && o.Quota > 0 {
		owner, found, err := a.records.Account(address.Address(o.Owner))
		if err != nil {
			return 0, err
		}
		if left := owner.Capacity(); found && left >= o.Quota && left-o.Quota < minLeft {
			return abi.StatusNoQuota, nil
		}
	}
	return a.records.OpenKey(o, a.height)
}
func (a accounts) ShutKey(kid address.Address) (abi.Status, error)   { return a.records.ShutKey(kid) }
func (a accounts) ReopenKey(kid address.Address) (abi.Status, error) { return a.records.ReopenKey(kid) }
func (a accounts) RetireKey(kid address.Address) (abi.Status, error) { return a.records.RetireKey(kid) }
