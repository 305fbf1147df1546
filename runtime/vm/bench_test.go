package vm_test

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

// oneRow is a small contract that reads a row and writes it.
func oneRow() []byte {
	m := wt.New()
	get, set := m.Import(abi.Module, "get"), m.Import(abi.Module, "set")
	c, key, value := bytesOf(m, "counts"), bytesOf(m, "n"), bytesOf(m, "1")
	m.Export(abi.ExportCall, c, key, wt.I32(64), wt.I32(64), wt.Call(get), wt.Drop, c, key, value, wt.Call(set))
	return m.Bytes()
}

// BenchmarkCall is one call of a contract that reads a row and writes it, in plain Go and of 128 KiB of
// memory or less (small): on an instance that starts from nothing (fresh), on one made from the snapshot, and on one from the
// pool. Beside it, without Ward, what wazero takes for the same: for an instance and a call of it (bare-fresh), and for a call
// of an instance that is there (bare).
func BenchmarkCall(b *testing.B) {
	for _, contract := range []struct {
		name string
		wasm []byte
	}{{"plain-go", guest(b)}, {"small", oneRow()}} {
		for _, mode := range []struct {
			name string
			vm.Options
		}{{"fresh", vm.Options{Fresh: true}}, {"snapshot", vm.Options{Idle: -1}}, {"pooled", vm.Options{}}} {
			b.Run(contract.name+"/"+mode.name, func(b *testing.B) { benchmarkCall(b, newEngine(b, mode.Options), contract.wasm) })
		}
		b.Run(contract.name+"/bare-fresh", func(b *testing.B) { benchmarkBare(b, contract.wasm, true) })
		b.Run(contract.name+"/bare", func(b *testing.B) { benchmarkBare(b, contract.wasm, false) })
	}
}

func benchmarkCall(b *testing.B, e *vm.Engine, wasm []byte) {
	c, template := code(wasm), newCall(b, "count")
	call := func() {
		h := *template
		h.Gas = gas.NewMeter(gas.MaxLimit)
		r, err := e.Call(context.Background(), c, &h)
		if err != nil || r.Code != receipt.OK {
			b.Fatal(r, err)
		}
	}
	for range 100 { // compiles, and settles what is hot
		call()
	}
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
}

// benchmarkBare calls a contract without Ward: every function of the host does nothing, but that
// method answers "count".
func benchmarkBare(b *testing.B, wasm []byte, fresh bool) {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithDebugInfoEnabled(false))
	defer func() {
		if err := r.Close(ctx); err != nil {
			b.Error(err)
		}
	}()
	type function struct {
		name            string
		params, results []string
		answer          uint64
	}
	host := func(module string, functions []function) {
		h := r.NewHostModuleBuilder(module)
		for _, f := range functions {
			do := func(_ context.Context, m api.Module, stack []uint64) {
				switch f.name {
				case "method":
					m.Memory().WriteString(uint32(stack[0]), "count")
					stack[0] = 5
				case "clock_time_get":
					m.Memory().WriteUint64Le(uint32(stack[2]), 1_000_000_000)
					stack[0] = 0
				case "get":
					stack[0] = 1<<32 - 1
				default:
					if len(f.results) > 0 {
						stack[0] = f.answer
					}
				}
			}
			h.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(do), types(f.params), types(f.results)).Export(f.name)
		}
		if _, err := h.Instantiate(ctx); err != nil {
			b.Fatal(err)
		}
	}
	var ward, wasi []function
	for _, f := range abi.Table() {
		var params []string
		for _, p := range f.Params {
			params = append(params, p.Type)
		}
		ward = append(ward, function{f.Name, params, f.Results, 0})
	}
	for _, f := range abi.WASI() {
		wasi = append(wasi, function{f.Name, f.Params, f.Results, uint64(max(f.Errno, 0))})
	}
	host(abi.Module, ward)
	host(abi.WASIModule, wasi)

	compiled, err := r.CompileModule(ctx, wasm)
	if err != nil {
		b.Fatal(err)
	}
	instantiate := func() api.Module {
		m, err := r.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions(abi.ExportInitialize))
		if err != nil {
			b.Fatal(err)
		}
		return m
	}
	m := instantiate()
	f := m.ExportedFunction(abi.ExportCall)
	b.ReportAllocs()
	for b.Loop() {
		if fresh {
			m = instantiate()
			f = m.ExportedFunction(abi.ExportCall)
		}
		if _, err := f.Call(ctx); err != nil {
			b.Fatal(err)
		}
		if fresh {
			if err := m.Close(ctx); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func types(names []string) []api.ValueType {
	var list []api.ValueType
	for _, n := range names {
		if n == abi.I64 {
			list = append(list, api.ValueTypeI64)
		} else {
			list = append(list, api.ValueTypeI32)
		}
	}
	return list
}

// BenchmarkCompile is what the first call of a contract takes longer than the next.
func BenchmarkCompile(b *testing.B) {
	wasm := guest(b)
	b.ReportAllocs()
	for b.Loop() {
		e := mustEngine(vm.Options{})
		if err := e.Vet(context.Background(), wasm); err != nil {
			b.Fatal(err)
		}
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHost is one crossing into the host and back.
func BenchmarkHost(b *testing.B) {
	const rounds = 10_000
	m := wt.New()
	left := m.Import(abi.Module, "gas_left")
	m.Export(abi.ExportCall,
		wt.I32(rounds), wt.Set(0),
		wt.Loop(wt.Call(left), wt.Drop, wt.Get(0), wt.I32(-1), wt.AddI32, wt.Raw(0x22, 0), wt.BranchIf(0)))
	wasm := m.Bytes()
	for b.Loop() {
		ends(b, run(b, engines.compiler(), wasm, newCall(b, "m")), receipt.OK, "")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rounds, "ns/crossing")
}
