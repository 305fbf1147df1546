package vet_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/wardledger/ward/runtime/vet"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
	"github.com/wardledger/ward/runtime/wasm"
)

// TestBounds: what is at a bound passes, and one more is refused in these words.
func TestBounds(t *testing.T) {
	values := func(n int) []byte { return bytes.Repeat([]byte{wt.TypeI32}, n) }
	for _, test := range []struct {
		name string
		wasm func(more int) []byte // at the bound and so many more
		want string
	}{
		{"sections", func(more int) []byte {
			return contract(func(m *wt.Module) { m.Extra = bytes.Repeat([]byte{0, 2, 1, 'x'}, vet.MaxSections-5+more) })
		}, "module: 257 sections, limit 256"},
		{"types", func(more int) []byte {
			return contract(func(m *wt.Module) {
				for i := range vet.MaxTypes - 1 + more {
					params := values(11)
					for bit := range params {
						if i>>bit&1 == 1 {
							params[bit] = wt.TypeI64
						}
					}
					m.Func(params, nil, 0)
				}
			})
		}, "type section: 1025 types, limit 1024"},
		{"functions", func(more int) []byte {
			return contract(func(m *wt.Module) {
				for range vet.MaxFunctions - 1 + more {
					m.Func(nil, nil, 0)
				}
			})
		}, "function section: 32769 functions, limit 32768"},
		{"globals", func(more int) []byte {
			return contract(func(m *wt.Module) {
				for range vet.MaxGlobals + more {
					m.Global(0)
				}
			})
		}, "global section: 1025 globals, limit 1024"},
		{"exports", func(more int) []byte {
			return contract(func(m *wt.Module) {
				f := m.Func(nil, nil, 0)
				for i := range vet.MaxExports - 2 + more {
					m.ExportFunc(fmt.Sprint(i), f)
				}
			})
		}, "export section: 1025 exports, limit 1024"},
		{"an export's name", func(more int) []byte {
			return contract(func(m *wt.Module) {
				m.ExportFunc(string(bytes.Repeat([]byte{'x'}, vet.MaxName+more)), m.Func(nil, nil, 0))
			})
		}, "export section 1: a name of 257 bytes, limit 256"},
		{"tables", func(more int) []byte {
			return contract(func(m *wt.Module) {
				for range vet.MaxTables + more {
					m.Table(0, 1)
				}
			})
		}, "table section: 17 tables, limit 16"},
		{"table entries", func(more int) []byte {
			return contract(func(m *wt.Module) { m.Table(append([]byte{0}, uleb(vet.MaxTableEntries+more)...)...) })
		}, "table section 0: tables with more than 65536 entries"},
		{"element segments", func(more int) []byte {
			return contract(func(m *wt.Module) {
				m.Table(0, 1)
				for range vet.MaxSegments + more {
					m.Elements(0)
				}
			})
		}, "element section: 1025 element segments, limit 1024"},
		{"elements", func(more int) []byte {
			return contract(func(m *wt.Module) {
				m.Table(append([]byte{0}, uleb(vet.MaxTableEntries)...)...)
				half := make([]int, vet.MaxTableEntries/2)
				m.Elements(0, half...)
				m.Elements(0, half...)
				m.Elements(0, make([]int, more)...)
				m.Func(nil, nil, 0)
			})
		}, "element section 2: more than 65536 elements"},
		{"pages", func(more int) []byte {
			return contract(func(m *wt.Module) { m.Pages = uint32(vet.MaxPages + more) })
		}, "memory section 0: starts with 1025 pages, limit 1024"},
		{"data segments", func(more int) []byte {
			return contract(func(m *wt.Module) {
				for range vet.MaxData + more {
					m.DataAt(0, "x")
				}
			})
		}, "data section: 100001 data segments, limit 100000"},
		{"data up to the end of the memory", func(more int) []byte {
			return contract(func(m *wt.Module) { m.DataAt(0, "x"); m.DataAt(65532+int32(more), "data") })
		}, "data section 1: bytes 65533 to 65537, the memory starts with 65536"},
		{"data below zero", func(more int) []byte {
			return contract(func(m *wt.Module) { m.DataAt(int32(-more), "") })
		}, "data section 0: bytes 4294967295 to 4294967295, the memory starts with 65536"},
		{"elements up to the end of the table", func(more int) []byte {
			return contract(func(m *wt.Module) {
				m.Table(0, 5)
				m.Elements(int32(3+more), 0, 0)
			})
		}, "element section 0: entries 4 to 6, table 0 starts with 5"},
		{"parameters", func(more int) []byte {
			return contract(func(m *wt.Module) { m.Func(values(vet.MaxParams+more), nil, 0) })
		}, "type section 0: 129 parameters, limit 128"},
		{"results", func(more int) []byte {
			return contract(func(m *wt.Module) { m.Func(nil, values(vet.MaxResults+more), 0, wt.Unreachable) })
		}, "type section 0: 17 results, limit 16"},
		{"bytes of code", func(more int) []byte {
			return contract(nil, repeat(vet.MaxBody-1+more, wt.Nop))
		}, "code section 0, byte 58: 262145 bytes of code, limit 262144"},
		{"locals", func(more int) []byte {
			return contract(func(m *wt.Module) { m.Func(values(10), nil, vet.MaxLocals-10+more) })
		}, "code section 0, byte 69: 2049 locals, limit 2048"},
		{"operands", func(more int) []byte {
			return contract(nil, repeat(vet.MaxOperands+more, wt.I32(0)), repeat(vet.MaxOperands+more, wt.Drop))
		}, "code section 0, byte 2104: 1025 operands on the stack, limit 1024"},
		{"blocks inside each other", func(more int) []byte {
			return contract(nil, deep(vet.MaxNesting+more))
		}, "code section 0, byte 4152: blocks more than 2048 deep"},
		{"loops inside each other", func(more int) []byte {
			loops := vet.MaxLoops + more
			return contract(nil, wt.Loop(), repeat(loops, wt.Raw(byte(wasm.OpLoop), 0x40)), repeat(loops, wt.Raw(byte(wasm.OpEnd))))
		}, "code section 0, byte 121: loops more than 32 deep"},
		{"labels", func(more int) []byte {
			labels := vet.MaxLabels - 1 + more
			return contract(nil, wt.I32(0), wt.Raw(byte(wasm.OpBrTable)), uleb(labels), repeat(labels+1, wt.Raw(0)))
		}, "code section 0, byte 58: br_table of 4097 labels, limit 4096"},
		{"blocks of the compiler", func(more int) []byte {
			return contract(nil, repeat(vet.MaxBlocks-4+more, wt.Block()))
		}, "code section 0, byte 36910: more than 12288 blocks"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := vet.Module(test.wasm(0)); err != nil {
				t.Errorf("at the bound: %v", err)
			}
			if _, err := vet.Module(test.wasm(1)); err == nil || err.Error() != test.want {
				t.Errorf("%v\nwant %s", err, test.want)
			}
		})
	}
}

