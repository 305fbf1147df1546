package vm_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// small returns a module with one export, ward_call.
func small(body ...wt.Op) *wt.Module {
	m := wt.New()
	m.Export(abi.ExportCall, body...)
	return m
}

// Each trap of Wasm has a reason of ours, the same on both engines.
func TestTraps(t *testing.T) {
	table := func(limits ...byte) *wt.Module {
		m := wt.New()
		m.Table(limits...)
		return m
	}
	recursion := wt.New()
	recursion.Export(abi.ExportCall, wt.Call(0))
	empty := table(0, 3)
	empty.Export(abi.ExportCall, wt.I32(2), wt.CallIndirect(0))
	beyond := table(0, 3)
	beyond.Export(abi.ExportCall, wt.I32(3), wt.CallIndirect(0))
	mismatch := table(0, 3)
	mismatch.Elements(0, mismatch.Func([]byte{wt.TypeI64}, nil, 0))
	mismatch.Func(nil, nil, 0)
	mismatch.Export(abi.ExportCall, wt.I32(0), wt.CallIndirect(1))

	tests := []struct {
		name   string
		module *wt.Module
		reason string
	}{
		{"unreachable", small(wt.Unreachable), "trap: unreachable code was reached"},
		{"recursion", recursion, "trap: the call stack is exhausted"},
		{"divide by zero", small(wt.I32(1), wt.I32(0), wt.DivS32, wt.Drop), "trap: division by zero"},
		{"divide the least by -1", small(wt.I32(-1<<31), wt.I32(-1), wt.DivS32, wt.Drop), "trap: integer overflow"},
		{"truncate a large float", small(wt.F32(1e20), wt.TruncF32, wt.Drop), "trap: integer overflow"},
		{"truncate what is not a number", small(wt.Raw(0x43, 0, 0, 0xc0, 0x7f), wt.TruncF32, wt.Drop), "trap: not a number has no integer"},
		{"load beyond memory", small(wt.LoadI32(65533), wt.Drop), "trap: access outside of memory"},
		{"load at the end of the numbers", small(wt.LoadI32(-4), wt.Drop), "trap: access outside of memory"},
		{"store beyond memory", small(wt.I32(65533), wt.I32(1), wt.StoreI32), "trap: access outside of memory"},
		{"fill beyond memory", small(wt.I32(0), wt.I32(0), wt.I32(65537), wt.Fill), "trap: access outside of memory"},
		{"call an empty entry", empty, "trap: access outside of a table, or to an empty entry"},
		{"call beyond a table", beyond, "trap: access outside of a table, or to an empty entry"},
		{"call another type", mismatch, "trap: indirect call of a function of another type"},
	}
	var seen []string
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				wasm := test.module.Bytes()
				if err := e.Vet(context.Background(), wasm); err != nil {
					t.Fatal(err)
				}
				ends(t, run(t, e, wasm, newCall(t, "m")), receipt.Trapped, test.reason)
			})
			seen = append(seen, test.reason)
		}
	})
	for _, reason := range vm.TrapReasons() {
		if !slices.Contains(seen, reason) {
			t.Errorf("no test causes %q", reason)
		}
	}
}

// Code that vet refuses is in no state: a node that is asked to call it is broken.
func TestCallOfRefusedCode(t *testing.T) {
	start := small()
	s := start.Func(nil, nil, 0, wt.Unreachable)
	start.Start = &s
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		for _, wasm := range [][]byte{[]byte("rubbish"), start.Bytes()} {
			var no *vm.Refused
			if r, err := e.Call(context.Background(), code(wasm), newCall(t, "m")); !errors.As(err, &no) {
				t.Errorf("%+v, %v; want a refusal", r, err)
			}
		}
	})
}

// A node that can't instantiate a module for a reason of its own says so, and gives no result.
func TestInstantiatingOnABrokenNode(t *testing.T) {
	for _, o := range []vm.Options{{}, {Interpreter: true}} {
		e := newEngine(t, o)
		wasm := small().Bytes()
		ends(t, run(t, e, wasm, newCall(t, "m")), receipt.OK, "")
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if r, err := e.Call(context.Background(), code(wasm), newCall(t, "m")); err == nil {
			t.Errorf("a closed engine answered %s: %q", r.Code.Name(), r.Reason)
		}
	}
}

// Memory grows to vet.MaxPages and no further, whatever the module says.
func TestMemoryIsBounded(t *testing.T) {
	module := func(pages, most uint32, by int32, want int32) []byte {
		m := small(wt.I32(by), wt.Grow, wt.I32(want), wt.NeI32, wt.If(wt.Unreachable))
		m.Pages, m.MaxPages = pages, most
		return m.Bytes()
	}
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		for _, test := range []struct {
			name        string
			pages, most uint32
			by, want    int32
		}{
			{"to the bound", 1, 0, 1023, 1},
			{"one page beyond it", 1, 0, 1024, -1},
			{"beyond it, as declared", 1, 65536, 1024, -1},
			{"beyond what was declared", 1, 3, 3, -1},
			{"to what was declared", 1, 3, 2, 1},
			{"from the bound", 1024, 0, 1, -1},
		} {
			t.Run(test.name, func(t *testing.T) {
				ends(t, run(t, e, module(test.pages, test.most, test.by, test.want), newCall(t, "m")), receipt.OK, "")
			})
		}
		// Whoever asks for more than anybody can have must pay for it all the same.
		ends(t, run(t, e, module(1, 0, -1, -1), newCall(t, "m")), receipt.OutOfGas, "the gas limit of 1000000000 is used up")
	})
}

