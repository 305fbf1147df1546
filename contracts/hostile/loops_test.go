package hostile

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vet"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// table is br_table to each of these labels; the last is for all other numbers.
func table(labels ...int) wt.Op {
	b := binary.AppendUvarint(wt.Op{0x0e}, uint64(len(labels)-1))
	for _, l := range labels {
		b = binary.AppendUvarint(b, uint64(l))
	}
	return b
}

// What only computes ends with its gas.
func TestLoops(t *testing.T) {
	for _, test := range []struct {
		name  string
		build func(m *wt.Module)
	}{
		{"nothing in it", func(m *wt.Module) { m.Export(abi.ExportCall, loop()) }},
		{"nothing that costs in it", func(m *wt.Module) { m.Export(abi.ExportCall, loop(wt.Block(wt.Nop), wt.Nop)) }},
		{"a body", func(m *wt.Module) {
			m.Export(abi.ExportCall, loop(wt.I32(0), load(0), wt.I32(1), wt.AddI32, wt.StoreI32))
		}},
		{"a loop in a loop", func(m *wt.Module) { m.Export(abi.ExportCall, wt.Loop(wt.Loop(load(0), wt.BranchIf(0), wt.Branch(1)))) }},
		{"a condition that always holds", func(m *wt.Module) { m.Export(abi.ExportCall, wt.Loop(wt.I32(1), wt.BranchIf(0))) }},
		{"br_table", func(m *wt.Module) { m.Export(abi.ExportCall, wt.Loop(wt.Loop(load(0), table(0, 1, 1, 0)))) }},
		{"br_table for numbers that it does not have", func(m *wt.Module) {
			m.Export(abi.ExportCall, wt.Block(wt.Loop(wt.I32(-1), table(1, 1, 0))))
		}},
		{"an empty function", func(m *wt.Module) {
			nothing := m.Func(nil, nil, 0)
			m.Export(abi.ExportCall, loop(wt.Call(nothing)))
		}},
		{"an empty function through a table", func(m *wt.Module) {
			m.Table(0, 1)
			m.Elements(0, m.Func(nil, nil, 0))
			m.Export(abi.ExportCall, loop(load(0), wt.CallIndirect(0)))
		}},
		{"a function with many locals", func(m *wt.Module) {
			f := m.Func(nil, nil, vet.MaxLocals)
			m.Export(abi.ExportCall, loop(wt.Call(f)))
		}},
		{"a function that jumps to its end", func(m *wt.Module) {
			f := m.Func(nil, nil, 0, wt.Block(load(0), table(0, 1, 1)))
			m.Export(abi.ExportCall, loop(wt.Call(f)))
		}},
		{"calls that double, 60 deep", func(m *wt.Module) {
			m.Func(nil, nil, 0)
			for f := range 60 {
				m.Func(nil, nil, 0, wt.Call(f), wt.Call(f))
			}
			m.Export(abi.ExportCall, wt.Call(60))
		}},
		{"divisions", func(m *wt.Module) {
			m.Export(abi.ExportCall, loop(wt.I32(1), load(8), wt.I32(3), wt.AddI32, wt.DivS32, wt.Drop))
		}},
		{"it grows by nothing", func(m *wt.Module) { m.Export(abi.ExportCall, loop(wt.I32(0), wt.Grow, wt.Drop)) }},
		{"a long line", func(m *wt.Module) {
			var line wt.Op
			for range 20_000 {
				line = append(line, wt.Seq(load(8), wt.Drop)...)
			}
			m.Export(abi.ExportCall, loop(line))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := wt.New()
			test.build(m)
			o := ends(t, m.Bytes(), way{gas: computing}, receipt.OutOfGas, "the gas limit of 2000000 is used up")
			if o.gas != computing {
				t.Errorf("it used %d of %d gas", o.gas, computing)
			}
		})
	}
}

// A view that only computes is ended by its gas; by its context as soon as it asks for something, and on the
// interpreter at once.
func TestViewWithoutEnd(t *testing.T) {
	for _, e := range engines {
		for _, name := range []string{"computes", "asks"} {
			m := wt.New()
			get := m.Import(abi.Module, "get")
			ask := wt.Seq(bytesOf(m, "rows"), bytesOf(m, "row"), wt.I32(0), wt.I32(0), wt.Call(get), wt.Drop)
			again := ask
			if name == "computes" {
				again = nil
			}
			m.Export(abi.ExportCall, ask, loop(again))
			ctx, cancel := context.WithCancel(context.Background())
			c := newCall(t, way{view: true})
			c.Store = hangsUp{c.Store, cancel}
			r, err := e.get().Call(ctx, code(m.Bytes()), c)
			if name == "computes" && !e.interpreter {
				if err != nil || r.Code != receipt.OutOfGas {
					t.Errorf("%s: %+v, %v; want that it ran out of gas", e.name, r, err)
				}
			} else if !errors.Is(err, context.Canceled) {
				t.Errorf("%s, %s: %+v, %v; want that it was canceled", e.name, name, r, err)
			}
			honest(t, e)
		}
	}
}

// hangsUp is a store whose reader goes away once it is asked: while the view runs, however slow the machine is.
type hangsUp struct {
	host.Store
	cancel func()
}

func (s hangsUp) Get(collection, key []byte) ([]byte, error) {
	s.cancel()
	return s.Store.Get(collection, key)
}
