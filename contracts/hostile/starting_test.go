package hostile

import (
	"fmt"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vet"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// starts are the two ways for code to run before any call.
var starts = []struct {
	name string
	set  func(m *wt.Module, f int)
}{
	{"_initialize", func(m *wt.Module, f int) { m.ExportFunc(abi.ExportInitialize, f) }},
	{"a start section", func(m *wt.Module, f int) { m.Start = &f }},
}

// Code that does not start well is not deployed. What starts well was paid for once.
func TestStarting(t *testing.T) {
	for _, start := range starts {
		for _, test := range []struct {
			name   string
			build  func(m *wt.Module) (body wt.Op)
			reason string // "": it is deployed
		}{
			// By what costs most: the interpreter takes as long for what is cheap, and a loop of nothing a dozen seconds.
			{"spins", func(*wt.Module) wt.Op { return loop(wt.I32(0), wt.I32(7), wt.I32(65536), wt.Fill) }, fmt.Sprintf("the gas limit of %d is used up", gas.MaxInit)},
			{"traps", func(*wt.Module) wt.Op { return wt.Unreachable }, "trap: unreachable code was reached"},
			{"divides by zero", func(*wt.Module) wt.Op { return wt.Seq(wt.I32(1), load(0), wt.DivS32, wt.Drop) }, "trap: division by zero"},
			{"recurses", func(m *wt.Module) wt.Op {
				n := m.Func(nil, nil, 0)
				m.Func(nil, nil, 0, wt.Call(n+1))
				return wt.Call(n + 1)
			}, exhausted},
			{"exits", func(m *wt.Module) wt.Op {
				return wt.Seq(wt.I32(0), wt.Call(m.Import(abi.WASIModule, "proc_exit")))
			}, "the contract exited with code 0"},
			{"writes outside of memory by WASI", func(m *wt.Module) wt.Op {
				return wt.Seq(wt.I32(-1), wt.I32(8), wt.Call(m.Import(abi.WASIModule, "random_get")), wt.Drop)
			}, "random_get: buffer is 8 bytes at 4294967295, outside of memory"},
			{"logs without end", func(m *wt.Module) wt.Op {
				f := m.Import(abi.WASIModule, "fd_write")
				m.DataAt(0, "\x10\x00\x00\x00\x00\x80\x00\x00")
				return loop(wt.I32(1), wt.I32(0), wt.I32(1), wt.I32(8), wt.Call(f), wt.Drop)
			}, fmt.Sprintf("the gas limit of %d is used up", gas.MaxInit)},
			{"asks for more memory than there is", func(*wt.Module) wt.Op {
				return wt.Seq(wt.I32(vet.MaxPages), wt.Grow, wt.I32(-1), wt.EqI32, wt.If(wt.Unreachable))
			}, "trap: unreachable code was reached"},
			{"asks for more memory than anybody has", func(*wt.Module) wt.Op { return wt.Seq(wt.I32(-1), wt.Grow, wt.Drop) },
				fmt.Sprintf("the gas limit of %d is used up", gas.MaxInit)},
			{"grows", func(*wt.Module) wt.Op { return wt.Seq(wt.I32(1), wt.Grow, wt.Drop) }, ""},
			{"computes for a while", func(*wt.Module) wt.Op {
				return wt.Loop(wt.Get(0), wt.I32(1), wt.AddI32, wt.Raw(0x22, 0), wt.I32(100_000), wt.LtU32, wt.BranchIf(0))
			}, ""},
		} {
			t.Run(start.name+" "+test.name, func(t *testing.T) {
				m := wt.New()
				body := test.build(m)
				start.set(m, m.Func(nil, nil, 1, body))
				m.Export(abi.ExportCall)
				if test.reason != "" {
					refused(t, m.Bytes(), "it can't be started: "+test.reason)
					return
				}
				ends(t, m.Bytes(), way{}, receipt.OK, "")
				var paid []uint64
				for _, e := range engines {
					pay := gas.NewMeter(gas.MaxLimit)
					if err := e.get().Activate(pay, m.Bytes()); err != nil {
						t.Fatalf("%s: %v", e.name, err)
					}
					paid = append(paid, pay.Used())
					if paid[0] != pay.Used() {
						t.Errorf("the deployment costs %d gas on the %s, %d on the %s", paid[0], engines[0].name, pay.Used(), e.name)
					}
				}
			})
		}
	}
}

// While a module starts, every function of the host refuses.
func TestHostWhileStarting(t *testing.T) {
	for _, start := range starts {
		for _, f := range abi.Table() {
			m := wt.New()
			i := m.Import(abi.Module, f.Name)
			var body wt.Op
			for _, p := range f.Params {
				body = append(body, push(p, 0)...)
			}
			body = append(body, wt.Call(i)...)
			if len(f.Results) > 0 {
				body = append(body, wt.Drop...)
			}
			start.set(m, m.Func(nil, nil, 0, body))
			m.Export(abi.ExportCall)
			refused(t, m.Bytes(), "it can't be started: "+f.Name+": only a call may use it, not _initialize")
		}
	}
}

// A contract may leave all the memory that there is behind when it starts. Its calls pay for that, and find it as it was.
func TestStartsWithAllMemory(t *testing.T) {
	m := wt.New()
	m.Export(abi.ExportInitialize,
		wt.I32(vet.MaxPages-1), wt.Grow, wt.Drop,
		wt.Loop(wt.Get(0), wt.I32(7), wt.StoreI32, wt.Get(0), wt.I32(4096), wt.AddI32, wt.Raw(0x22, 0), wt.I32(vet.MaxPages<<16), wt.LtU32, wt.BranchIf(0)))
	m.Export(abi.ExportCall, // what it finds it overwrites
		wt.Loop(wt.Get(0), wt.Raw(0x28, 2, 0), wt.I32(7), wt.EqI32, trapIfNot, wt.Get(0), wt.I32(8), wt.StoreI32,
			wt.Get(0), wt.I32(4096), wt.AddI32, wt.Raw(0x22, 0), wt.I32(vet.MaxPages<<16), wt.LtU32, wt.BranchIf(0)))
	price := gas.EnterPrice(vet.MaxPages)
	// The image twice and on four engines; an instance holds nothing of it while it waits.
	keeps(t, 1<<30, func() {
		o := ends(t, m.Bytes(), way{gas: price + limit}, receipt.OK, "")
		if o.gas < price {
			t.Errorf("a call used %d gas, less than the %d for entering", o.gas, price)
		}
		ends(t, m.Bytes(), way{gas: price - 1}, receipt.OutOfGas, "is used up")
	})
}

// Memory that holds nothing takes nothing, however many contracts have it: whoever can deploy could end the node otherwise.
func TestManyWithAllMemory(t *testing.T) {
	const modules = 12
	keeps(t, 256<<20, func() {
		for i := range modules {
			m := wt.New()
			m.Pages = vet.MaxPages
			m.Export(abi.ExportCall, wt.I32(int32(i)), wt.Drop)
			if err := engines[0].get().Activate(gas.NewMeter(gas.MaxLimit), m.Bytes()); err != nil {
				t.Fatal(err)
			}
		}
	})
}
