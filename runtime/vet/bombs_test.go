package vet_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/meter"
	"github.com/wardledger/ward/runtime/vet"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
	"github.com/wardledger/ward/runtime/wasm"
)

// bombs are modules that somebody made to take long. Before there were the bounds that they keep, the worst
// took hours for 20 KB, or ended the process: wazero's passes recurse from block to block.
var bombs = []struct {
	name string
	make func() []byte
}{
	{"nothing at all", func() []byte { return functions(16, 0, repeat(250_000, wt.Nop)) }},
	{"straight on", func() []byte {
		return functions(10, 1, repeat(30_000, wt.Seq(wt.Get(0), wt.I32(1), wt.AddI32, wt.Set(0))), keep(1))
	}},
	{"constants that stay alive", func() []byte {
		add := func(i int) wt.Op { return wt.Seq(f64(i), wt.Raw(byte(wasm.OpF64Add))) }
		return functions(10, 0, wt.I32(0), f64(0), each(10_000, add), wt.Raw(byte(wasm.OpF64Store), 0, 0))
	}},
	{"NaNs to replace", func() []byte {
		return functions(10, 0, f64(0), repeat(100_000, wt.Raw(byte(wasm.OpF64Ceil))), wt.Drop)
	}},
	{"loads", func() []byte { return functions(5, 0, repeat(40_000, wt.Seq(wt.LoadI32(0), wt.Drop))) }},
	{"the smallest functions", func() []byte { return functions(vet.MaxFunctions-1, 0) }},
	{"many locals", func() []byte { return functions(1300, vet.MaxLocals) }},
	{"many types", func() []byte {
		m := wt.New()
		m.Export(abi.ExportCall)
		for i := range vet.MaxTypes - 1 {
			params := bytes.Repeat([]byte{wt.TypeI32}, vet.MaxParams)
			for bit := range 10 {
				if i>>bit&1 == 1 {
					params[bit] = wt.TypeI64
				}
			}
			m.Func(params, nil, 0)
		}
		return m.Bytes()
	}},
	{"data segments", func() []byte {
		m := wt.New()
		m.Export(abi.ExportCall)
		for i := range int32(vet.MaxData) {
			m.DataAt(i%65536, "x")
		}
		return m.Bytes()
	}},
	{"memory.fill", func() []byte {
		return functions(50, 0, repeat(500, wt.Seq(wt.I32(0), wt.I32(0), wt.I32(0), wt.Fill)))
	}},
	{"call_indirect", func() []byte {
		m := wt.New()
		m.Table(0, 3)
		m.Export(abi.ExportCall)
		for range 3 {
			m.Func(nil, nil, 0, repeat(40_000, wt.Seq(wt.I32(0), wt.CallIndirect(0))))
		}
		return m.Bytes()
	}},
	{"operands across calls", func() []byte {
		m := wt.New()
		f := m.Export(abi.ExportCall)
		sum := wt.Seq(wt.Get(0), wt.AddI32, wt.Set(0))
		for range 100 {
			m.Func(nil, nil, 1, repeat(1000, wt.LoadI32(0)), repeat(100, wt.Call(f)), wt.Set(0), repeat(999, sum), keep(1))
		}
		return m.Bytes()
	}},
	{"wide calls", func() []byte {
		return wide(50, func(f int) wt.Op { return repeat(2000, wt.Call(f)) })
	}},
	{"the widest calls", func() []byte {
		m := wt.New()
		m.Export(abi.ExportCall)
		values := bytes.Repeat([]byte{wt.TypeI32}, vet.MaxParams)
		f := m.Func(values, nil, 0)
		for range 10 {
			m.Func(values, nil, 0, repeat(1000, wt.Seq(each(vet.MaxParams, wt.Get), wt.Call(f))))
		}
		return m.Bytes()
	}},
	{"wide loops", func() []byte {
		return wide(20, func(int) wt.Op {
			return repeat(500, wt.Raw(byte(wasm.OpLoop), 1, byte(wasm.OpLocalGet), 0, byte(wasm.OpBrIf), 0, byte(wasm.OpEnd)))
		})
	}},
	{"ifs", func() []byte { return functions(4, 20, fill(19), repeat(4000, wt.Seq(wt.Get(19), wt.If())), keep(19)) }},
	{"ifs and many locals", func() []byte {
		return functions(4, 500, fill(499), repeat(600, wt.Seq(wt.Get(499), wt.If())), keep(499))
	}},
	{"ifs that set locals", func() []byte {
		set := func(i int) wt.Op { return wt.Seq(wt.Get(499), wt.If(wt.I32(int32(i)), wt.Set(i%499))) }
		return functions(4, 500, fill(499), each(600, set), keep(499))
	}},
	{"returns", func() []byte { return functions(5, 1, repeat(4000, wt.Seq(wt.Get(0), wt.If(wt.Return)))) }},
	{"blocks", func() []byte { return functions(5, 4, fill(4), repeat(12_000, wt.Block()), keep(4)) }},
	{"loops", func() []byte { return functions(5, 1, repeat(3000, wt.Loop())) }},
	{"loops that go round", func() []byte {
		return functions(6, 2, fill(1), repeat(2000, wt.Loop(wt.Get(1), wt.BranchIf(0))), keep(1))
	}},
	{"loops in loops", func() []byte { return functions(20, 200, fill(199), nest(vet.MaxLoops, 199, keep(199))) }},
	{"loops in loops and many locals", func() []byte { return functions(4, 600, fill(599), nest(vet.MaxLoops, 599, nil), keep(599)) }},
	{"jumps that meet", func() []byte {
		const n = 360
		jump := func(i int) wt.Op { return wt.Seq(wt.LoadI32(0), wt.Set(i), wt.Get(n), wt.BranchIf(i)) }
		return functions(4, n+1, fill(n), repeat(n, wt.Raw(byte(wasm.OpBlock), 0x40)), each(n, jump), repeat(n, wt.Raw(byte(wasm.OpEnd))), keep(n))
	}},
	{"jumps to one place", func() []byte {
		return functions(8, 20, fill(19), wt.Block(repeat(1000, wt.Seq(wt.Get(19), wt.BranchIf(0)))), keep(19))
	}},
	{"reads of what was set long ago", func() []byte {
		reads := wt.Seq(wt.Get(19), wt.BranchIf(0), repeat(10, wt.Seq(wt.Get(7), wt.Drop)))
		return functions(6, 20, fill(19), wt.Block(repeat(1000, reads)), keep(19))
	}},
	{"a switch in a loop", func() []byte {
		const n, locals = 450, 450
		jump := wt.Seq(wt.LoadI32(0), wt.Raw(byte(wasm.OpBrTable)), uleb(n-1), each(n, uleb))
		body := wt.Seq(repeat(n, wt.Raw(byte(wasm.OpBlock), 0x40)), jump)
		for i := range n {
			body = wt.Seq(body, wt.Raw(byte(wasm.OpEnd)), wt.LoadI32(int32(i)), wt.Set(i%locals), wt.Get(locals), wt.BranchIf(n-1-i))
		}
		return functions(4, locals+1, fill(locals), wt.Loop(body), keep(locals))
	}},
	{"the largest br_table", func() []byte {
		table := wt.Seq(wt.LoadI32(0), wt.Raw(byte(wasm.OpBrTable)), uleb(vet.MaxLabels-1), each(vet.MaxLabels, func(i int) wt.Op { return uleb(i % 2) }))
		return functions(10, 0, wt.Block(wt.Block(table)))
	}},
}

