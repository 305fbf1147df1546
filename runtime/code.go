package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/registry"
	"github.com/wardledger/ward/runtime/tx"
	"github.com/wardledger/ward/runtime/vm"
)

// CodeContract is the name of the system contract that deploys others. It is part of the
// runtime, because something must be there before the first contract is.
const CodeContract = tx.DeployContract

// creation is what makes an instance.
type creation struct {
	name         string
	code         []byte
	admin        address.Address
	capabilities []string
	init         []byte
	delay        int64 // of its timelock, seconds
	permit       bool  // what was permitted, and so decided by others than the sender
	ofContract   bool  // admin is a contract, as far as that is known
}

// executeCode is CodeContract.
func (r *Runtime) executeCode(ctx context.Context, c call) (outcome, error) {
	m, known := codeSpec.Method(c.method)
	switch {
	case !known:
		return stopped(receipt.UnknownMethod, "contract %q has no method %q", c.contract, c.method), nil
	case c.view && !m.View:
		return stopped(receipt.NotPermitted, "%s is not a view: send it as a transaction", c.method), nil
	}
	a, err := decodeCodeArgs(c.method, c.args)
	if err != nil {
		return stopped(receipt.BadArguments, "%s: %v", c.method, err), nil
	}
	if !abi.ValidContract(a.name) {
		return notAName(a.name), nil
	}
	if c.trace != nil {
		c.trace.View = m.View
	}
	switch c.method {
	case deployMethod:
		return r.deploy(ctx, c, a)
	case upgradeMethod, rollbackMethod:
		return r.changeCode(ctx, c, a)
	case historyMethod:
		return showHistory(c, a)
	}
	return administer(c, a)
}

func (r *Runtime) deploy(ctx context.Context, c call, a codeArgs) (outcome, error) {
	n := creation{name: a.name, code: a.code, init: a.init, delay: a.delay}
	if out := checkDelay(a.delay); out != nil {
		return *out, nil
	}
	right, err := c.chain.deployRight(c.records, c.sender, n)
	if err != nil {
		return outcome{}, err
	}
	if !right.granted() {
		return stopped(receipt.NotPermitted, "%s", right.refusal(n)), nil
	}
	n.admin = c.sender
	if p := right.permit; p != nil {
		if n.delay != 0 {
			return stopped(receipt.NotPermitted, "what was permitted is deployed without a delay: its admin can set one"), nil
		}
		// Once: if the deployment fails, the transaction is undone, and the permit waits still.
		if _, err := c.records.DropPermit(n.name); err != nil {
			return outcome{}, err
		}
		n.admin, n.capabilities, n.permit = address.Address(p.Admin), p.Capabilities, true
		// An address doesn't say what it is of. It is that of a contract if it is who permitted this, or the new contract itself.
		n.ofContract = n.admin == p.By || n.admin == address.OfContract(n.name)
	}
	return r.create(ctx, c, n)
}

func notAName(name string) outcome {
	return stopped(receipt.BadArguments, "%+q is not a contract's name: a lower-case letter, then lower-case letters, digits and -, at most %d", name, abi.MaxContractName)
}

// codeArgs are the arguments of a method of CodeContract: those that it takes, the others are zero.
type codeArgs struct {
	method      string
	name        string
	code, init  []byte
	hash, admin []byte
	version     uint64
	delay       int64
	breaking    bool
}

