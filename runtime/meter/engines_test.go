package meter_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wardledger/ward/runtime/meter"
	"github.com/wardledger/ward/runtime/vet"
	"github.com/wardledger/ward/runtime/wasm"
	"github.com/wardledger/ward/runtime/wasm/wasmgen"
)

// limit is the gas that each call of a random module has: ten thousand instructions.
const limit = 40_000

// everything is as many calls as there are.
const everything = math.MaxInt

// How a call ends that one of our limits ends.
const (
	outOfGas   = "out of gas"
	outOfStack = "out of stack"
)

// engine is one of wazero's.
type engine struct {
	name    string
	runtime wazero.Runtime
}

// engines returns both.
func engines(t testing.TB) []engine {
	ctx := context.Background()
	all := []engine{
		{"compiler", wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCoreFeatures(features))},
		{"interpreter", wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features))},
	}
	t.Cleanup(func() {
		for _, e := range all {
			e.runtime.Close(ctx)
		}
	})
	return all
}

// state is what a call left: everything that must be the same on every engine.
type state struct {
	call    string
	ended   string // "", a trap, or the limit that was reached
	results []uint64
	gas     int64 // that is left
	stack   int64
	memory  uint64 // hash
	pages   uint32
	globals []uint64
}

// run makes an instance and calls its start function and all others, or the first of them, each with so much gas, if it
// counts. Arguments are taken from choices.
func (e engine) run(t testing.TB, b []byte, m *wasm.Module, calls int, gas int64, choices []byte) (all []state) {
	t.Helper()
	ctx := context.Background()
	compiled, err := e.runtime.CompileModule(ctx, b)
	if err != nil {
		t.Fatalf("%s: %v", e.name, err)
	}
	defer compiled.Close(ctx)
	instance, err := e.runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return []state{{call: "instantiate", ended: trap(err)}}
	}
	defer instance.Close(ctx)
	left, stack := instance.ExportedGlobal(meter.Gas), instance.ExportedGlobal(meter.Stack)
	call := func(name string, args ...uint64) {
		f := instance.ExportedFunction(name)
		if left != nil {
			left.(api.MutableGlobal).Set(uint64(gas))
			stack.(api.MutableGlobal).Set(meter.MaxStack)
		}
		results, err := f.Call(ctx, args...)
		s := state{call: name}
		if err != nil {
			s.ended = trap(err)
		}
		if left != nil {
			s.gas, s.stack = int64(left.Get()), int64(stack.Get())
			switch {
			case s.gas < 0:
				s.ended, results = outOfGas, nil
			case s.stack < 0:
				s.ended = outOfStack
			case err == nil && s.stack != meter.MaxStack:
				t.Errorf("%x: %s: %s came back and left %d bytes of stack of %d", choices, e.name, name, s.stack, meter.MaxStack)
			}
		}
		for i, t := range f.Definition().ResultTypes() {
			if results != nil && (t == api.ValueTypeI32 || t == api.ValueTypeF32) {
				results[i] = uint64(uint32(results[i])) // wazero's compiler leaves anything above 32 bits
			}
		}
		s.results = results
		memory := instance.Memory()
		bytes, _ := memory.Read(0, memory.Size())
		h := fnv.New64a()
		h.Write(bytes)
		s.memory, s.pages = h.Sum64(), memory.Size()>>16
		for i := range m.Globals {
			s.globals = append(s.globals, instance.ExportedGlobal(fmt.Sprintf("g%d", i)).Get())
		}
		all = append(all, s)
	}
	if instance.ExportedFunction(meter.Start) != nil && calls > 0 {
		call(meter.Start)
	}
	argument := rand.New(rand.NewPCG(uint64(len(choices)), seed(choices)))
	for i := range m.Funcs {
		if len(all) == calls {
			break
		}
		ft, _ := m.FuncType(uint32(i))
		args := make([]uint64, len(ft.Params))
		for j, t := range ft.Params {
			args[j] = number(argument, t)
		}
		call(fmt.Sprintf("f%d", i), args...)
	}
	return all
}

func seed(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b)
	return h.Sum64()
}

// number returns the bits of an argument.
func number(r *rand.Rand, t wasm.ValueType) uint64 {
	var v uint64
	switch r.IntN(3) {
	case 0:
		v = uint64(r.IntN(20))
	case 1:
		v = r.Uint64()
	default:
		v = -uint64(r.IntN(20))
	}
	switch t {
	case wasm.I32:
		return uint64(uint32(v))
	case wasm.F32:
		return uint64(math.Float32bits(float32(int32(v))))
	case wasm.F64:
		return math.Float64bits(float64(int64(v)))
	}
	return v
}

// mutate changes the code of a module, so that it has what no generator thought of. Each 4 bytes of mutations are a place,
// from where on a few bytes are replaced: by the last of the four or by what stands at a distance of it.
func mutate(b, mutations []byte) {
	m, err := wasm.Decode(b)
	if err != nil {
		panic(err)
	}
	first, last := m.Code[0], m.Code[len(m.Code)-1]
	code := b[first.Offset : last.Offset+len(last.Code)]
	for ; len(mutations) >= 4; mutations = mutations[4:] {
		at := int(binary.LittleEndian.Uint16(mutations)) % len(code)
		if n := int(mutations[2]) % 8; n == 0 {
			code[at] = mutations[3]
		} else {
			from := (at + int(mutations[3])) % len(code)
			copy(code[at:], slices.Clone(code[from:min(from+n, len(code))]))
		}
	}
}