// TestMaxWork: a module that keeps every bound of its parts may still be too much altogether.
func TestMaxWork(t *testing.T) {
	b := functions(8, 0, repeat(vet.MaxBlocks-5, wt.Block()))
	_, err := vet.Module(b)
	if want := "code section 7, byte 221207: to compile up to here takes more than 33554432 units of work"; err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	_, err = vet.Module(functions(1, 1000, fill(999), repeat(600, wt.Seq(wt.Get(0), wt.If())), keep(999)))
	if want := "code section 1, byte 63: 18320581 units of work, limit 8388608"; err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

// TestWork: more of anything is more work, and the same is the same.
func TestWork(t *testing.T) {
	work := func(change func(m *wt.Module), body ...wt.Op) uint64 {
		t.Helper()
		m, err := vet.Module(contract(change, body...))
		if err != nil {
			t.Fatal(err)
		}
		if a, b := vet.Work(m), vet.Work(m); a != b {
			t.Errorf("%d, then %d units of work", a, b)
		}
		return vet.Work(m)
	}
	least := work(nil)
	for name, more := range map[string]uint64{
		"an instruction": work(nil, wt.Nop),
		"a block":        work(nil, wt.Block()),
		"a function":     work(func(m *wt.Module) { m.Func(nil, nil, 0) }),
		"a type":         work(func(m *wt.Module) { m.Type([]byte{wt.TypeI64}, nil) }),
		"a global":       work(func(m *wt.Module) { m.Global(0) }),
		"data":           work(func(m *wt.Module) { m.DataAt(0, "data") }),
		"a section":      work(func(m *wt.Module) { m.Extra = []byte{0, 2, 1, 'x'} }),
	} {
		if more <= least {
			t.Errorf("with %s: %d units of work, without %d", name, more, least)
		}
	}
	local := func(locals int) uint64 {
		return work(func(m *wt.Module) { m.Func(nil, nil, locals, wt.Get(0), wt.If(), wt.Get(0), wt.If()) })
	}
	if few, many := local(20), local(200); many < few+180*6*3 {
		t.Errorf("two ifs with 20 locals: %d units of work, with 200: %d", few, many)
	}
	loops := func(n int) uint64 {
		return work(func(m *wt.Module) { m.Func(nil, nil, 100, nest(n, 99, nil)) })
	}
	if one, ten := loops(1), loops(10); ten < 10*one {
		t.Errorf("a loop: %d units of work, ten inside each other: %d", one, ten)
	}
}

// TestCode: what changes a table or drops a segment is refused where it stands.
func TestCode(t *testing.T) {
	table := func(m *wt.Module) { m.Table(0, 1) }
	prefixed := func(op wasm.Op, rest ...byte) wt.Op { return append(wt.Op{byte(op >> 8), byte(op)}, rest...) }
	zero := wt.I32(0)
	for _, test := range []struct {
		name    string
		before  wt.Op
		refused wt.Op
	}{
		{"table.set", wt.Seq(zero, wt.NullFunc), wt.Raw(byte(wasm.OpTableSet), 0)},
		{"table.grow", wt.Seq(wt.NullFunc, zero), prefixed(wasm.OpTableGrow, 0)},
		{"table.fill", wt.Seq(zero, wt.NullFunc, zero), prefixed(wasm.OpTableFill, 0)},
		{"table.copy", wt.Seq(zero, zero, zero), prefixed(wasm.OpTableCopy, 0, 0)},
		{"table.init", wt.Seq(zero, zero, zero), prefixed(wasm.OpTableInit, 0, 0)},
		{"elem.drop", nil, prefixed(wasm.OpElemDrop, 0)},
		{"data.drop", nil, prefixed(wasm.OpDataDrop, 0)},
	} {
		at := bytes.LastIndexByte(contract(table), byte(wasm.OpEnd)) + len(test.before)
		want := fmt.Sprintf("code section 0, byte %d: %s is not allowed: what it changes can't be put back", at, test.name)
		if _, err := vet.Module(contract(table, test.before, test.refused)); err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	_, err := vet.Shape([]byte(wasm.Header + "\x06\x06\x01\x70\x01\xd0\x70\x0b"))
	if want := "global section 0, byte 13: a mutable funcref is not allowed: it can't be put back"; err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}
