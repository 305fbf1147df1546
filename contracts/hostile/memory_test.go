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

var (
	size      = wt.Raw(0x3f, 0)                             // memory.size
	bulkCopy  = wt.Raw(0xfc, 10, 0, 0)                      // memory.copy
	bulkInit  = wt.Raw(0xfc, 8, 0, 0)                       // memory.init of segment 0
	mul       = wt.Raw(0x6c)                                // i32.mul
	trapIfNot = wt.Seq(wt.Raw(0x45), wt.If(wt.Unreachable)) // i32.eqz
)

// passive is the section data with one passive segment, and the section before the code that counts it.
func passive(bytes string) (dataCount, data []byte) {
	section := func(id byte, b []byte) []byte { return append(appendUvarint([]byte{id}, len(b)), b...) }
	return section(12, []byte{1}), section(11, append(appendUvarint([]byte{1, 1}, len(bytes)), bytes...))
}

// A contract gets what it may have of memory and no more, whatever it does, and what it had is given back.
func TestMemory(t *testing.T) {
	const (
		last   = vet.MaxPages - 1 // what a contract that has a page can grow by
		plenty = gas.MaxLimit
		some   = last*gas.OpPage/gas.Ticks + 20_000_000 // all memory, and something to do with it
	)
	grow := func(pages uint32) wt.Op { return wt.Seq(wt.U32(pages), wt.Grow) }
	fails := func(pages uint32) wt.Op { return wt.Seq(grow(pages), wt.I32(-1), wt.EqI32, trapIfNot) }
	all := wt.Seq(grow(last), wt.Drop)
	const bytes = vet.MaxPages << 16
	touch := wt.Seq( // a byte in every 4 KiB
		wt.I32(0), wt.Set(0),
		wt.Loop(wt.Get(0), wt.I32(1), wt.StoreI32,
			wt.Get(0), wt.I32(4096), wt.AddI32, wt.Set(0),
			wt.Get(0), size, wt.I32(65536), mul, wt.LtU32, wt.BranchIf(0)))

	for _, test := range []struct {
		name  string
		gas   uint64
		body  wt.Op
		code  receipt.Code
		words string
	}{
		{"page by page to the end, and over", plenty, wt.Seq(
			loop(wt.I32(1), wt.Grow, wt.I32(-1), wt.EqI32, wt.If(size, wt.I32(vet.MaxPages), wt.EqI32, trapIfNot, wt.Unreachable))), receipt.Trapped, "trap: unreachable"},
		{"100 pages at a time, each touched", plenty, loop(grow(100), wt.I32(-1), wt.EqI32, wt.If(wt.Unreachable), touch), receipt.Trapped, "trap: unreachable"},
		{"to the end at once", plenty, wt.Seq(all, touch, fails(1), fails(last)), receipt.OK, ""},
		{"one more than there is", plenty, fails(vet.MaxPages), receipt.OK, ""},
		{"4 GiB", 65535*gas.OpPage/gas.Ticks + limit, fails(65535), receipt.OK, ""},
		{"4 GiB without the gas", 65535*gas.OpPage/gas.Ticks - 1, wt.Seq(grow(65535), wt.Drop), receipt.OutOfGas, "is used up"},
		{"by -1", plenty, wt.Seq(grow(1<<32-1), wt.Drop), receipt.OutOfGas, "is used up"},
		{"by the least number", plenty, wt.Seq(grow(1<<31), wt.Drop), receipt.OutOfGas, "is used up"},
		{"by what it can't pay for", limit, loop(grow(last), wt.Drop), receipt.OutOfGas, "is used up"},

		{"copies all of it without end", some, wt.Seq(all, loop(wt.I32(1), wt.I32(0), wt.I32(bytes-1), bulkCopy)), receipt.OutOfGas, "is used up"},
		{"fills all of it without end", some, wt.Seq(all, loop(wt.I32(0), wt.I32(7), wt.I32(bytes), wt.Fill)), receipt.OutOfGas, "is used up"},
		{"fills nothing without end", computing, loop(wt.I32(0), wt.I32(7), wt.I32(0), wt.Fill), receipt.OutOfGas, "is used up"},
		{"copies nothing without end", computing, loop(wt.I32(0), wt.I32(0), wt.I32(0), bulkCopy), receipt.OutOfGas, "is used up"},
		{"copies 4 GiB", plenty, wt.Seq(wt.I32(0), wt.I32(0), wt.I32(-1), bulkCopy), receipt.Trapped, "outside of memory"},
		{"fills 4 GiB", plenty, wt.Seq(wt.I32(0), wt.I32(0), wt.I32(-1), wt.Fill), receipt.Trapped, "outside of memory"},
		{"copies 4 GiB without the gas", (1<<32-1)/gas.OpBytes/gas.Ticks - 1, wt.Seq(wt.I32(0), wt.I32(0), wt.I32(-1), bulkCopy), receipt.OutOfGas, "is used up"},
		{"copies from behind the end", limit, wt.Seq(wt.I32(0), wt.I32(65535), wt.I32(2), bulkCopy), receipt.Trapped, "outside of memory"},
		{"fills to behind the end", limit, wt.Seq(wt.I32(65535), wt.I32(0), wt.I32(2), wt.Fill), receipt.Trapped, "outside of memory"},
		{"fills nothing behind the end", limit, wt.Seq(wt.I32(65537), wt.I32(0), wt.I32(0), wt.Fill), receipt.Trapped, "outside of memory"},
		{"loads with an offset beyond numbers", limit, wt.Seq(wt.I32(-1), wt.Raw(0x28, 2, 0xff, 0xff, 0xff, 0xff, 0x0f), wt.Drop), receipt.Trapped, "outside of memory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			wasm := contract(test.body)
			keeps(t, 64<<20, func() { ends(t, wasm, way{gas: test.gas}, test.code, test.words) })
		})
	}

	t.Run("passive segments", func(t *testing.T) {
		for _, test := range []struct {
			name        string
			to, from, n int32
			forEver     bool
			code        receipt.Code
			words       string
		}{
			{"without end", 0, 0, 1000, true, receipt.OutOfGas, "is used up"},
			{"once", 0, 0, 1000, false, receipt.OK, ""},
			{"behind its end", 0, 999, 2, false, receipt.Trapped, "outside of memory"},
			{"4 GiB", 0, 0, -1, false, receipt.Trapped, "outside of memory"},
			{"to behind the end", 65535, 0, 2, false, receipt.Trapped, "outside of memory"},
		} {
			t.Run(test.name, func(t *testing.T) {
				body := wt.Seq(wt.I32(test.to), wt.I32(test.from), wt.I32(test.n), bulkInit)
				most := uint64(gas.MaxLimit)
				if test.forEver {
					body, most = loop(body), computing
				}
				ends(t, withPassive(contract(body), fmt.Sprintf("%01000d", 7)), way{gas: most}, test.code, test.words)
			})
		}
	})
}

