package vm_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/tx"
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
			b.Run(contract.name+"/"+mode.name, func(b *testing.B) { benchmarkCall(b, newEngine(b, mode.Options), contract.wasm, "count") })
		}
		b.Run(contract.name+"/bare-fresh", func(b *testing.B) { benchmarkBare(b, contract.wasm, "count", true) })
		b.Run(contract.name+"/bare", func(b *testing.B) { benchmarkBare(b, contract.wasm, "count", false) })
	}
}

func benchmarkCall(b *testing.B, e *vm.Engine, wasm []byte, method string) {
	call := calling(b, e, code(wasm), method)
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
}

// calling makes a call that must succeed, again and again. What is hot has settled.
func calling(b *testing.B, e *vm.Engine, c vm.Code, method string) (call func()) {
	template := newCall(b, method)
	call = func() {
		h := *template
		h.Gas = gas.NewMeter(gas.MaxLimit)
		r, err := e.Call(context.Background(), c, &h)
		if err != nil || r.Code != receipt.OK {
			b.Fatal(r, err)
		}
	}
	for range 100 {
		call()
	}
	return call
}

// bare is wazero without Ward: every function of the host does nothing, but that method answers a name.
type bare struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

func newBare(b *testing.B, wasm []byte, method string) bare {
	b.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithDebugInfoEnabled(false))
	b.Cleanup(func() {
		if err := r.Close(ctx); err != nil {
			b.Error(err)
		}
	})
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
					m.Memory().WriteString(uint32(stack[0]), method)
					stack[0] = uint64(len(method))
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
	return bare{r, compiled}
}

