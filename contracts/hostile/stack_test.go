package hostile

import (
	"bytes"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vet"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

const exhausted = "trap: the call stack is exhausted"

// load pushes what no compiler can know.
func load(at int32) wt.Op { return wt.LoadI32(at) }

// Recursion ends where the contract's own count says, and never at an engine's limit: the engines have different ones. wazero's
// compiler stops at 50 MB, so the frames are made as large there as they can be, for what they count.
func TestRecursion(t *testing.T) {
	i32s := func(n int) []byte { return bytes.Repeat([]byte{wt.TypeI32}, n) }
	i64s := func(n int) []byte { return bytes.Repeat([]byte{wt.TypeI64}, n) }
	for _, test := range []struct {
		name  string
		build func(m *wt.Module)
	}{
		{"direct", func(m *wt.Module) { m.Export(abi.ExportCall, wt.Call(0)) }},
		{"two in turn", func(m *wt.Module) {
			m.Func(nil, nil, 0, wt.Call(1))
			m.Export(abi.ExportCall, wt.Call(0))
		}},
		{"through a table", func(m *wt.Module) {
			m.Table(0, 1)
			m.Elements(0, m.Export(abi.ExportCall, wt.I32(0), wt.CallIndirect(0)))
		}},
		{"two in turn through a table", func(m *wt.Module) {
			m.Table(0, 2)
			other := m.Func(nil, nil, 0, load(0), wt.CallIndirect(0))
			m.Elements(0, m.Export(abi.ExportCall, load(0), wt.I32(1), wt.AddI32, wt.CallIndirect(0)), other)
		}},
		{"a tree of calls", func(m *wt.Module) {
			m.Export(abi.ExportCall, wt.Call(0), wt.Call(0), wt.Call(0))
		}},
		{"a host function in each frame", func(m *wt.Module) {
			f := m.Import(abi.Module, "gas_left")
			m.Export(abi.ExportCall, wt.Call(f), wt.Drop, wt.Call(1))
		}},
		{"as many locals as there may be", func(m *wt.Module) {
			m.Func(nil, nil, vet.MaxLocals, wt.Call(0))
			m.Export(abi.ExportCall, wt.Call(0))
		}},
		{"1,000 locals that live", func(m *wt.Module) {
			var in, out wt.Op
			for i := range 1000 {
				in = append(in, wt.Seq(load(int32(4*i)), wt.Set(i))...)
				out = append(out, wt.Seq(wt.I32(int32(4*i)), wt.Get(i), wt.StoreI32)...)
			}
			m.Func(nil, nil, 1000, in, wt.Call(0), out)
			m.Export(abi.ExportCall, wt.Call(0))
		}},
		{"500 operands", func(m *wt.Module) {
			var in, out wt.Op
			for i := range 500 {
				in = append(in, load(int32(4*i))...)
				out = append(out, wt.Drop...)
			}
			m.Func(nil, nil, 0, in, wt.Call(0), out)
			m.Export(abi.ExportCall, wt.Call(0))
		}},
		{"as many parameters and results as there may be", func(m *wt.Module) {
			var in, push, drop wt.Op
			for i := range vet.MaxParams {
				in, push = append(in, wt.Get(i)...), append(push, wt.I64(1)...)
			}
			for range vet.MaxResults {
				drop = append(drop, wt.Drop...)
			}
			m.Func(i64s(vet.MaxParams), i64s(vet.MaxResults), 0, in, wt.Call(0))
			m.Export(abi.ExportCall, push, wt.Call(0), drop)
		}},
		// What outlives a call takes a place of its own in wazero's frame, even if only one such value is alive at a time.
		{"3,000 values, one after the other, each across a call", func(m *wt.Module) {
			nothing := m.Func(nil, nil, 0)
			var body wt.Op
			for range 3000 {
				body = append(body, wt.Seq(wt.I32(0), load(64), wt.Call(nothing), wt.StoreI32)...)
			}
			f := m.Func(nil, nil, 0, body, wt.Call(1))
			m.Export(abi.ExportCall, wt.Call(f))
		}},
		{"12,800 results of calls, each across calls", func(m *wt.Module) {
			nothing := m.Func(nil, nil, 0)
			one := m.Func(nil, i32s(1), 0, load(64))
			take := m.Func(i32s(128), nil, 0)
			var body wt.Op
			for range 100 {
				for range 128 {
					body = append(body, wt.Call(one)...)
				}
				body = append(body, wt.Seq(wt.Call(nothing), wt.Call(take))...)
			}
			f := m.Func(nil, nil, 0, body, wt.Call(3))
			m.Export(abi.ExportCall, wt.Call(f))
		}},
		{"calls with many results, which live across another", func(m *wt.Module) {
			var push, body wt.Op
			for i := range vet.MaxResults {
				push = append(push, wt.I64(int64(i))...)
			}
			give := m.Func(nil, i64s(vet.MaxResults), 0, push)
			take := m.Func(i64s(vet.MaxParams), nil, 0)
			nothing := m.Func(nil, nil, 0)
			for range 200 {
				for range vet.MaxParams / vet.MaxResults {
					body = append(body, wt.Call(give)...)
				}
				body = append(body, wt.Seq(wt.Call(nothing), wt.Call(take))...)
			}
			f := m.Func(nil, nil, 0, body, wt.Call(3))
			m.Export(abi.ExportCall, wt.Call(f))
		}},
		// Each branch to a loop whose locals change places copies all of them first.
		{"400 branches to a loop in which 100 locals rotate", func(m *wt.Module) {
			var in, get, set, again, out wt.Op
			for i := range 100 {
				in = append(in, wt.Seq(load(int32(4*i)), wt.Set(i))...)
				get, set = append(get, wt.Get(i)...), append(set, wt.Set(i)...)
				out = append(out, wt.Seq(wt.I32(int32(4*i)), wt.Get(i), wt.StoreI32)...)
			}
			for range 400 {
				again = append(again, wt.Seq(load(64), wt.BranchIf(0))...)
			}
			f := m.Func(nil, nil, 100, in, wt.Loop(get, set, again), out, wt.Call(0))
			m.Export(abi.ExportCall, wt.Call(f))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := wt.New()
			test.build(m)
			ends(t, m.Bytes(), way{gas: 200_000_000}, receipt.Trapped, exhausted)
		})
	}
}

// BenchmarkDeepStack measures what it takes to use up a stack whose frames are as large in wazero as they can be, again and again: each
// call of another contract has a stack of its own, which wazero doubles, clears and copies as it grows. A gas should be a nanosecond.
func BenchmarkDeepStack(b *testing.B) {
	const locals, branches, times = 50, 400, 100
	m := wt.New()
	var in, get, set, again, out wt.Op
	for i := range locals {
		in = append(in, wt.Seq(load(int32(4*i)), wt.Set(i))...)
		get, set = append(get, wt.Get(i)...), append(set, wt.Set(i)...)
		out = append(out, wt.Seq(wt.I32(int32(4*i)), wt.Get(i), wt.StoreI32)...)
	}
	for range branches {
		again = append(again, wt.Seq(load(64), wt.BranchIf(0))...)
	}
	m.Func(nil, nil, locals, wt.Call(0), in, wt.Loop(get, set, again), out) // nothing but the first call ever runs
	m.Export(abi.ExportCall, wt.Call(0))
	c := newChain(b, vm.Options{})
	for name, wasm := range map[string][]byte{"deep": m.Bytes(), "calls": calls("deep", times, receipt.Trapped, 0)} {
		if r := c.deploy(name, wasm); r.Code != receipt.OK {
			b.Fatal(r.Reason)
		}
	}
	used := uint64(0)
	for b.Loop() {
		r := c.block(c.sign("calls", "do", []byte("\xa0"), gas.MaxLimit))[0]
		if r.Code != receipt.OK {
			b.Fatal(r.Reason)
		}
		used += r.GasUsed
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(used), "ns/gas")
}