// functions is a contract with so many equal functions.
func functions(n, locals int, body ...wt.Op) []byte {
	m := wt.New()
	m.Export(abi.ExportCall)
	for range n {
		m.Func(nil, nil, locals, body...)
	}
	return m.Bytes()
}

// wide is a contract with so many functions, and one that they can call or whose type, 1, their blocks can have: it takes and leaves
// as many values as may be.
func wide(n int, body func(f int) wt.Op) []byte {
	m := wt.New()
	m.Export(abi.ExportCall)
	values := bytes.Repeat([]byte{wt.TypeI32}, vet.MaxResults)
	f := m.Func(values, values, 0, wt.Unreachable)
	for range n {
		m.Func(values, values, 0, each(vet.MaxResults, wt.Get), body(f))
	}
	return m.Bytes()
}

// fill sets locals to what nobody can know.
func fill(n int) wt.Op {
	return each(n, func(i int) wt.Op { return wt.Seq(wt.LoadI32(0), wt.Set(i)) })
}

// keep stores the sum of locals, so that all of them were needed.
func keep(n int) wt.Op {
	return wt.Seq(wt.I32(0), wt.I32(0), each(n, func(i int) wt.Op { return wt.Seq(wt.Get(i), wt.AddI32) }), wt.StoreI32)
}

