package vm_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"hash"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/address"
	"github.com/wardledger/ward/runtime/cbor"
	"github.com/wardledger/ward/runtime/gas"
	"github.com/wardledger/ward/runtime/host"
	"github.com/wardledger/ward/runtime/receipt"
	"github.com/wardledger/ward/runtime/state"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
	"github.com/wardledger/ward/runtime/wasm"
)

// update writes the golden file of TestAgreement anew: a changed price or rule, or another Go toolchain, changes it.
var update = flag.Bool("update", false, "write testdata/agreement.golden")

const (
	workloadCalls = 10_000
	workloadStep  = 1_000 // calls between two lines of the golden file
	workloadShort = 2 * workloadStep
	golden        = "testdata/agreement.golden"
)

// TestAgreement runs one workload of mixed calls on every way to run it: both engines, fresh instances, instances of the
// snapshot and pooled ones. Roots, gas and everything that was answered are the same, and the same as in the repository, which
// every other platform is held against, too.
func TestAgreement(t *testing.T) {
	calls := workloadCalls
	if testing.Short() {
		calls = workloadShort
	}
	var want []string
	if !*update {
		b, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		want = strings.Split(strings.TrimSpace(string(b)), "\n")
	}
	for _, way := range []struct {
		name string
		vm.Options
	}{
		{"compiler pooled", vm.Options{}},
		{"compiler snapshot", vm.Options{Idle: -1}},
		{"compiler fresh", vm.Options{Fresh: true}},
		{"interpreter pooled", vm.Options{Interpreter: true}},
		{"interpreter fresh", vm.Options{Interpreter: true, Fresh: true}},
	} {
		t.Run(way.name, func(t *testing.T) {
			w := newWorkload(t, newEngine(t, way.Options))
			got := w.run(calls)
			// It is a mix, and most of it is the ordinary.
			for code, least := range map[receipt.Code]int{receipt.OK: calls / 2, receipt.Trapped: calls / 20, receipt.OutOfGas: calls / 20, receipt.Failed: calls / 200} {
				if w.codes[code] < least {
					t.Errorf("%d of %d calls ended with %s, want at least %d", w.codes[code], calls, code.Name(), least)
				}
			}
			if *update && want == nil {
				want = got
			}
			for i := range got {
				if i >= len(want) || got[i] != want[i] {
					t.Fatalf("after %d calls:\n%s, want\n%s", (i+1)*workloadStep, got[i], slices.Concat(want, []string{"nothing"})[min(i, len(want))])
				}
			}
		})
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(golden, []byte(strings.Join(want, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// workload is calls of contracts that do what contracts do, and what they shouldn't.
type workload struct {
	t         *testing.T
	engine    *vm.Engine
	contracts map[string]vm.Code
	names     []string
	state     *state.State
	overlay   *state.Overlay
	random    *rand.Rand
	outcomes  hash.Hash
	codes     map[receipt.Code]int
	gas       uint64
	height    uint64
}

func newWorkload(t *testing.T, e *vm.Engine) *workload {
	s, err := state.Open(state.NewMemory(), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &workload{
		t: t, engine: e, state: s, overlay: s.Overlay(), height: 1, outcomes: sha256.New(), codes: map[receipt.Code]int{},
		random: rand.New(rand.NewPCG(1, 2)), // the same numbers in every release of Go
		contracts: map[string]vm.Code{
			"ledger": code(ledger()), "residue": code(residue()), "floats": code(floats()), "caller": code(caller()),
			"wild": code(wild()), "go": code(guest(t)),
		},
	}
	for name := range w.contracts {
		w.names = append(w.names, name)
	}
	slices.Sort(w.names)
	return w
}

// run makes calls, and returns a line for each step of them.
func (w *workload) run(calls int) (lines []string) {
	methods := []string{"count", "work", "panic", "after_fail", "map_order", "random", "print", "nothing", "now", "recurse"}
	for n := 1; n <= calls; n++ {
		name := w.names[w.random.IntN(len(w.names))]
		if name == "go" && w.random.IntN(8) != 0 { // takes its time on the interpreter
			name = "ledger"
		}
		method := "m"
		if name == "go" {
			method = methods[w.random.IntN(len(methods))]
		}
		limit := uint64(20_000_000)
		if w.random.IntN(10) == 0 { // not enough, here or there
			limit = w.random.Uint64N(120_000)
		}
		w.call(name, method, w.random.Uint32(), limit)
		if n%100 == 0 {
			w.seal()
		}
		if n%workloadStep == 0 {
			lines = append(lines, fmt.Sprintf("calls %d root %x gas %d outcomes %s", n, w.state.Root(), w.gas, hex.EncodeToString(w.outcomes.Sum(nil))))
		}
	}
	return lines
}

// call makes one call, as the runtime does.
func (w *workload) call(name, method string, arg uint32, limit uint64) {
	seed := sha256.Sum256(binary.BigEndian.AppendUint32([]byte(name+method), arg))
	h := &host.Call{
		Chain: "test-1", Block: host.Block{Height: w.height, Time: 1_700_000_000 + int64(w.height)},
		Contract: name, Method: method, Args: cbor.AppendUint(nil, uint64(arg)),
		Sender: address.Address{1}, Origin: address.Address{1}, Seed: seed,
		Gas: gas.NewMeter(limit), Store: w.overlay,
	}
	h.Run = func(inner *host.Call) (*host.Stop, error) { return w.inner(inner) }
	mark := w.overlay.Checkpoint()
	r, err := w.engine.Call(context.Background(), w.contracts[name], h)
	if err != nil {
		w.t.Fatalf("%s.%s(%d): %v", name, method, arg, err)
	}
	if r.Code != receipt.OK {
		w.overlay.Revert(mark)
	}
	w.gas += h.Gas.Used()
	w.codes[r.Code]++
	fmt.Fprintf(w.outcomes, "%s.%s(%d): %s %d %q gas %d", name, method, arg, r.Code.Name(), r.ContractCode, r.Reason, h.Gas.Used())
	if r.Code == receipt.OK {
		fmt.Fprintf(w.outcomes, " result %x", h.Result())
		for _, event := range h.Events() {
			fmt.Fprintf(w.outcomes, " event %x", event.Encode())
		}
	}
}

// inner makes a call that a contract makes.
func (w *workload) inner(h *host.Call) (*host.Stop, error) {
	c, ok := w.contracts[h.Contract]
	if !ok {
		return host.Stopf(receipt.UnknownContract, "there is no contract %q", h.Contract), nil
	}
	mark := w.overlay.Checkpoint()
	r, err := w.engine.Call(context.Background(), c, h)
	if err != nil || r.Code == receipt.OK {
		return nil, err
	}
	w.overlay.Revert(mark)
	return &host.Stop{Code: r.Code, ContractCode: r.ContractCode, Reason: r.Reason}, nil
}

func (w *workload) seal() {
	stage, err := w.overlay.Stage(w.height)
	if err == nil {
		err = stage.Commit()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.height++
	w.overlay = w.state.Overlay()
}

// Where the contracts below keep things.
const (
	argAt = 16 // what args wrote: a head and up to 4 bytes
	outAt = 64
)

// argument leaves the last byte of the arguments on the stack: a number from 0 to 255.
func argument(args int) wt.Op {
	return wt.Seq(
		wt.I32(argAt-1), wt.I32(argAt), wt.I32(16), wt.Call(args), // the length
		wt.AddI32, wt.Raw(byte(wasm.OpI32Load8U), 0, 0))
}

// ledger counts rows by a byte of its arguments, scans them, emits and returns.
func ledger() []byte {
	m := wt.New()
	args, get, set, scan := m.Import(abi.Module, "args"), m.Import(abi.Module, "get"), m.Import(abi.Module, "set"), m.Import(abi.Module, "scan")
	del, emit, ret := m.Import(abi.Module, "delete"), m.Import(abi.Module, "emit"), m.Import(abi.Module, "ret")
	rows, event, attributes := bytesOf(m, "rows"), bytesOf(m, "counted"), bytesOf(m, "\xa1\x61n\x07")
	key := wt.Seq(wt.I32(8), wt.I32(1))
	m.Export(abi.ExportCall,
		wt.I32(8), argument(args), wt.Raw(byte(wasm.OpI32Store8), 0, 0),
		rows, key, wt.I32(outAt), wt.I32(8), wt.Call(get), wt.Drop,
		wt.I32(outAt), wt.LoadI32(outAt), wt.I32(1), wt.AddI32, wt.StoreI32,
		rows, key, wt.I32(outAt), wt.I32(4), wt.Call(set),
		// Every fourth is deleted again.
		wt.LoadI32(8), wt.I32(3), wt.Raw(byte(wasm.OpI32And), byte(wasm.OpI32Eqz)), wt.If(rows, key, wt.Call(del), wt.Drop),
		rows, key, wt.I32(0), wt.I32(0), wt.I32(0), wt.I32(5), wt.I32(1024), wt.I32(256), wt.Call(scan), wt.Set(0),
		event, attributes, wt.Call(emit),
		wt.I32(outAt-1), wt.I32(0x44), wt.Raw(byte(wasm.OpI32Store8), 0, 0), // CBOR: 4 bytes
		wt.I32(outAt), wt.Get(0), wt.StoreI32,
		wt.I32(outAt-1), wt.I32(5), wt.Call(ret))
	return m.Bytes()
}

// residue leaves everything behind that it can, and returns what it found: memory here and there, also in what it
// has grown, globals, and a passive data segment that it has used.
func residue() []byte {
	m := wt.New()
	m.Pages = 4
	args, ret := m.Import(abi.Module, "args"), m.Import(abi.Module, "ret")
	g := m.Global(3)
	m.DataAt(100_000, "\x05")
	m.Table(0, 2)
	m.Elements(0, m.Func(nil, []byte{wt.TypeI32}, 0, wt.I32(41)))
	byteAt := func(at wt.Op) wt.Op { return wt.Seq(at, wt.Raw(byte(wasm.OpI32Load8U), 0, 0)) }
	anywhere := wt.Seq(wt.Get(0), wt.I32(1021), wt.Raw(byte(wasm.OpI32Mul)))
	size := wt.Raw(byte(wasm.OpMemorySize), 0)
	m.Export(abi.ExportCall,
		argument(args), wt.Set(0),
		// What is there.
		wt.I32(outAt+1),
		byteAt(anywhere), byteAt(wt.I32(100_000)), wt.AddI32, byteAt(wt.I32(262_143)), wt.AddI32,
		wt.GetGlobal(g), wt.AddI32, wt.I32(0), wt.CallIndirect(tableType(m)), wt.AddI32, size, wt.AddI32,
		wt.Raw(byte(wasm.OpI32Store8), 0, 0),
		// What stays.
		anywhere, wt.I32(77), wt.Raw(byte(wasm.OpI32Store8), 0, 0),
		wt.I32(100_000), wt.I32(78), wt.Raw(byte(wasm.OpI32Store8), 0, 0),
		wt.I32(262_143), wt.I32(79), wt.Raw(byte(wasm.OpI32Store8), 0, 0),
		wt.I32(80), wt.SetGlobal(g),
		wt.Get(0), wt.I32(15), wt.Raw(byte(wasm.OpI32And), byte(wasm.OpI32Eqz)), wt.If(wt.I32(1), wt.Grow, wt.Drop,
			wt.I32(262_144), wt.I32(81), wt.Raw(byte(wasm.OpI32Store8), 0, 0)),
		wt.Get(0), wt.I32(200), wt.Raw(byte(wasm.OpI32GtU)), wt.If(wt.Unreachable),
		wt.I32(outAt), wt.I32(0x41), wt.Raw(byte(wasm.OpI32Store8), 0, 0),
		wt.I32(outAt), wt.I32(2), wt.Call(ret))
	return m.Bytes()
}

// tableType is the index of the type () -> (i32).
func tableType(m *wt.Module) int { return m.Type(nil, []byte{wt.TypeI32}) }

// floats computes with what may be no number, and stores the bits.
func floats() []byte {
	m := wt.New()
	args, set := m.Import(abi.Module, "args"), m.Import(abi.Module, "set")
	f := m.FuncWith([]wt.Locals{{N: 2, Type: wt.TypeI32}, {N: 2, Type: wt.TypeF64}, {N: 1, Type: wt.TypeF32}},
		argument(args), wt.Set(0),
		// The arguments' bytes as the bits of a number, often none.
		wt.Raw(byte(wasm.OpI32Const), 16, byte(wasm.OpF64Load), 0, 0), wt.Set(2),
		wt.Get(0), wt.Raw(byte(wasm.OpF64ConvertI32U)), wt.I32(0), wt.Raw(byte(wasm.OpF64ConvertI32S), byte(wasm.OpF64Div)), wt.Set(3), // infinite, or NaN
		wt.I32(outAt),
		wt.Get(2), wt.Get(3), wt.Raw(byte(wasm.OpF64Mul)), wt.Get(3), wt.Get(3), wt.Raw(byte(wasm.OpF64Sub), byte(wasm.OpF64Add), byte(wasm.OpF64Sqrt)),
		wt.Get(2), wt.Raw(byte(wasm.OpF64Min)), wt.Raw(byte(wasm.OpF64Store), 0, 0),
		wt.I32(outAt+8), wt.Get(2), wt.Raw(byte(wasm.OpF32DemoteF64)), wt.Raw(byte(wasm.OpLocalTee), 4), wt.Get(4), wt.Raw(byte(wasm.OpF32Nearest), byte(wasm.OpF32Max), byte(wasm.OpF32Store), 0, 0),
		wt.I32(outAt+12), wt.Get(4), wt.Raw(byte(wasm.OpF32Neg), byte(wasm.OpF64PromoteF32), byte(wasm.OpF64Store), 0, 0),
		bytesOf(m, "bits"), wt.I32(argAt), wt.I32(3), wt.I32(outAt), wt.I32(20), wt.Call(set))
	m.ExportFunc(abi.ExportCall, f)
	return m.Bytes()
}

// caller calls another contract, which one depends on its arguments, stores how that ended, and may fail itself.
func caller() []byte {
	m := wt.New()
	args, call, reply, set := m.Import(abi.Module, "args"), m.Import(abi.Module, "call"), m.Import(abi.Module, "reply"), m.Import(abi.Module, "set")
	method, arg := bytesOf(m, "m"), wt.Seq(wt.I32(argAt), wt.I32(1))
	try := func(name string) wt.Op {
		return wt.Seq(bytesOf(m, name), method, wt.I32(outAt+16), wt.I32(1), wt.Call(call), wt.Set(1))
	}
	bit := func(n int32) wt.Op { return wt.Seq(wt.Get(0), wt.I32(n), wt.Raw(byte(wasm.OpI32And))) }
	m.Export(abi.ExportCall,
		argument(args), wt.Set(0),
		wt.I32(outAt+16), wt.Get(0), wt.I32(15), wt.Raw(byte(wasm.OpI32And)), wt.Raw(byte(wasm.OpI32Store8), 0, 0), // CBOR: a small number
		bit(1), wt.If(try("ledger")), bit(2), wt.If(try("wild")), bit(4), wt.If(try("residue")), bit(8), wt.If(try("nobody")), bit(16), wt.If(try("caller")),
		wt.I32(outAt), wt.Get(1), wt.StoreI32,
		wt.I32(outAt+32), wt.I32(64), wt.Call(reply), wt.Drop,
		bytesOf(m, "ends"), arg, wt.I32(outAt), wt.I32(96), wt.Call(set),
		bit(32), wt.If(wt.Unreachable))
	return m.Bytes()
}

// wild loops, recurses, fails, traps and forges pointers after it has written, as its arguments say.
func wild() []byte {
	m := wt.New()
	args, set, fail := m.Import(abi.Module, "args"), m.Import(abi.Module, "set"), m.Import(abi.Module, "fail")
	deep := len([]int{args, set, fail})
	m.Func(nil, nil, 2, wt.Call(deep))
	when := func(n int32, body ...wt.Op) wt.Op {
		return wt.Seq(wt.Get(0), wt.I32(15), wt.Raw(byte(wasm.OpI32And)), wt.I32(n), wt.EqI32, wt.If(body...))
	}
	m.Export(abi.ExportCall,
		argument(args), wt.Set(0),
		bytesOf(m, "left"), wt.I32(argAt), wt.I32(2), wt.I32(argAt), wt.I32(5), wt.Call(set),
		when(0, wt.Call(deep)),
		when(1, wt.I32(9), bytesOf(m, "no"), wt.Call(fail)),
		when(2, wt.I32(-1), wt.I32(4), wt.I32(0), wt.I32(0), wt.I32(0), wt.I32(0), wt.Call(set)),
		when(3, wt.I32(1), wt.I32(0), wt.DivS32, wt.Drop),
		when(4, wt.I32(65_536), wt.I32(1), wt.StoreI32),
		when(5, wt.Get(0), wt.Set(1), wt.Loop(wt.Get(1), wt.I32(1), wt.AddI32, wt.Raw(byte(wasm.OpLocalTee), 1), wt.I32(100_000), wt.LtU32, wt.BranchIf(0))),
		when(6, wt.I32(0), wt.I32(1), wt.I32(65_536), wt.Fill),
		when(7, wt.I32(64), wt.I32(1), wt.I32(65_473), wt.Fill))
	return m.Bytes()
}

// TestGasSweep: a limit of what a call uses is enough for it; with any below, it runs out and has used all of it.
func TestGasSweep(t *testing.T) {
	e := engines.compiler()
	for name, wasm := range map[string][]byte{"ledger": ledger(), "floats": floats(), "residue": residue()} {
		call := func(limit uint64) (vm.Result, *host.Call) {
			h := newCall(t, "m")
			h.Args, h.Gas = cbor.AppendUint(nil, 0x1234_5610), gas.NewMeter(limit)
			return run(t, e, wasm, h), h
		}
		r, h := call(10_000_000)
		if r.Code != receipt.OK {
			t.Fatalf("%s: %+v", name, r)
		}
		used, result := h.Gas.Used(), string(h.Result())
		entry := uint64(gas.Enter)
		step := uint64(1)
		if testing.Short() {
			step = 97
		}
		// Each limit where instructions run, and every hundredth of what the host takes in one piece.
		for limit := entry; limit < used; limit += step {
			r, h := call(limit)
			if r.Code != receipt.OutOfGas || h.Gas.Used() != limit {
				t.Fatalf("%s: with %d of %d gas: %s, %d used", name, limit, used, r.Code.Name(), h.Gas.Used())
			}
			if used-limit > 2000 && limit > entry {
				limit += (used - limit) / 100
			}
		}
		if r, h := call(used); r.Code != receipt.OK || h.Gas.Used() != used || string(h.Result()) != result {
			t.Errorf("%s: with %d gas: %+v, %d used, result %x", name, used, r, h.Gas.Used(), h.Result())
		}
	}
}

// TestGasOnManyGoroutines: who else calls changes no gas and no result.
func TestGasOnManyGoroutines(t *testing.T) {
	wasm := guest(t)
	for _, o := range []vm.Options{{}, {Idle: 3}, {Interpreter: true}} {
		e := newEngine(t, o)
		ask := func() string {
			h := newCall(t, "work")
			r, err := e.Call(context.Background(), code(wasm), h)
			return fmt.Sprint(r, err, h.Gas.Used(), h.Result())
		}
		want := ask()
		answers := make(chan string)
		const goroutines, rounds = 8, 6
		for range goroutines {
			go func() {
				for range rounds {
					answers <- ask()
				}
			}()
		}
		for range goroutines * rounds {
			if got := <-answers; got != want {
				t.Errorf("beside others: %s, alone: %s", got, want)
			}
		}
	}
}
