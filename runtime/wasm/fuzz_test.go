package wasm_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wardledger/ward/runtime/wasm"
)

// FuzzDecode: whatever the bytes, Decode and Validate come back, and what they accept wazero
// accepts too.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"v1/testdata/br_table.0", "v1/testdata/i64.0", "v2/testdata/bulk.0", "v2/testdata/ref_func.1", "v2/testdata/table_init.1", "v2/testdata/call_indirect.0"} {
		b, err := os.ReadFile(filepath.Join(suites(f), name+".wasm"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := wasm.Decode(b)
		if err != nil || m.Validate(nil) != nil {
			return
		}
		for _, s := range m.Sections {
			if s.ID == wasm.SectionCustom {
				return // wazero reads the name section, whose contents mean nothing; no contract's reaches it
			}
		}
		for _, i := range m.Imports {
			if i.Module == "" || i.Name == "" {
				return // which wazero refuses
			}
		}
		// wazero allocates by these numbers.
		for _, table := range m.Tables {
			if table.Limits.Min > 1<<16 {
				return
			}
		}
		compiled, err := r.CompileModule(ctx, b)
		if err != nil {
			t.Fatalf("accepted, but wazero says: %v", err)
		}
		compiled.Close(ctx)
	})
}
