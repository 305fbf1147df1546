package host

import (
	"bytes"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
)

// CallContract calls a method of another contract and returns how that ended; [Call.Reply]
// has the rest. What a failing call wrote and emitted is undone, and this contract goes on. Only
// two things end both: a misuse, and gas, of which all calls of a transaction have the same, unless the call has a limit of its
// own that is less than what is left.
func (c *Call) CallContract(contract, method, args []byte, limit uint64) (receipt.Code, error) {
	if err := bound("call", "contract", len(contract), abi.MaxContractName); err != nil {
		return 0, err
	}
	if err := bound("call", "method", len(method), abi.MaxMethodName); err != nil {
		return 0, err
	}
	if err := bound("call", "args", len(args), abi.MaxArgs); err != nil {
		return 0, err
	}
	if err := c.Charge(gas.Call + gas.ReturnByte*uint64(len(args))); err != nil {
		return 0, err
	}
	if !abi.ValidContract(string(contract)) {
		return 0, Stopf(receipt.Trapped, "call: %+q is not a contract's name", contract)
	}
	if !abi.ValidMethod(string(method)) {
		return 0, Stopf(receipt.Trapped, "call: %+q is not a method's name", method)
	}
	if err := cbor.Valid(args); err != nil {
		c.Note("call: args: " + err.Error())
		return 0, Stopf(receipt.Trapped, "call: the arguments of %s.%s are not one canonical CBOR item", contract, method)
	}
	inner := &Call{
		Chain: c.Chain, Block: c.Block, Contract: string(contract), Method: string(method),
		Args:   bytes.Clone(args), // they lie in the memory of a contract that is not done
		Sender: address.OfContract(c.Contract), Origin: c.Origin, View: c.View, Seed: c.Seed,
		Gas: c.Gas, Store: c.Store, Accounts: c.Accounts, Authorities: c.Authorities, Parameters: c.Parameters, Permits: c.Permits,
		Run: c.Run, outer: c,
	}
	inner.Trace = c.Trace.Inner(inner.Contract, inner.Method, inner.Args, inner.Sender)
	before := c.Gas.Used()
	limited := limit < c.Gas.Left()
	if limited {
		inner.Gas = gas.NewMeter(limit)
	}
	stop := c.refuse(inner)
	if stop == nil {
		var err error
		if stop, err = c.Run(inner); err != nil {
			return 0, err
		}
	}
	if limited {
		// Less than there is, so it is there.
		if err := c.Charge(inner.Gas.Used()); err != nil {
			return 0, err
		}
	}
	if t := inner.Trace; t != nil {
		t.View = inner.View
		t.Finish(stop, inner.result, c.Gas.Used()-before)
	}
	for _, line := range inner.Log() {
		c.log.add(line)
	}
	switch {
	case stop == nil:
		// Where the call was made, so that the events of a transaction have one order.
		c.events = append(c.events, inner.events...)
		c.eventSize += inner.eventSize
		c.reply = inner.result
		return receipt.OK, nil
	case stop.Code == receipt.OutOfGas && !limited:
		return 0, stop
	}
	c.reply = cbor.AppendText(cbor.AppendUint(cbor.AppendArray(nil, 2), uint64(stop.ContractCode)), stop.Reason)
	return stop.Code, nil
}

// refuse says why a call can't be made from here, or nil.
func (c *Call) refuse(inner *Call) *Stop {
	depth := 0
	for o := c; o != nil; o = o.outer {
		if o.Contract == inner.Contract {
			// What it is doing is half done: it would find its own rows in disorder.
			return Stopf(receipt.NotPermitted, "contract %s is running already: it can't be called until that has ended", inner.Contract)
		}
		depth++
	}
	if c.Run == nil {
		return Stopf(receipt.UnknownContract, "there is no contract %q", inner.Contract)
	}
	if depth == abi.MaxDepth {
		return Stopf(receipt.TooDeep, "%d contracts are running, each called by the one before: %s would be one too many", depth, inner.Contract)
	}
	return nil
}

// Reply returns what came of the last call that CallContract made: its result, empty if it
// had none, or after a failure a CBOR array of the contract's own code and the reason.
func (c *Call) Reply() []byte { return c.reply }

// SetAuthorities says who the chain's authorities shall be, as an encoded abi.AuthoritySet.
func (c *Call) SetAuthorities(encoded []byte) (abi.Status, error) {
	const name = "authorities_set"
	if err := c.mayChange(name); err != nil {
		return 0, err
	}
	if err := c.may(name, abi.CapabilityAuthorities); err != nil {
		return 0, err
	}
	if err := bound(name, "set", len(encoded), abi.MaxMessage); err != nil {
		return 0, err
	}
	if err := c.Charge(gas.ReturnByte * uint64(len(encoded))); err != nil {
		return 0, err
	}
	set, err := abi.DecodeAuthoritySet(encoded)
	if err != nil {
		c.Note(name + ": " + err.Error())
		return 0, Stopf(receipt.Trapped, "%s: the argument is not a set of keys", name)
	}
	if err := c.Charge(gas.Authority * uint64(len(set))); err != nil {
		return 0, err
	}
	if err := set.Check(); err != nil {
		c.Note(name + ": " + err.Error())
		return abi.StatusNotASet, nil
	}
	for i := range set {
		set[i] = bytes.Clone(set[i]) // aliases the contract's memory
	}
	if c.Trace != nil {
		c.Trace.step(Step{Op: name})
	}
	return c.Authorities.SetAuthorities(set)
}
