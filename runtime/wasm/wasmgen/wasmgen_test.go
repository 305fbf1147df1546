package wasmgen_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/wardledger/ward/runtime/vet"
	"github.com/wardledger/ward/runtime/wasm"
	"github.com/wardledger/ward/runtime/wasm/wasmgen"
)

// TestModule: whatever the bytes, the module is valid, contracts may have its instructions, and it is the same
// again. All together have every instruction that contracts may have.
func TestModule(t *testing.T) {
	random := rand.NewChaCha8([32]byte{})
	seen := map[wasm.Op]int{}
	largest := 0
	for i := range 3000 {
		choices := make([]byte, i%700)
		random.Read(choices)
		b := wasmgen.Module(choices)
		largest = max(largest, len(b))
		if !bytes.Equal(b, wasmgen.Module(choices)) {
			t.Fatalf("%x: another module the second time", choices)
		}
		m, err := vet.Shape(b)
		if err != nil {
			t.Fatalf("%x: %v", choices, err)
		}
		if err := m.Validate(func(_ int, in *wasm.Instruction) error { seen[in.Op]++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for _, op := range wasm.Ops() {
		switch op {
		case wasm.OpTableSet, wasm.OpTableGrow, wasm.OpTableFill, wasm.OpTableCopy, wasm.OpTableInit, wasm.OpElemDrop, wasm.OpDataDrop:
			continue // vet refuses them
		}
		if seen[op] < 10 {
			t.Errorf("%s is used %d times", op, seen[op])
		}
	}
	if largest > 16<<10 {
		t.Errorf("a module of %d bytes", largest)
	}
	t.Logf("the largest has %d bytes", largest)
}
