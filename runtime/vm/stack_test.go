package vm_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// nested is a module in which ward_call calls middle, and that a function which does what end says. Of its functions those have names that
// are named. It imports two, so that an index of wazero's counts them, and grows memory, so that the rewriter's functions do something.
func nested(named bool, end func(get, exit int) []wt.Op) *wt.Module {
	m := wt.New()
	get, exit := m.Import(abi.Module, "get"), m.Import(abi.WASIModule, "proc_exit")
	inner := m.Func(nil, nil, 1, end(get, exit)...)
	middle := m.Func(nil, nil, 0, wt.Call(inner))
	outer := m.Export(abi.ExportCall, wt.I32(1), wt.Grow, wt.Drop, wt.Call(middle))
	if named {
		m.Name(get, "not what is shown")
		m.Name(inner, "store.(*Map[go.shape.string]).Get")
		m.Name(outer, "ward_call")
	}
	return m
}

// traced makes a call that is traced, and again one that isn't: the trace makes no difference.
func traced(t *testing.T, e *vm.Engine, wasm []byte, limit uint64) (vm.Result, *host.Trace) {
	t.Helper()
	plain, c := newCall(t, "m"), newCall(t, "m")
	plain.Gas, c.Gas = gas.NewMeter(limit), gas.NewMeter(limit)
	c.Trace = new(host.Trace)
	c.Trace.Begin(c.Contract, c.Method, c.Args, address.Address{})
	got, want := run(t, e, wasm, c), run(t, e, wasm, plain)
	if got != want || c.Gas.Used() != plain.Gas.Used() {
		t.Errorf("with a trace %+v, %d gas; without %+v, %d", got, c.Gas.Used(), want, plain.Gas.Used())
	}
	return got, c.Trace
}

// A trace says where the contract was when it trapped, in the words of the module's section "name", on both engines alike. The index of
// a function is what it was before the module was rewritten.
func TestStackOfATrap(t *testing.T) {
	whole := []string{"store.(*Map[go.shape.string]).Get", "function 3", "ward_call"}
	deep := slices.Repeat([]string{"again"}, host.MaxTraceFrames)
	recursion := wt.New()
	recursion.Export(abi.ExportCall, wt.Call(0))
	recursion.Name(0, "again")
	beyond := wt.Seq(wt.I32(65530), wt.I32(100), wt.I32(0), wt.I32(0), wt.I32(0), wt.I32(0))
	malformed := nested(true, func(int, int) []wt.Op { return []wt.Op{wt.Unreachable} }).Bytes()
	malformed[len(malformed)-1] = 0xff
	for _, test := range []struct {
		name  string
		wasm  []byte
		limit uint64
		code  receipt.Code
		stack []string
	}{
		{"a trap", nested(true, func(int, int) []wt.Op { return []wt.Op{wt.Unreachable} }).Bytes(), gas.MaxLimit, receipt.Trapped, whole},
		{"no memory for so much", nested(true, func(int, int) []wt.Op { return []wt.Op{wt.LoadI32(-4), wt.Drop} }).Bytes(), gas.MaxLimit, receipt.Trapped, whole},
		{"ended by the host", nested(true, func(get, _ int) []wt.Op { return []wt.Op{beyond, wt.Call(get), wt.Drop} }).Bytes(), gas.MaxLimit, receipt.Trapped,
			append([]string{"ward.get"}, whole...)},
		{"an exit", nested(true, func(_, exit int) []wt.Op { return []wt.Op{wt.I32(2), wt.Call(exit)} }).Bytes(), gas.MaxLimit, receipt.Trapped,
			append([]string{"wasi_snapshot_preview1.proc_exit"}, whole...)},
		{"no gas in a loop", nested(true, func(int, int) []wt.Op { return []wt.Op{wt.Loop(wt.Branch(0))} }).Bytes(), 10_000_000, receipt.OutOfGas, whole},
		{"no gas for memory", nested(true, func(int, int) []wt.Op { return []wt.Op{wt.I32(-1), wt.Grow, wt.Drop} }).Bytes(), 10_000_000, receipt.OutOfGas, whole},
		{"no stack", recursion.Bytes(), gas.MaxLimit, receipt.Trapped, deep},
		{"without names", nested(false, func(int, int) []wt.Op { return []wt.Op{wt.Unreachable} }).Bytes(), gas.MaxLimit, receipt.Trapped, nil},
		{"with names that are none", malformed, gas.MaxLimit, receipt.Trapped, nil},
		{"no trap", nested(true, func(int, int) []wt.Op { return nil }).Bytes(), gas.MaxLimit, receipt.OK, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, e *vm.Engine) {
				for range 2 { // nothing of the last call is left
					if r, trace := traced(t, e, test.wasm, test.limit); r.Code != test.code || !slices.Equal(trace.Stack, test.stack) {
						t.Errorf("%+v at %q, want %s at %q", r, trace.Stack, test.code.Name(), test.stack)
					}
				}
			})
		})
	}
}