func (w bare) instantiate(b *testing.B) api.Module {
	m, err := w.runtime.InstantiateModule(context.Background(), w.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions(abi.ExportInitialize))
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// benchmarkBare calls a contract without Ward.
func benchmarkBare(b *testing.B, wasm []byte, method string, fresh bool) {
	ctx := context.Background()
	w := newBare(b, wasm, method)
	m := w.instantiate(b)
	f := m.ExportedFunction(abi.ExportCall)
	b.ReportAllocs()
	for b.Loop() {
		if fresh {
			m = w.instantiate(b)
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

// BenchmarkMeter is what counting costs: kernels in plain Go as wazero runs them (plain), and as Ward does, counted, on a pooled
// instance (metered). Those take at least ten times as long as entering a contract.
func BenchmarkMeter(b *testing.B) {
	wasm, err := goBuild("testdata/kernels")
	if err != nil {
		b.Fatal(err)
	}
	e := newEngine(b, vm.Options{})
	for _, kernel := range []string{"sha256", "sort", "cbor", "map", "loop"} {
		b.Run(kernel+"/plain", func(b *testing.B) { benchmarkBare(b, wasm, kernel, false) })
		b.Run(kernel+"/metered", func(b *testing.B) { benchmarkCall(b, e, wasm, kernel) })
	}
}

// BenchmarkCompile is what compiling a contract in plain Go takes: as it comes (plain), and vetted, rewritten, compiled
// and initialized (activated); with what is compiled on disk already (cached).
func BenchmarkCompile(b *testing.B) {
	wasm := guest(b)
	b.Run("plain", func(b *testing.B) {
		ctx := experimental.WithCompilationWorkers(context.Background(), runtime.GOMAXPROCS(0))
		for b.Loop() {
			r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithDebugInfoEnabled(false))
			if _, err := r.CompileModule(ctx, wasm); err != nil {
				b.Fatal(err)
			}
			if err := r.Close(ctx); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(wasm)), "bytes")
	})
	activate := func(b *testing.B, o vm.Options) {
		prepare := func() {
			e := mustEngine(o)
			if err := e.Prepare(code(wasm)); err != nil {
				b.Fatal(err)
			}
			if err := e.Close(); err != nil {
				b.Fatal(err)
			}
		}
		if o.CacheDir != "" {
			prepare()
		}
		for b.Loop() {
			prepare()
		}
		b.ReportMetric(float64(len(vm.Rewritten(wasm))), "bytes")
	}
	b.Run("activated", func(b *testing.B) { activate(b, vm.Options{}) })
	b.Run("cached", func(b *testing.B) { activate(b, vm.Options{CacheDir: b.TempDir()}) })
}

// BenchmarkBeside is the time for a call of a contract in plain Go when so many goroutines call it at once: as long as each has a core
// the time for all calls falls with their number, and then stays.
func BenchmarkBeside(b *testing.B) {
	e := newEngine(b, vm.Options{})
	c, template := code(guest(b)), newCall(b, "nothing")
	if err := e.Prepare(c); err != nil {
		b.Fatal(err)
	}
	for _, goroutines := range []int{1, 2, 9} {
		b.Run(strconv.Itoa(goroutines), func(b *testing.B) {
			var wg sync.WaitGroup
			left := atomic.Int64{}
			left.Store(int64(b.N))
			b.ResetTimer()
			for range goroutines {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						h := *template
						h.Gas = gas.NewMeter(gas.MaxLimit)
						if r, err := e.Call(context.Background(), c, &h); err != nil || r.Code != receipt.OK {
							b.Error(r, err)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkIdle is the memory that 100 instances of a contract in plain Go hold while they wait, as the system counts it.
func BenchmarkIdle(b *testing.B) {
	const instances = 100
	e := newEngine(b, vm.Options{Idle: instances})
	c := code(guest(b))
	ends(b, run(b, e, guest(b), newCall(b, "count")), receipt.OK, "")
	before := resident(b)
	for b.Loop() {
		// All are in use at once, because each call waits in the host for the last.
		var inside, done sync.WaitGroup
		inside.Add(instances)
		for range instances {
			h := newCall(b, "count")
			h.Store = waiting{h.Store, &inside}
			done.Go(func() {
				if r, err := e.Call(context.Background(), c, h); err != nil || r.Code != receipt.OK {
					b.Error(r, err)
				}
			})
		}
		done.Wait()
	}
	if n := e.Idle(); n != instances {
		b.Errorf("%d instances wait, want %d", n, instances)
	}
	b.ReportMetric(float64(resident(b)-before)/instances/1024, "KiB/instance")
}

// waiting is a store that answers once everybody has asked.
type waiting struct {
	host.Store
	all *sync.WaitGroup
}

func (w waiting) Get(collection, key []byte) ([]byte, error) {
	w.all.Done()
	w.all.Wait()
	return w.Store.Get(collection, key)
}

// resident is the memory that the process holds, in bytes.
func resident(b *testing.B) int {
	runtime.GC()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("only Linux tells what is resident")
	}
	for line := range strings.Lines(string(status)) {
		if kib, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.Fields(kib)[0])
			if err != nil {
				b.Fatal(err)
			}
			return n << 10
		}
	}
	b.Fatal("no VmRSS")
	return 0
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

// BenchmarkVerify is one signature, verified from a contract, all in: the call enters a small contract, which hands key, signature and a
// message of 100 bytes to the host and traps unless it is valid. Behind it, as often, the standard library verifies the same, with a key that was
// parsed before. call-ns and bare-ns are the fastest of each, because whatever else the machine does only adds; x-bare is their ratio.
func BenchmarkVerify(b *testing.B) {
	message := bytes.Repeat([]byte("m"), 100)
	for _, alg := range []struct {
		name, function string
		newKey         func([]byte) (*tx.SecretKey, error)
		bare           func(secret *tx.SecretKey, sig []byte) func() bool
	}{
		{"p256", "p256_verify", tx.NewP256, func(secret *tx.SecretKey, sig []byte) func() bool {
			private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret.Secret())
			if err != nil {
				b.Fatal(err)
			}
			der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])})
			if err != nil {
				b.Fatal(err)
			}
			return func() bool {
				digest := sha256.Sum256(message)
				return ecdsa.VerifyASN1(&private.PublicKey, digest[:], der)
			}
		}},
		{"ed25519", "ed25519_verify", tx.NewEd25519, func(secret *tx.SecretKey, sig []byte) func() bool {
			return func() bool { return ed25519.Verify(secret.Public().Bytes, message, sig) }
		}},
	} {
		b.Run(alg.name, func(b *testing.B) {
			secret, err := alg.newKey(bytes.Repeat([]byte{7}, 32))
			if err != nil {
				b.Fatal(err)
			}
			sig, err := secret.Sign(message)
			if err != nil {
				b.Fatal(err)
			}
			m := wt.New()
			verify := m.Import(abi.Module, alg.function)
			key, _ := m.Data(string(secret.Public().Bytes))
			at, _ := m.Data(string(sig))
			m.Export(abi.ExportCall, wt.I32(key), wt.I32(at), bytesOf(m, string(message)), wt.Call(verify), wt.I32(1), wt.NeI32, wt.If(wt.Unreachable))
			call, bare := calling(b, newEngine(b, vm.Options{}), code(m.Bytes()), "m"), alg.bare(secret, sig)

			var calls, bares fastest
			b.ReportAllocs()
			for b.Loop() {
				calls.of(call)
			}
			for range b.N {
				bares.of(func() {
					if !bare() {
						b.Fatal("does not verify")
					}
				})
			}
			b.ReportMetric(float64(calls), "call-ns")
			b.ReportMetric(float64(bares), "bare-ns")
			b.ReportMetric(float64(calls)/float64(bares), "x-bare")
		})
	}
}

// fastest is how long the fastest of several took, in nanoseconds.
type fastest time.Duration

func (f *fastest) of(do func()) {
	began := time.Now()
	do()
	if took := fastest(time.Since(began)); *f == 0 || took < *f {
		*f = took
	}
}

// BenchmarkInner is a call of a contract in plain Go that reads a row, writes it and emits: made from outside (outer-ns), and by another
// contract, which makes a hundred (inner-ns, with what that contract takes itself). Both in turn, and the fastest of each, because
// whatever else the machine does only adds. Finding the contract's record is no
// part of it: that costs both the same.
func BenchmarkInner(b *testing.B) {
	const calls = 100
	e := newEngine(b, vm.Options{})
	wasm := guest(b)
	m := wt.New()
	call := m.Import(abi.Module, "call")
	m.Export(abi.ExportCall,
		wt.I32(calls), wt.Set(0),
		wt.Loop(bytesOf(m, "doors"), bytesOf(m, "count"), bytesOf(m, "\xa0"), wt.Call(call), wt.If(wt.Unreachable),
			wt.Get(0), wt.I32(-1), wt.AddI32, wt.Raw(0x22, 0), wt.BranchIf(0)))
	callee, asking, template := code(wasm), code(m.Bytes()), newCall(b, "count")
	run := func(c vm.Code) {
		h := *template
		h.Gas = gas.NewMeter(gas.MaxLimit)
		h.Run = func(inner *host.Call) (*host.Stop, error) {
			r, err := e.Call(context.Background(), callee, inner)
			if err != nil || r.Code == receipt.OK {
				return nil, err
			}
			return &host.Stop{Code: r.Code, Reason: r.Reason}, nil
		}
		if r, err := e.Call(context.Background(), c, &h); err != nil || r.Code != receipt.OK {
			b.Fatal(r, err)
		}
	}
	run(asking) // compiles
	var inner, outer fastest
	b.ReportAllocs()
	for b.Loop() {
		outer.of(func() {
			for range calls {
				run(callee)
			}
		})
		inner.of(func() { run(asking) })
	}
	b.ReportMetric(float64(outer)/calls, "outer-ns")
	b.ReportMetric(float64(inner)/calls, "inner-ns")
	b.ReportMetric(float64(inner)/float64(outer), "x-outer")
}