// nest is loops inside each other that set locals and go round if a local says so.
func nest(n, local int, body wt.Op) wt.Op {
	for i := range n {
		body = wt.Loop(body, wt.I32(int32(i)), wt.Set(i%local), wt.Get(local), wt.BranchIf(0))
	}
	return body
}

func repeat(n int, op wt.Op) wt.Op { return bytes.Repeat(op, n) }

func each(n int, op func(i int) wt.Op) (all wt.Op) {
	for i := range n {
		all = append(all, op(i)...)
	}
	return all
}

func uleb(v int) wt.Op { return binary.AppendUvarint(nil, uint64(v)) }

func f64(v int) wt.Op {
	return binary.LittleEndian.AppendUint64(wt.Op{byte(wasm.OpF64Const)}, uint64(v))
}

var prices = meter.Prices{Op: func(wasm.Op) uint64 { return 4 }, Local: 1, Page: 1000, Bytes: 1}

// TestBombs: each keeps the bounds, is rewritten, and its work is that of some seconds. What it takes is for BenchmarkBombs.
func TestBombs(t *testing.T) {
	for _, bomb := range bombs {
		m, err := vet.Module(bomb.make())
		if err != nil {
			t.Errorf("%s: %v", bomb.name, err)
			continue
		}
		if _, err := meter.Rewrite(m, prices); err != nil {
			t.Errorf("%s: %v", bomb.name, err)
		}
		if w := vet.Work(m); w > vet.MaxWork {
			t.Errorf("%s: %d units of work, limit %d", bomb.name, w, uint64(vet.MaxWork))
		}
	}
}

// BenchmarkBombs vets, rewrites and compiles each bomb and two honest contracts on one core. No bomb's ns/work may be more than three
// times that of plain Go.
func BenchmarkBombs(b *testing.B) {
	for _, name := range []string{"hello", "energy"} {
		b.Run("plain Go "+name, func(b *testing.B) { compile(b, plainGo(b, name)) })
	}
	for _, bomb := range bombs {
		b.Run(bomb.name, func(b *testing.B) { compile(b, bomb.make()) })
	}
}

// plainGo builds one of the contracts.
func plainGo(b *testing.B, name string) []byte {
	out := filepath.Join(b.TempDir(), "contract.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, "github.com/wardledger/ward/contracts/"+name)
	cmd.Env = append(cmd.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if said, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, said)
	}
	code, err := os.ReadFile(out)
	if err != nil {
		b.Fatal(err)
	}
	return code
}

func compile(b *testing.B, code []byte) {
	ctx := experimental.WithCompilationWorkers(context.Background(), 1)
	config := wazero.NewRuntimeConfigCompiler().WithCoreFeatures(api.CoreFeaturesV2 &^ api.CoreFeatureSIMD).
		WithMemoryLimitPages(vet.MaxPages).WithDebugInfoEnabled(false)
	work, n := uint64(0), 0
	for b.Loop() {
		m, err := vet.Module(code)
		if err != nil {
			b.Fatal(err)
		}
		work = vet.Work(m)
		rewritten, err := meter.Rewrite(m, prices)
		if err != nil {
			b.Fatal(err)
		}
		r := wazero.NewRuntimeWithConfig(ctx, config)
		if _, err := r.CompileModule(ctx, rewritten); err != nil {
			b.Fatal(err)
		}
		if err := r.Close(ctx); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n)/float64(work), "ns/work")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n)/float64(len(code)), "ns/byte")
	b.ReportMetric(float64(work)/1e6, "Mwork")
}