// generated returns the module that choices make and mutations change, and the same rewritten. ok is false if vet
// refuses what was changed.
func generated(t testing.TB, choices, mutations []byte) (m *wasm.Module, plain, rewritten []byte, ok bool) {
	t.Helper()
	plain = wasmgen.Module(choices)
	mutate(plain, mutations)
	m, err := vet.Shape(plain)
	if err != nil {
		if len(mutations) < 4 {
			t.Fatal(err)
		}
		return nil, nil, nil, false
	}
	rewritten, err = meter.Rewrite(m, prices)
	if err != nil {
		t.Fatal(err)
	}
	out, err := wasm.Decode(rewritten)
	if err == nil {
		err = out.Validate(nil)
	}
	if err != nil {
		t.Fatalf("rewritten, it is not valid: %v", err)
	}
	return m, plain, rewritten, true
}

// nans says whether a module may make a NaN of which the bits are left open, and whether it can show them
// otherwise than in a result or global of a float's type.
func nans(m *wasm.Module) (makes, shows bool) {
	m.Validate(func(_ int, in *wasm.Instruction) error {
		makes = makes || meter.MakesNaN(in.Op)
		switch in.Op {
		case wasm.OpI32ReinterpretF32, wasm.OpI64ReinterpretF64, wasm.OpF32Store, wasm.OpF64Store, wasm.OpF32Copysign, wasm.OpF64Copysign:
			shows = true
		}
		return nil
	})
	return makes, shows
}

// withoutNaNs returns a state in which every NaN of a float's type is the same.
func withoutNaNs(m *wasm.Module, s state) state {
	one := func(t wasm.ValueType, v uint64) uint64 {
		if t == wasm.F32 && math.IsNaN(float64(math.Float32frombits(uint32(v)))) || t == wasm.F64 && math.IsNaN(math.Float64frombits(v)) {
			return math.MaxUint64
		}
		return v
	}
	s.results, s.globals = slices.Clone(s.results), slices.Clone(s.globals)
	if i := 0; strings.HasPrefix(s.call, "f") {
		fmt.Sscanf(s.call, "f%d", &i)
		ft, _ := m.FuncType(uint32(i))
		for j := range s.results {
			s.results[j] = one(ft.Results[j], s.results[j])
		}
	}
	for i := range s.globals {
		s.globals[i] = one(m.Globals[i].Type, s.globals[i])
	}
	return s
}

// agree runs a module on both engines, rewritten and as it is, and says how its calls ended.
func agree(t testing.TB, all []engine, choices, mutations []byte) (ends []string) {
	t.Helper()
	m, plain, rewritten, ok := generated(t, choices, mutations)
	if !ok {
		return []string{"refused"}
	}
	first := all[0].run(t, rewritten, m, everything, limit, choices)
	for _, e := range all[1:] {
		same(t, fmt.Sprintf("%x %x: rewritten, on the %s and the %s", choices, mutations, all[0].name, e.name), first, e.run(t, rewritten, m, everything, limit, choices))
	}
	limited := false
	for _, s := range first {
		ends = append(ends, s.ended)
		limited = limited || s.ended == outOfGas || s.ended == outOfStack
	}
	if makes, shows := nans(m); limited || makes && shows {
		return ends
	}
	want := make([]state, 0, len(first))
	for _, s := range first {
		s.gas, s.stack = 0, 0
		if s.call == meter.Start {
			if s.ended != "" { // as it is, the module has no instance then
				return ends
			}
			continue
		}
		want = append(want, withoutNaNs(m, s))
	}
	for _, e := range all {
		got := e.run(t, plain, m, everything, 0, choices)
		for i := range got {
			got[i] = withoutNaNs(m, got[i])
		}
		same(t, fmt.Sprintf("%x %x: on the %s rewritten, and on the %s as it is", choices, mutations, all[0].name, e.name), want, got)
	}
	return append(ends, "as it is")
}

func same(t testing.TB, where string, a, b []state) {
	t.Helper()
	for i := range min(len(a), len(b)) {
		if x, y := fmt.Sprintf("%+v", a[i]), fmt.Sprintf("%+v", b[i]); x != y {
			t.Errorf("%s\n%s\n%s", where, x, y)
		}
	}
	if len(a) != len(b) {
		t.Errorf("%s: %d and %d calls", where, len(a), len(b))
	}
}

// TestEngines: random modules do the same on both engines, and most of what they do is worth comparing. Every other one is
// changed at random, and is a valid module now and then.
func TestEngines(t *testing.T) {
	all := engines(t)
	random := rand.NewChaCha8([32]byte{1})
	ends := map[string]int{}
	for i := range 1000 {
		choices, mutations := make([]byte, 50+i/2), make([]byte, 4*(i%2))
		random.Read(choices)
		random.Read(mutations)
		for _, end := range agree(t, all, choices, mutations) {
			ends[end]++
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("how calls ended: %v", ends)
}

// FuzzEngines: a random module, rewritten, does the same on both engines: results, traps, gas, memory and globals,
// to the bit. If none of our limits ended it, it does the same as it is.
func FuzzEngines(f *testing.F) {
	random := rand.NewChaCha8([32]byte{2})
	for i := range 32 {
		choices, mutations := make([]byte, 20+30*i), make([]byte, 4*(i%3))
		random.Read(choices)
		random.Read(mutations)
		f.Add(choices, mutations)
	}
	all := engines(f)
	f.Fuzz(func(t *testing.T, choices, mutations []byte) {
		if len(choices) > 4096 || len(mutations) > 64 {
			return
		}
		agree(t, all, choices, mutations)
	})
}
