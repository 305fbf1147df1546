package machine

import (
	"context"
	"encoding/hex"
	"encoding/json"

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
	out.Args, out.ArgsCut = typed(method.Args, t.Args)
	out.Result, out.ResultCut = typed(method.Result, t.Result)
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
			if step.AttributesCut = cut(s.Attributes); step.AttributesCut > 0 {
				step.Attributes = quoted(s.Attributes.Kept)
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
			step.Value, step.ValueCut = s.Value.Kept, cut(s.Value)
		}
		out.Steps = append(out.Steps, step)
	}
	return out, nil
}

// typed is an item as its type has it if it fits, and as it is if not. If only a part was kept, that is hex, and size that of all.
func typed(t *abi.Type, b host.Bytes) (doc json.RawMessage, size int) {
	if !b.Whole() {
		return quoted(b.Kept), b.Size
	}
	if t != nil && b.Size > 0 {
		if doc, err := specjson.ToJSON(t, b.Kept); err == nil {
			return doc, 0
		}
	}
	return specjson.Untyped(b.Kept), 0
}

// cut is the size of what was not kept whole, else 0.
func cut(b host.Bytes) int {
	if b.Whole() {
		return 0
	}
	return b.Size
}

func quoted(b []byte) json.RawMessage {
	return json.RawMessage(`"0x` + hex.EncodeToString(b) + `"`)
}