// withPassive gives a module that has no data a passive segment.
func withPassive(wasm []byte, bytes string) []byte {
	count, data := passive(bytes)
	for at := 8; ; {
		id := wasm[at]
		n, used := uvarint(wasm[at+1:])
		if id == 10 { // code
			return append(append(append(wasm[:at:at], count...), wasm[at:]...), data...)
		}
		at += 1 + used + n
	}
}

// What a contract may change of a table is nothing, and a table has an end.
func TestTables(t *testing.T) {
	null := wt.NullFunc
	for name, op := range map[string]wt.Op{
		"table.set":  wt.Seq(wt.I32(0), null, wt.Raw(0x26, 0)),
		"table.grow": wt.Seq(null, wt.I32(4096), wt.TableGrow, wt.Drop),
		"table.fill": wt.Seq(wt.I32(0), null, wt.I32(1), wt.Raw(0xfc, 17, 0)),
		"table.copy": wt.Seq(wt.I32(0), wt.I32(0), wt.I32(1), wt.Raw(0xfc, 14, 0, 0)),
		"table.init": wt.Seq(wt.I32(0), wt.I32(0), wt.I32(1), wt.Raw(0xfc, 12, 0, 0)),
		"elem.drop":  wt.Raw(0xfc, 13, 0),
	} {
		m := wt.New()
		m.Table(0, 1)
		m.Elements(0, m.Export(abi.ExportCall, op))
		for _, e := range engines {
			refusedWith(t, e, m.Bytes(), name+" is not allowed: what it changes can't be put back")
		}
	}
	refusedData := withPassive(contract(wt.Raw(0xfc, 9, 0)), "x")
	for _, e := range engines {
		refusedWith(t, e, refusedData, "data.drop is not allowed")
	}

	for _, test := range []struct {
		name, words string
		at          int32
	}{
		{"an empty entry", "empty entry", 1},
		{"behind its end", "outside of a table", 2},
		{"-1", "outside of a table", -1},
		{"another type", "of another type", 0},
	} {
		m := wt.New()
		m.Table(0, 2)
		m.Elements(0, m.Func([]byte{wt.TypeI64}, nil, 0))
		m.Func(nil, nil, 0) // has the type 1
		m.Export(abi.ExportCall, wt.I32(test.at), wt.CallIndirect(1))
		ends(t, m.Bytes(), way{}, receipt.Trapped, test.words)
	}
}

