package runtime_test

import (
	"fmt"
	"testing"

	"github.com/wardledger/ward/runtime"
	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/vm"
	"github.com/wardledger/ward/runtime/vm/wasmtest"
)

// Many contracts' specs are kept: to ask for one costs the same among 300 as among 30.
func TestManySpecsAreKept(t *testing.T) {
	spec := abi.Spec{ABI: abi.Version, Name: "one"}
	for i := range 100 {
		spec.Methods = append(spec.Methods, abi.Method{Name: fmt.Sprint("m", i)})
	}
	var took [2]float64
	for i, contracts := range []int{30, 300} {
		c := chainOf(t, vm.Options{}, func(g *runtime.Genesis) {
			g.Contracts = nil
			for n := range contracts {
				m := wasmtest.New()
				m.Export(abi.ExportCall, wasmtest.I32(int32(n)), wasmtest.Drop)
				code, err := abi.AppendSpec(m.Bytes(), spec.Encode())
				if err != nil {
					t.Fatal(err)
				}
				g.Contracts = append(g.Contracts, runtime.GenesisContract{Name: fmt.Sprintf("c%03d", n), Code: code})
			}
		})
		c.block()
		took[i] = testing.AllocsPerRun(2, func() {
			for n := range contracts {
				if info, found, err := c.run.Contract(fmt.Sprintf("c%03d", n)); err != nil || !found || len(info.Spec.Methods) != 100 {
					t.Fatal(found, err)
				}
			}
		}) / float64(contracts)
	}
	if took[1] > 1.5*took[0] {
		t.Errorf("%.0f allocations for a contract among 30, %.0f among 300", took[0], took[1])
	}
}