// decodeCodeArgs reads the arguments of a method as CodeSpec describes them.
func decodeCodeArgs(method string, args []byte) (codeArgs, error) {
	a := codeArgs{method: method}
	m, _ := codeSpec.Method(method)
	fields := m.Args.Fields
	r := cbor.NewReader(args)
	count, err := r.Map()
	if err != nil {
		return a, errors.New("the arguments are not a map")
	}
	given := make(map[string]bool, len(fields))
	for range count { // whoever called has checked that keys ascend
		key, err := r.Text()
		if err != nil {
			return a, errors.New("a field's name is not text")
		}
		if !slices.ContainsFunc(fields, func(f abi.Field) bool { return f.Name == key }) {
			// %+q: the reason is in consensus, and what %q calls printable changes with Go's releases.
			return a, fmt.Errorf("there is no field %+q; there are %s", key, names(fields, func(abi.Field) bool { return true }))
		}
		given[key] = true
		switch key {
		case "name":
			a.name, err = r.Text()
		case "code":
			a.code, err = r.Bytes()
		case "init":
			a.init, err = r.Bytes()
		case "hash":
			a.hash, err = r.Bytes()
		case "admin":
			a.admin, err = r.Bytes()
		case "to":
			a.version, err = r.Uint()
		case "delay":
			a.delay, err = r.Int()
		case "allow_breaking":
			a.breaking, err = r.Bool()
		default:
			panic("BUG: runtime: no decoder for the field " + key + " of code." + method)
		}
		if err != nil {
			return a, fmt.Errorf("field %q has the wrong type", key)
		}
	}
	for _, f := range fields {
		if !f.Optional && !given[f.Name] {
			return a, fmt.Errorf("%q is missing; needed: %s", f.Name, names(fields, func(f abi.Field) bool { return !f.Optional }))
		}
	}
	switch {
	case a.init != nil && cbor.Valid(a.init) != nil:
		return a, errors.New("init is not one canonical CBOR item")
	case given["hash"] && len(a.hash) != abi.HashSize:
		return a, fmt.Errorf("hash has %d bytes, a SHA-256 has %d", len(a.hash), abi.HashSize)
	case given["admin"] && len(a.admin) != abi.AddressSize:
		return a, fmt.Errorf("admin has %d bytes, an address has %d", len(a.admin), abi.AddressSize)
	}
	return a, nil
}

