package machine

import (
	"context"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/abi/specjson"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/sdk/client"
	"github.com/wardledger/ward/sdk/client/story"
	"github.com/wardledger/ward/sdk/sdktest/link"
)

// TellTx executes the block of a transaction again, up to it, and tells what it did, as "ward tx trace" would.
func (m *Machine) TellTx(t link.Tx, told *string) error {
	c, err := m.chain(t.Number)
	if err != nil {
		return err
	}
	b, ok := c.blocks[t.Height]
	if !ok || t.Index >= len(b.transactions) {
		return nil // genesis, which has no state before it
	}
	traced, err := c.runtime.TraceTx(context.Background(), b.header, b.transactions[:t.Index+1])
	if err != nil {
		return err
	}
	return c.tell(traced, told)
}

// TellView asks a contract again and tells what it did, as "ward call --simulate" would.
func (m *Machine) TellView(v link.View, told *string) error {
	c, err := m.chain(v.Number)
	if err != nil {
		return err
	}
	traced, err := c.runtime.Simulate(context.Background(), runtime.Trial{Query: query(v)})
	if err != nil {
		return err
	}
	return c.tell(traced, told)
}

func (c *chain) tell(t runtime.Traced, told *string) error {
	call, err := c.callOf(t.Trace)
	if err != nil {
		return err
	}
	*told = story.Tell(call, t.Receipt.GasUsed, t.Admission)
	return nil
}

// callOf is a trace as a client of the API has it, nil if there is none.
func (c *chain) callOf(t *host.Trace) (*client.CallTrace, error) {
	if t == nil {
		return nil, nil
	}
	info, _, err := c.runtime.Contract(t.Contract)
	if err != nil {
		return nil, err
	}
	if t.Spec != nil {
		info.Spec = t.Spec
	}
	spec := info.Spec
	if spec == nil {
		spec = new(abi.Spec)
	}
	method, _ := spec.Method(t.Method)
	out := &client.CallTrace{
		Contract: t.Contract, Method: t.Method, View: t.View, Code: t.Code.Name(), Number: t.Code, ContractCode: t.ContractCode,
		Reason: t.Reason, Stack: t.Stack, Gas: client.CallGas(t.Gas), Omitted: t.Omitted,
	}
	if !t.Sender.IsZero() {
		out.Sender = &t.Sender
	}
	if e, ok := spec.Error(t.ContractCode); ok {
		out.ContractError = e.Name
	}
	out.Args, out.ArgsCut = specjson.Part(method.Args, t.Args.Kept, t.Args.Size), t.Args.Cut()
	out.Result, out.ResultCut = specjson.Part(method.Result, t.Result.Kept, t.Result.Size), t.Result.Cut()
	for _, f := range t.Functions {
		out.Functions = append(out.Functions, client.FunctionUse(f))
	}
	for i := range t.Steps {
		s := &t.Steps[i]
		step := client.Step{Op: s.Op, Collection: s.Collection, Key: s.Key.Kept, End: s.End.Kept, Reverse: s.Reverse, Event: s.Event}
		switch s.Op {
		case "get", "exists", "delete":
			step.Found = &s.Found
		case "emit":
			if step.AttributesCut = s.Attributes.Cut(); step.AttributesCut > 0 {
				step.Attributes = specjson.Part(nil, s.Attributes.Kept, s.Attributes.Size)
			} else {
				step.Attributes = specjson.EventJSON(info.Spec, s.Event, s.Attributes.Kept)
			}
		case "log":
			step.Line = &s.Line
		case "call":
			if step.Call, err = c.callOf(s.Call); err != nil {
				return nil, err
			}
		}
		if s.Value.Size > 0 {
			step.Value, step.ValueCut = s.Value.Kept, s.Value.Cut()
		}
		out.Steps = append(out.Steps, step)
	}
	return out, nil
}
