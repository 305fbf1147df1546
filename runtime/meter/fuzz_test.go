package meter_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/meter"
	"github.com/wardledger/ward/runtime/vet"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
	"github.com/wardledger/ward/runtime/wasm"
	"github.com/wardledger/ward/runtime/wasm/wasmgen"
)

// FuzzRewrite: whatever vet accepts is rewritten into a module that is valid here and for wazero.
func FuzzRewrite(f *testing.F) {
	m := wt.New()
	get := m.Import(abi.Module, "get")
	m.Table(0, 3)
	m.Elements(0, m.Func([]byte{wt.TypeI32, wt.TypeF32}, []byte{wt.TypeI64}, 2, wt.Block(wt.I64(1), wt.Return), wt.I64(2)))
	m.Global(7)
	at, n := m.Data("key")
	m.Export(abi.ExportCall, wt.I32(at), wt.I32(n), wt.I32(0), wt.I32(9), wt.I32(0), wt.I32(0), wt.Call(get), wt.Set(0),
		wt.Loop(wt.Get(0), wt.If(wt.Get(0), wt.I32(-1), wt.AddI32, wt.Set(0), wt.Branch(1))),
		wt.I32(1), wt.Grow, wt.Drop, wt.I32(0), wt.I32(0), wt.I32(9), wt.Fill)
	f.Add(m.Bytes())
	m = wt.New()
	start := m.Func(nil, nil, 0, wt.GetGlobal(m.Global(1)), wt.SetGlobal(m.Global(2)))
	m.Start = &start
	m.Export(abi.ExportCall)
	f.Add(m.Bytes())
	random := rand.NewChaCha8([32]byte{3})
	for i := range 16 {
		choices := make([]byte, 20+40*i)
		random.Read(choices)
		f.Add(wasmgen.Module(choices))
	}
	for _, name := range []string{"v1/testdata/br_table.0", "v2/testdata/if.0", "v2/testdata/loop.0", "v2/testdata/call_indirect.0", "v2/testdata/unreached-valid.0", "v2/testdata/func_ptrs.0"} {
		b, err := os.ReadFile(filepath.Join(suites(f), name+".wasm"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	all := engines(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := vet.Shape(b)
		if err != nil {
			return
		}
		if slices.ContainsFunc(m.Imports, func(i wasm.Import) bool { return i.Module == "" || i.Name == "" }) {
			return // no contract has them, and wazero refuses them
		}
		rewritten, err := meter.Rewrite(m, prices)
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
		for _, e := range all {
			compiled, err := e.runtime.CompileModule(context.Background(), rewritten)
			if err != nil {
				t.Fatalf("rewritten, the %s refuses it: %v", e.name, err)
			}
			compiled.Close(context.Background())
		}
	})
}