// names lists fields for people: "code, init and name".
func names(fields []abi.Field, which func(abi.Field) bool) string {
	var list []string
	for _, f := range fields {
		if which(f) {
			list = append(list, f.Name)
		}
	}
	if len(list) == 1 {
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// attribute is one attribute of an event, or field of a result, with its value in CBOR.
type attribute struct {
	name  string
	value []byte
}

// document is a canonical map of attributes in any order.
func document(attributes ...attribute) []byte {
	slices.SortFunc(attributes, func(a, b attribute) int { return cbor.CompareText(a.name, b.name) })
	b := cbor.AppendMap(nil, len(attributes))
	for _, a := range attributes {
		b = append(cbor.AppendText(b, a.name), a.value...)
	}
	return b
}

func textOf(name, v string) attribute         { return attribute{name, cbor.AppendText(nil, v)} }
func bytesOf(name string, v []byte) attribute { return attribute{name, cbor.AppendBytes(nil, v)} }
func uintOf(name string, v uint64) attribute  { return attribute{name, cbor.AppendUint(nil, v)} }
func intOf(name string, v int64) attribute    { return attribute{name, cbor.AppendInt(nil, v)} }
func boolOf(name string, v bool) attribute    { return attribute{name, cbor.AppendBool(nil, v)} }

// codeEvent is an event of CodeContract.
func codeEvent(name string, attributes ...attribute) receipt.Event {
	return receipt.Event{Contract: CodeContract, Name: name, Attributes: document(attributes...)}
}

// create makes an instance, runs its init, and says so in an event.
func (r *Runtime) create(ctx context.Context, c call, n creation) (outcome, error) {
	if !abi.ValidContract(n.name) {
		return notAName(n.name), nil
	}
	if taken, err := nameTaken(c.records, n.name); err != nil {
		return outcome{}, err
	} else if taken {
		return stopped(receipt.Exists, "there is a contract %q already", n.name), nil
	}
	if !c.meter.Charge(gas.DeployByte * uint64(len(n.code))) {
		return stopped(receipt.OutOfGas, "the gas limit of %d does not pay for %d bytes of code", c.meter.Limit(), len(n.code)), nil
	}
	work, stop, err := r.activate(c.meter, n.code)
	if stop != nil || err != nil {
		return orZero(stop), err
	}
	spec, stop := readSpec(n.code)
	if stop != nil {
		return *stop, nil
	}
	hash, err := c.records.PutCode(n.code)
	if err != nil {
		return outcome{}, err
	}
	instance := registry.Instance{
		Name: n.name, Code: hash, Admin: n.admin, Capabilities: n.capabilities, Created: c.height, Version: 1,
	}
	if err := c.records.PutInstance(instance); err != nil {
		return outcome{}, err
	}
	var history registry.History
	history.Add(registry.Activation{Version: 1, Hash: hash, Height: c.height, Time: c.time, By: c.sender, Gas: work})
	if err := c.records.PutHistory(n.name, history); err != nil {
		return outcome{}, err
	}
	if n.delay != 0 {
		if err := c.records.PutTimelock(n.name, registry.Timelock{Delay: n.delay}); err != nil {
			return outcome{}, err
		}
	}

	result := document(bytesOf("hash", hash[:]))
	deployed := codeEvent("deployed", bytesOf("hash", hash[:]), textOf("name", n.name), bytesOf("admin", n.admin[:]))

	hasInit := false
	if spec != nil {
		_, hasInit = spec.Method(initMethod)
	}
	if !hasInit {
		if n.init != nil {
			return stopped(receipt.BadArguments, "contract %q takes no init arguments", n.name), nil
		}
		return outcome{result: result, events: []receipt.Event{deployed}}, nil
	}
	if n.permit {
		// Or init, which runs with the new contract's powers, would take whoever deploys for its master.
		c.sender = n.admin
	}
	c.fromContract = n.ofContract
	if n.init == nil {
		n.init = document()
	}
	out, err := r.hook(ctx, c, instance, spec, initMethod, n.init)
	if err != nil || out.Code != receipt.OK {
		return out, err
	}
	return outcome{result: result, events: append([]receipt.Event{deployed}, out.events...), log: out.log}, nil
}

// activate makes code ready, has the meter pay for it, and returns what that was. The outcome says why the code was refused.
func (r *Runtime) activate(meter *gas.Meter, code []byte) (work uint64, refused *outcome, err error) {
	before := meter.Used()
	err = r.engine.Activate(meter, code)
	if no, ok := errors.AsType[*vm.Refused](err); ok {
		out := stopped(receipt.BadCode, "%s", no.Reason) // the detail may differ between nodes
		out.log = []string{no.Error()}
		return 0, &out, nil
	}
	if stop, ok := errors.AsType[*host.Stop](err); ok {
		return 0, &outcome{Result: vm.Result{Code: stop.Code, Reason: stop.Reason}}, nil
	}
	return meter.Used() - before, nil, err
}

// readSpec reads the spec of code that wants to be a contract's, nil if it has none.
func readSpec(code []byte) (*abi.Spec, *outcome) {
	spec, err := specOf(code)
	if err != nil {
		out := stopped(receipt.BadCode, "the module's spec can't be read") // what is wrong may be said in other words one day
		out.log = []string{err.Error()}
		return nil, &out
	}
	return spec, nil
}

// orZero is an outcome that may be missing.
func orZero(out *outcome) outcome {
	if out == nil {
		return outcome{}
	}
	return *out
}

// hook runs a method of an instance that only the runtime calls: init, or upgrade.
func (r *Runtime) hook(ctx context.Context, c call, instance registry.Instance, spec *abi.Spec, method string, args []byte) (outcome, error) {
	c.contract, c.method, c.args, c.view = instance.Name, method, args, false
	before := c.meter.Used()
	if c.trace = c.trace.Inner(c.contract, c.method, c.args, c.sender); c.trace != nil {
		c.trace.Spec = spec
	}
	out, err := r.enter(ctx, c, instance)
	c.trace.Finish(out.stop(), out.result, c.meter.Used()-before)
	return out, err
}