// What a contract leaves in memory or globals, the next call doesn't find.
func TestCallsAreIsolated(t *testing.T) {
	m := wt.New()
	g := m.Global(5)
	m.DataAt(64, "\x05")
	m.Export(abi.ExportCall,
		wt.GetGlobal(g), wt.I32(5), wt.NeI32, wt.If(wt.Unreachable),
		wt.LoadI32(64), wt.I32(5), wt.NeI32, wt.If(wt.Unreachable),
		wt.LoadI32(60000), wt.I32(0), wt.NeI32, wt.If(wt.Unreachable),
		wt.I32(6), wt.SetGlobal(g),
		wt.I32(64), wt.I32(6), wt.StoreI32,
		wt.I32(60000), wt.I32(6), wt.StoreI32,
		wt.I32(1), wt.Grow, wt.Drop)
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		for range 3 {
			ends(t, run(t, e, m.Bytes(), newCall(t, "m")), receipt.OK, "")
		}
	})
}

// What a call writes anywhere, also to many blocks or through the host, the next doesn't find, in memories of every size that is put
// back in a way of its own.
func TestMemoryIsPutBack(t *testing.T) {
	const page = 65536
	for _, pages := range []uint32{1, 2, 16, 64} {
		// First it looks whether every block begins and ends as it was; then it writes to some of them.
		for _, every := range []int32{4096, 5 * 4096, 3*page + 4096} {
			m := wt.New()
			m.Pages = pages
			random := m.Import(abi.WASIModule, "random_get")
			last := int32(pages)*page - 8
			m.DataAt(4096+8, "\x07")
			m.DataAt(last, "\x09")
			at := m.Global(0)
			each := func(step int32, body ...wt.Op) wt.Op {
				return wt.Seq(wt.I32(0), wt.SetGlobal(at), wt.Loop(
					wt.Seq(body...),
					wt.GetGlobal(at), wt.I32(step), wt.AddI32, wt.SetGlobal(at),
					wt.GetGlobal(at), wt.I32(int32(pages)*page), wt.Raw(0x49), wt.BranchIf(0))) // i32.lt_u
			}
			m.Export(abi.ExportCall,
				wt.LoadI32(4096+8), wt.I32(7), wt.NeI32, wt.If(wt.Unreachable),
				wt.LoadI32(last), wt.I32(9), wt.NeI32, wt.If(wt.Unreachable),
				each(4096, wt.GetGlobal(at), wt.Raw(0x28, 2, 0), wt.If(wt.Unreachable)),
				each(every, wt.GetGlobal(at), wt.I32(1), wt.StoreI32),
				wt.I32(4096+8), wt.I32(6), wt.StoreI32,
				wt.I32(last), wt.I32(6), wt.StoreI32,
				wt.I32(int32(pages)*page/2), wt.I32(64), wt.Call(random), wt.Drop)
			wasm := m.Bytes()
			onBoth(t, func(t *testing.T, e *vm.Engine) {
				for round := range 4 {
					if r := run(t, e, wasm, newCall(t, "m")); r.Code != receipt.OK {
						t.Fatalf("%d pages, every %d bytes, call %d: %+v", pages, every, round, r)
					}
				}
			})
		}
	}
}

// While a module starts, nothing of the host answers but WASI.
func TestStartIsWithoutHost(t *testing.T) {
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		initialize := wt.New()
		f := initialize.Import(abi.Module, "gas_left")
		initialize.Export(abi.ExportInitialize, wt.Call(f), wt.Drop)
		initialize.Export(abi.ExportCall)

		start := wt.New()
		f = start.Import(abi.Module, "sender")
		s := start.Func(nil, nil, 0, wt.I32(0), wt.Call(f))
		start.Start = &s
		start.Export(abi.ExportCall)

		for _, test := range []struct {
			module *wt.Module
			reason string
		}{
			{initialize, "gas_left: only a call may use it, not _initialize"},
			{start, "sender: only a call may use it, not _initialize"},
		} {
			var no *vm.Refused
			if err := e.Vet(context.Background(), test.module.Bytes()); !errors.As(err, &no) || !strings.Contains(no.Reason, test.reason) {
				t.Errorf("Vet: %v, want a refusal with %q", err, test.reason)
			}
		}
	})
}

// The start section runs before _initialize and both before the call.
func TestOrderOfStart(t *testing.T) {
	m := wt.New()
	g := m.Global(0)
	step := func(from, to int32) wt.Op {
		return wt.Seq(wt.GetGlobal(g), wt.I32(from), wt.NeI32, wt.If(wt.Unreachable), wt.I32(to), wt.SetGlobal(g))
	}
	s := m.Func(nil, nil, 0, step(0, 1))
	m.Start = &s
	m.Export(abi.ExportInitialize, step(1, 2))
	m.Export(abi.ExportCall, step(2, 3))
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		ends(t, run(t, e, m.Bytes(), newCall(t, "m")), receipt.OK, "")
	})
}
