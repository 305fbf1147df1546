package meter_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wardledger/ward/runtime/meter"
	"github.com/wardledger/ward/runtime/vet"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// overflow recurses in the exported function "f" without a limit of ours, until wazero's compiler is at its own, and returns how
// many bytes of stack were counted by then.
func overflow(t *testing.T, e engine, b []byte) int64 {
	t.Helper()
	ctx := context.Background()
	m, err := vet.Shape(b)
	if err != nil {
		t.Fatal(err)
	}
	rewritten, err := meter.Rewrite(m, prices)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := e.runtime.InstantiateWithConfig(ctx, rewritten, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	defer instance.Close(ctx)
	const all = 1 << 60
	instance.ExportedGlobal(meter.Gas).(api.MutableGlobal).Set(all)
	stack := instance.ExportedGlobal(meter.Stack).(api.MutableGlobal)
	stack.Set(all)
	f := instance.ExportedFunction("f")
	if _, err := f.Call(ctx, make([]uint64, len(f.Definition().ParamTypes()))...); err == nil || !strings.Contains(err.Error(), "stack overflow") {
		t.Fatalf("%v, want wazero's stack overflow", err)
	}
	return all - int64(stack.Get())
}

// TestStackOverflow: however large wazero's compiler makes the frame of a function, MaxStack is used up before its stack is. It gives
// a place of 8 bytes to each value that must be kept, and to each that one becomes where control joins, and shares none.
func TestStackOverflow(t *testing.T) {
	e := engines(t)[0]
	types := func(t byte, n int) []byte { return bytes.Repeat([]byte{t}, n) }
	each := func(n int, op func(i int) wt.Op) (all wt.Op) {
		for i := range n {
			all = append(all, op(i)...)
		}
		return all
	}
	load := func(i int) wt.Op { return wt.LoadI32(int32(4 * i)) }
	store := func(i int) wt.Op { return wt.Seq(wt.I32(int32(4*i)), wt.Get(i), wt.StoreI32) }
	opaque := wt.LoadI32(60_000) // 0, which no compiler knows
	// The functions of each module: one that does nothing, one that gives 16 values and one that takes 112, and the one that recurses.
	const nothing, give, take, self = 0, 1, 2, 3
	for _, test := range []struct {
		name   string
		params int
		locals int
		body   func(m *wt.Module) wt.Op
	}{
		{"nothing", 0, 0, func(*wt.Module) wt.Op { return wt.Call(self) }},
		{"parameters", 100, 0, func(*wt.Module) wt.Op {
			return wt.Seq(each(100, wt.Get), wt.Call(self), each(100, store))
		}},
		{"locals that live", 0, 1000, func(*wt.Module) wt.Op {
			return wt.Seq(each(1000, func(i int) wt.Op { return wt.Seq(load(i), wt.Set(i)) }), wt.Call(self), each(1000, store))
		}},
		{"operands", 0, 0, func(*wt.Module) wt.Op {
			return wt.Seq(each(500, load), wt.Call(self), each(500, func(int) wt.Op { return wt.Drop }))
		}},
		{"values one after the other", 0, 0, func(*wt.Module) wt.Op {
			return wt.Seq(each(3000, func(i int) wt.Op { return wt.Seq(wt.I32(0), load(i%100), wt.Call(nothing), wt.StoreI32) }), wt.Call(self))
		}},
		{"calls with many results", 0, 0, func(*wt.Module) wt.Op {
			return wt.Seq(each(300, func(int) wt.Op {
				return wt.Seq(each(7, func(int) wt.Op { return wt.Call(give) }), wt.Call(nothing), wt.Call(take))
			}), wt.Call(self))
		}},
		{"branches to a loop in which locals rotate", 0, 1000, func(*wt.Module) wt.Op {
			return wt.Seq(each(1000, func(i int) wt.Op { return wt.Seq(load(i), wt.Set(i)) }),
				wt.Loop(each(1000, wt.Get), each(1000, wt.Set), each(100, func(int) wt.Op { return wt.Seq(opaque, wt.BranchIf(0)) })),
				each(1000, store), wt.Call(self))
		}},
		{"branches out of a block with locals", 0, 500, func(*wt.Module) wt.Op {
			return wt.Seq(each(20, func(int) wt.Op {
				return wt.Block(each(10, func(k int) wt.Op {
					return wt.Seq(each(50, func(i int) wt.Op { return wt.Seq(load(i), wt.Set(k*50+i)) }), opaque, wt.BranchIf(0))
				}))
			}), wt.Call(self), each(500, store))
		}},
		// Of globals that a call may have changed wazero keeps values, too.
		{"loops that globals live through", 0, 0, func(m *wt.Module) wt.Op {
			for range 1000 {
				m.Global(1)
			}
			return wt.Seq(each(100, func(int) wt.Op {
				return wt.Block(wt.Loop(opaque, wt.Raw(0x45), wt.BranchIf(1), wt.Call(nothing), wt.Branch(0)))
			}), each(1000, func(i int) wt.Op { return wt.Seq(wt.I32(int32(4*i)), wt.GetGlobal(i), wt.StoreI32) }), wt.Call(self))
		}},
		{"a loop with parameters", 0, 0, func(m *wt.Module) wt.Op {
			loop := m.Type(types(wt.TypeI32, 100), types(wt.TypeI32, 16))
			return wt.Seq(each(20, func(int) wt.Op {
				return wt.Seq(each(100, load), wt.Raw(0x03), wt.Raw(byte(loop)|0x80, byte(loop>>7)),
					each(50, func(int) wt.Op {
						return wt.Seq(load(9), load(8), load(7), opaque, wt.BranchIf(0), wt.Drop, wt.Drop, wt.Drop)
					}),
					wt.Call(nothing), each(84, func(int) wt.Op { return wt.Drop }), wt.Raw(0x0b), each(16, func(int) wt.Op { return wt.Drop }))
			}), wt.Call(self))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := wt.New()
			m.Func(nil, nil, 0)
			m.Func(nil, types(wt.TypeI32, 16), 0, each(16, load))
			m.Func(types(wt.TypeI32, 16*7), nil, 0)
			m.Func(types(wt.TypeI32, test.params), nil, test.locals, test.body(m))
			m.ExportFunc("f", self)
			counted := overflow(t, e, m.Bytes())
			margin := float64(counted) / meter.MaxStack
			t.Logf("%.1f times MaxStack", margin)
			// wazero's stack grows by doubling, and here to 84 MB. Elsewhere it may end at little more than 50.
			if margin < 1.7 {
				t.Errorf("wazero's stack is used up with %d bytes counted, and MaxStack is %d", counted, meter.MaxStack)
			}
		})
	}
}

// TestNothingBehindALook: what a long straight line costs is looked at before it runs, also where the last look was in a line that cost
// little, or on a way that was not taken.
func TestNothingBehindALook(t *testing.T) {
	e := engines(t)[0]
	long := wt.Seq(wt.I32(64), wt.Raw(0x44, 1, 2, 3, 4, 5, 0xf8, 0x7f, 0x40), bytes.Repeat(wt.Raw(0x9f), 50_000), wt.Raw(0x39, 3, 0)) // f64.sqrt, f64.store
	for name, body := range map[string]wt.Op{
		"behind a branch":           wt.Seq(wt.I32(0), wt.BranchIf(0), long),
		"behind an arm that looks":  wt.Seq(wt.I32(0), wt.If(long), long),
		"behind an arm that ends":   wt.Seq(wt.I32(0), wt.If(long, wt.Return), long),
		"behind a block left early": wt.Seq(wt.Block(wt.I32(1), wt.BranchIf(0), long), long),
	} {
		m := wt.New()
		m.ExportFunc("f", m.Func(nil, nil, 0, body))
		decoded, err := vet.Shape(m.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		rewritten, err := meter.Rewrite(decoded, prices)
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		instance, err := e.runtime.InstantiateWithConfig(ctx, rewritten, wazero.NewModuleConfig().WithName("").WithStartFunctions())
		if err != nil {
			t.Fatal(err)
		}
		ticks := instance.ExportedGlobal(meter.Gas).(api.MutableGlobal)
		ticks.Set(40_000) // for the first line, not for the long one
		instance.ExportedGlobal(meter.Stack).(api.MutableGlobal).Set(meter.MaxStack)
		_, err = instance.ExportedFunction("f").Call(ctx)
		if left := int64(ticks.Get()); left >= 0 || err == nil {
			t.Fatalf("%s: %v with %d left, want it to run out", name, err, left)
		}
		if v, _ := instance.Memory().ReadUint64Le(64); v != 0 {
			t.Errorf("%s: it ran all the same", name)
		}
		if err := instance.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
}
