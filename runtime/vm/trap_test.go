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

// Of a module whose parts don't fit together, every node says the same.
func TestMisfit(t *testing.T) {
	data, first, elements, start := small(), small(), small(), small()
	data.DataAt(0, "fits")
	data.DataAt(65535, "xy")
	first.DataAt(-1, "x")
	elements.Table(0, 1)
	elements.Elements(1, 0) // wazero goes on without them, against the standard
	s := start.Func(nil, nil, 0, wt.Unreachable)
	start.Start = &s
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		ends(t, run(t, e, data.Bytes(), newCall(t, "m")), receipt.Trapped, "the module can't be instantiated")
		ends(t, run(t, e, first.Bytes(), newCall(t, "m")), receipt.Trapped, "the module can't be instantiated")
		ends(t, run(t, e, elements.Bytes(), newCall(t, "m")), receipt.OK, "")
		ends(t, run(t, e, start.Bytes(), newCall(t, "m")), receipt.Trapped, "trap: unreachable code was reached")
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

// A table can't grow without bounds, though the module doesn't say how far it may.
func TestTableGrowIsBounded(t *testing.T) {
	fails := func(by int32) *wt.Module {
		m := wt.New()
		m.Table(0, 1)
		m.Export(abi.ExportCall, wt.NullFunc, wt.I32(by), wt.TableGrow, wt.I32(-1), wt.NeI32, wt.If(wt.Unreachable))
		return m
	}
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		ends(t, run(t, e, fails(vm.MaxTable).Bytes(), newCall(t, "m")), receipt.OK, "")
		ends(t, run(t, e, fails(1<<27).Bytes(), newCall(t, "m")), receipt.OK, "")
		ends(t, run(t, e, fails(vm.MaxTable-1).Bytes(), newCall(t, "m")), receipt.Trapped, "trap: unreachable code was reached")
	})
}

// Memory grows to MaxMemory and no further, whatever the module says.
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
			{"to the end of the numbers", 1, 0, -1, -1},
			{"beyond it, as declared", 1, 65536, 1024, -1},
			{"beyond what was declared", 1, 3, 3, -1},
			{"to what was declared", 1, 3, 2, 1},
			{"from the bound", 1024, 0, 1, -1},
		} {
			t.Run(test.name, func(t *testing.T) {
				ends(t, run(t, e, module(test.pages, test.most, test.by, test.want), newCall(t, "m")), receipt.OK, "")
			})
		}
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
			ends(t, run(t, e, test.module.Bytes(), newCall(t, "m")), receipt.Trapped, test.reason)
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
