package runtime

import (
	"context"
	"errors"
	"fmt"

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

// CodeSpec describes CodeContract as any contract describes itself.
func CodeSpec() *abi.Spec {
	return &abi.Spec{
		ABI: abi.Version, Name: CodeContract,
		Doc: "Deploys contracts: for whoever the chain's parameters let, and what a contract with the capability code permits.",
		Methods: []abi.Method{{
			Name: deployMethod, Doc: "Creates a contract from its Wasm and calls its init.",
			Args: &abi.Type{Kind: abi.KindStruct, Name: "Deploy", Fields: []abi.Field{
				{Name: "code", Doc: "the Wasm module", Type: &abi.Type{Kind: abi.KindBytes}},
				{Name: "init", Doc: "CBOR for the contract's init", Type: &abi.Type{Kind: abi.KindBytes}, Optional: true},
				{Name: "name", Doc: "what the contract is called", Type: &abi.Type{Kind: abi.KindText}},
			}},
			Result: &abi.Type{Kind: abi.KindStruct, Name: "Deployed", Fields: []abi.Field{
				{Name: "hash", Doc: "SHA-256 of the code", Type: &abi.Type{Kind: abi.KindBytes}},
			}},
		}},
		Events: []abi.EventSpec{{
			Name: "deployed", Doc: "A contract exists from now on.",
			Fields: []abi.Field{
				{Name: "hash", Doc: "SHA-256 of the code", Type: &abi.Type{Kind: abi.KindBytes}},
				{Name: "name", Doc: "what the contract is called", Type: &abi.Type{Kind: abi.KindText}},
				{Name: "admin", Doc: "whose contract it is", Type: &abi.Type{Kind: abi.KindAddress}},
			},
		}},
	}
}

// creation is what makes an instance.
type creation struct {
	name         string
	code         []byte
	admin        address.Address
	capabilities []string
	init         []byte
	permit       bool // what was permitted, and so decided by others than the sender
}

// executeCode is CodeContract.
func (r *Runtime) executeCode(ctx context.Context, c call) (outcome, error) {
	if c.method != deployMethod {
		return stopped(receipt.UnknownMethod, "contract %q has no method %q", c.contract, c.method), nil
	}
	if c.view {
		return stopped(receipt.NotPermitted, "deploy is not a view: send it as a transaction"), nil
	}
	n, err := decodeDeploy(c.args)
	if err != nil {
		return stopped(receipt.BadArguments, "deploy: %v", err), nil
	}
	if !abi.ValidContract(n.name) {
		return notAName(n.name), nil
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
		// Once: if the deployment fails, the transaction is undone, and the permit waits still.
		if _, err := c.records.DropPermit(n.name); err != nil {
			return outcome{}, err
		}
		n.admin, n.capabilities, n.permit = address.Address(p.Admin), p.Capabilities, true
	}
	return r.create(ctx, c, n)
}

func notAName(name string) outcome {
	return stopped(receipt.BadArguments, "%+q is not a contract's name: a lower-case letter, then lower-case letters, digits and -, at most %d", name, abi.MaxContractName)
}

// decodeDeploy reads deploy's arguments: a map with code, init (optional) and name.
func decodeDeploy(args []byte) (n creation, err error) {
	r := cbor.NewReader(args)
	count, err := r.Map()
	if err != nil {
		return n, errors.New("the arguments are not a map")
	}
	for range count { // tx.Decode has checked that keys ascend
		key, err := r.Text()
		if err != nil {
			return n, errors.New("a field's name is not text")
		}
		switch key {
		case "code":
			n.code, err = r.Bytes()
		case "init":
			n.init, err = r.Bytes()
		case "name":
			n.name, err = r.Text()
		default:
			// %+q: the reason is in consensus, and what %q calls printable changes with Go's releases.
			return n, fmt.Errorf("there is no field %+q; there are code, init and name", key)
		}
		if err != nil {
			return n, fmt.Errorf("field %q has the wrong type", key)
		}
	}
	if n.code == nil || n.name == "" {
		return n, errors.New("code and name are needed")
	}
	if n.init != nil && cbor.Valid(n.init) != nil {
		return n, errors.New("init is not one canonical CBOR item")
	}
	return n, nil
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
	if err := r.engine.Activate(c.meter, n.code); err != nil {
		var no *vm.Refused
		var stop *host.Stop
		switch {
		case errors.As(err, &no):
			out := stopped(receipt.BadCode, "%s", no.Reason) // the detail may differ between nodes
			out.log = []string{no.Error()}
			return out, nil
		case errors.As(err, &stop):
			return outcome{Result: vm.Result{Code: stop.Code, Reason: stop.Reason}}, nil
		}
		return outcome{}, err
	}
	spec, err := specOf(n.code)
	if err != nil {
		out := stopped(receipt.BadCode, "the module's spec can't be read") // what is wrong may be said in other words one day
		out.log = []string{err.Error()}
		return out, nil
	}
	hash, err := c.records.PutCode(n.code)
	if err != nil {
		return outcome{}, err
	}
	instance := registry.Instance{
		Name: n.name, Code: hash, Admin: n.admin, Capabilities: n.capabilities, Created: c.height,
	}
	if err := c.records.PutInstance(instance); err != nil {
		return outcome{}, err
	}

	result := cbor.AppendBytes(cbor.AppendText(cbor.AppendMap(nil, 1), "hash"), hash[:])
	a := cbor.AppendMap(nil, 3)
	a = cbor.AppendBytes(cbor.AppendText(a, "hash"), hash[:])
	a = cbor.AppendText(cbor.AppendText(a, "name"), n.name)
	a = cbor.AppendBytes(cbor.AppendText(a, "admin"), n.admin[:])
	deployed := receipt.Event{Contract: CodeContract, Name: "deployed", Attributes: a}

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
	c.contract, c.method, c.args = n.name, initMethod, n.init
	if c.args == nil {
		c.args = cbor.AppendMap(nil, 0)
	}
	before := c.meter.Used()
	c.trace = c.trace.Inner(c.contract, c.method, c.args, c.sender)
	out, err := r.enter(ctx, c, instance)
	c.trace.Finish(out.stop(), out.result, c.meter.Used()-before)
	if err != nil || out.Code != receipt.OK {
		return out, err
	}
	return outcome{result: result, events: append([]receipt.Event{deployed}, out.events...), log: out.log}, nil
}
