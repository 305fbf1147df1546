package build

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/vm"
)

// tryGas is what a method may use when it is tried, in gas: what a transaction usually may, and a second at most where it is interpreted.
const tryGas = 20_000_000

// A misfit is a method that a module hasn't, or not as its spec says.
type misfit struct{ method, why string }

// misfits calls each method of a spec that somebody wrote by hand, on a chain without rows and with the least arguments that it takes, and returns those of
// which it is certain that the spec is wrong: the contract itself says that it has no such method, or it writes in what is declared as a view. How else the calls
// end says nothing: rows and arguments are made up.
func misfits(ctx context.Context, engine Engine, wasm []byte, spec *abi.Spec) (list []misfit, err error) {
	running, cancel := context.WithTimeout(ctx, maxDescribe)
	defer cancel()
	code := vm.Code{Hash: sha256.Sum256(wasm), Load: func() ([]byte, error) { return wasm, nil }}
	for _, m := range spec.Methods {
		rows, err := state.Open(state.NewMemory(), state.Options{})
		if err != nil {
			return nil, err
		}
		args := cbor.AppendMap(nil, 0)
		if m.Args != nil {
			args = least(nil, m.Args)
		}
		if len(args) > abi.MaxArgs {
			list = append(list, misfit{m.Name, fmt.Sprintf("nobody can call it: what it takes is %d bytes and more, limit %d", len(args), abi.MaxArgs)})
			continue
		}
		somebody := address.Address{1}
		r, err := engine.Call(running, code, &host.Call{
			Chain: "try", Block: host.Block{Height: 1}, Contract: spec.Name, Method: m.Name, Args: args, Sender: somebody, Origin: somebody, View: m.View,
			Gas: gas.NewMeter(tryGas), Store: rows.Overlay(),
		})
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil && running.Err() != nil:
			return nil, fmt.Errorf("its methods have not ended after %v", maxDescribe)
		case err != nil:
			return nil, err
		case r.Code == receipt.UnknownMethod:
			list = append(list, misfit{m.Name, "the contract says that it has no such method: " + r.Reason})
		case m.View && r.Code == receipt.NotPermitted && strings.HasSuffix(r.Reason, host.InView):
			list = append(list, misfit{m.Name, `it is a "view" and writes: ` + r.Reason})
		}
	}
	return list, nil
}

// least appends the smallest value of a type: nothing, none, zero, and of a struct the fields that must be there. It ends once that is more than
// arguments may be.
func least(b []byte, t *abi.Type) []byte {
	if len(b) > abi.MaxArgs {
		return b
	}
	switch t.Kind {
	case abi.KindBool:
		return cbor.AppendBool(b, false)
	case abi.KindText:
		return cbor.AppendText(b, "")
	case abi.KindBytes:
		return cbor.AppendBytes(b, make([]byte, t.Size))
	case abi.KindAddress:
		return cbor.AppendBytes(b, make([]byte, abi.AddressSize))
	case abi.KindList:
		return cbor.AppendArray(b, 0)
	case abi.KindMap:
		return cbor.AppendMap(b, 0)
	case abi.KindStruct:
		var fields []abi.Field
		for _, f := range t.Fields {
			if !f.Optional {
				fields = append(fields, f)
			}
		}
		slices.SortFunc(fields, func(x, y abi.Field) int { return cbor.CompareText(x.Name, y.Name) })
		b = cbor.AppendMap(b, len(fields))
		for _, f := range fields {
			b = least(cbor.AppendText(b, f.Name), f.Type)
		}
		return b
	}
	return cbor.AppendUint(b, 0) // the numbers
}