// Nothing of a call is left for the next: not in memory, however much was written, not its size, not in globals; however the
// call ended.
func TestNothingIsLeft(t *testing.T) {
	const fail, exit, ret, deeper = 0, 1, 2, 3
	for _, ending := range []struct {
		name string
		body wt.Op
		code receipt.Code
	}{
		{"it returns", wt.Nop, receipt.OK},
		{"it traps", wt.Unreachable, receipt.Trapped},
		{"it has no gas", loop(), receipt.OutOfGas},
		{"it has no stack", wt.Call(deeper), receipt.Trapped},
		{"it fails", wt.Seq(wt.I32(9), wt.I32(0), wt.I32(0), wt.Call(fail)), receipt.Failed},
		{"it exits", wt.Seq(wt.I32(0), wt.Call(exit)), receipt.Trapped},
		{"it forges a pointer", wt.Seq(wt.I32(-1), wt.I32(9), wt.Call(ret)), receipt.Trapped},
		{"it grows", wt.Seq(wt.I32(1), wt.Grow, wt.Drop, wt.I32(0), wt.I32(1), size, wt.I32(65536), mul, wt.Fill), receipt.OK},
	} {
		for _, pages := range []uint32{1, 2, 40} {
			for _, blocks := range []int32{1, 3, 640} {
				t.Run(fmt.Sprintf("%s, %d pages, %d blocks", ending.name, pages, blocks), func(t *testing.T) {
					m := wt.New()
					m.Pages = pages
					m.Import(abi.Module, "fail")
					m.Import(abi.WASIModule, "proc_exit")
					m.Import(abi.Module, "ret")
					m.Func(nil, nil, 0, wt.Call(deeper))
					g := m.Global(5)
					bytes := int32(pages) << 16
					step := wt.Seq(wt.Get(0), wt.I32(4096), wt.AddI32, wt.Set(0))
					m.Export(abi.ExportCall,
						wt.GetGlobal(g), wt.I32(5), wt.EqI32, trapIfNot, wt.I32(6), wt.SetGlobal(g),
						size, wt.I32(int32(pages)), wt.EqI32, trapIfNot,
						wt.Loop(wt.Get(0), wt.Raw(0x28, 2, 0), wt.If(wt.I32(66), wt.I32(0), wt.I32(0), wt.Call(fail)), step,
							wt.Get(0), wt.I32(bytes), wt.LtU32, wt.BranchIf(0)),
						wt.I32(0), wt.Set(0),
						wt.Loop(wt.Get(0), wt.I32(-1), wt.StoreI32, step,
							wt.Get(0), wt.I32(min(bytes, blocks*4096)), wt.LtU32, wt.BranchIf(0)),
						ending.body)
					w := way{gas: computing}
					if ending.name == "it has no stack" {
						w = way{} // all of the stack costs more than that
					}
					o := ends(t, m.Bytes(), w, ending.code, "")
					if o.ContractCode == 66 {
						t.Error("memory was not as the module says")
					}
				})
			}
		}
	}
}