// Names that are kept beside the code are asked for if it has none in itself, and only then.
func TestStackWithNamesFromElsewhere(t *testing.T) {
	trap := func(int, int) []wt.Op { return []wt.Op{wt.Unreachable} }
	plain, whole := nested(false, trap).Bytes(), nested(true, trap).Bytes()
	asked := 0
	for _, interpreter := range []bool{false, true} {
		e := newEngine(t, vm.Options{Interpreter: interpreter, Names: func(hash [sha256.Size]byte) []byte {
			asked++
			if hash == sha256.Sum256(plain) {
				return whole
			}
			return nil
		}})
		for _, c := range []struct {
			name  string
			wasm  []byte
			asks  int
			stack []string
		}{
			{"names elsewhere", plain, 1, []string{"store.(*Map[go.shape.string]).Get", "function 3", "ward_call"}},
			{"names of its own", whole, 0, []string{"store.(*Map[go.shape.string]).Get", "function 3", "ward_call"}},
			{"names nowhere", nested(false, func(int, int) []wt.Op { return []wt.Op{wt.I32(0), wt.Drop, wt.Unreachable} }).Bytes(), 1, nil},
			{"no trap", nested(false, func(int, int) []wt.Op { return nil }).Bytes(), 0, nil},
		} {
			asked = 0
			if r, trace := traced(t, e, c.wasm, gas.MaxLimit); asked != c.asks || !slices.Equal(trace.Stack, c.stack) {
				t.Errorf("%s: %+v at %q, asked %d times, want %q and %d", c.name, r, trace.Stack, asked, c.stack, c.asks)
			}
		}
	}
}

// A failure that the contract chose says for itself what it is.
func TestNoStackOfAFailure(t *testing.T) {
	m := wt.New()
	fail := m.Import(abi.Module, "fail")
	m.Name(m.Export(abi.ExportCall, wt.I32(1), wt.I32(0), wt.I32(0), wt.Call(fail)), "ward_call")
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		if r, trace := traced(t, e, m.Bytes(), gas.MaxLimit); r.Code != receipt.Failed || trace.Stack != nil {
			t.Errorf("%+v at %q", r, trace.Stack)
		}
	})
}

// Names take of the room that a trace has, and none are half.
func TestStackHasRoom(t *testing.T) {
	m := wt.New()
	log := m.Import(abi.Module, "log")
	line, n := m.Data(fmt.Sprintf("%01024d", 0))
	m.Name(m.Export(abi.ExportCall, wt.I32(host.MaxTraceBytes/1024), wt.Set(0), wt.Loop(
		wt.I32(line), wt.I32(n), wt.Call(log), wt.Get(0), wt.I32(-1), wt.AddI32, wt.Set(0), wt.Get(0), wt.BranchIf(0)), wt.Unreachable), "ward_call")
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		if r, trace := traced(t, e, m.Bytes(), gas.MaxLimit); r.Code != receipt.Trapped || trace.Stack != nil {
			t.Errorf("%+v at %q", r, trace.Stack)
		}
	})
}

// A node that can't read the code that it runs any more is broken, also if only a trace wants it.
func TestStackOfUnreadableCode(t *testing.T) {
	e := newEngine(t, vm.Options{})
	wasm := nested(true, func(int, int) []wt.Op { return []wt.Op{wt.Unreachable} }).Bytes()
	run(t, e, wasm, newCall(t, "m"))
	gone := errors.New("gone")
	c := newCall(t, "m")
	c.Trace = new(host.Trace)
	c.Trace.Begin(c.Contract, c.Method, c.Args, address.Address{})
	unreadable := code(wasm)
	unreadable.Load = func() ([]byte, error) { return nil, gone }
	if _, err := e.Call(context.Background(), unreadable, c); !errors.Is(err, gone) {
		t.Error(err)
	}
	if r, err := e.Call(context.Background(), unreadable, newCall(t, "m")); err != nil || r.Code != receipt.Trapped {
		t.Errorf("untraced: %+v, %v", r, err)
	}
}
