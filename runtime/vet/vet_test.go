package vet_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/vet"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
	"github.com/wardledger/ward/runtime/wasm"
)

// contract is a module that passes, changed before its call is exported.
func contract(change func(m *wt.Module), body ...wt.Op) []byte {
	m := wt.New()
	if change != nil {
		change(m)
	}
	m.Export(abi.ExportCall, body...)
	return m.Bytes()
}

func TestAccepted(t *testing.T) {
	for name, b := range map[string][]byte{
		"the least": contract(nil),
		"imports": contract(func(m *wt.Module) {
			for _, f := range abi.Table() {
				m.Import(abi.Module, f.Name)
			}
			for _, f := range abi.WASI() {
				m.Import(abi.WASIModule, f.Name)
			}
		}),
		"a table, a global and data": contract(func(m *wt.Module) {
			m.Table(0, 3)
			m.Elements(0, m.Func(nil, nil, 0))
			m.Global(7)
			m.DataAt(8, "data")
		}, wt.I32(0), wt.CallIndirect(0)),
		"all the memory there may be":    contract(func(m *wt.Module) { m.Pages = vet.MaxPages }),
		"bulk memory and sign extension": contract(nil, wt.I32(0), wt.I32(0), wt.I32(9), wt.Fill, wt.I32(1), wt.Raw(byte(wasm.OpI32Extend8S)), wt.Drop),
	} {
		if _, err := vet.Module(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// newest is the end of what is said of a function that there isn't.
var newest = fmt.Sprintf(" in version %d of the interface, the newest that this release speaks", abi.Version)

// laterSpec is a section with a spec of a version that is to come, which has other parts.
var laterSpec = append([]byte("\x00\x0e\x09ward_spec"), 0xa1, 1, abi.Version+1, 0x80)

// TestRefused: every refusal says where and by which rule.
func TestRefused(t *testing.T) {
	i32 := []byte{wt.TypeI32}
	for _, test := range []struct {
		name string
		wasm []byte
		want string
	}{
		{"nothing", nil, "module: not a WebAssembly module of version 1"},
		{"too large", make([]byte, vet.MaxModule+1), "module: 4194305 bytes, limit 4194304"},
		{"cut short", contract(nil)[:30], "a section of"},
		{"an unknown function", contract(func(m *wt.Module) { m.Import(abi.Module, "transfer") }), `import section 0: "ward"."transfer": there is no such function` + newest},
		{"another module", contract(func(m *wt.Module) { m.Import("env", "abort") }), `"env"."abort": there is no such function` + newest + `; it has the modules "ward" and "wasi_snapshot_preview1"`},
		{"a function of another module", contract(func(m *wt.Module) { m.Import("env", "get") }), `import section 0: "env"."get": there is no such function` + newest + `; there is "ward"."get", (i32, i32, i32, i32, i32, i32) -> (i32) since version 1 of the interface`},
		{"an older WASI", contract(func(m *wt.Module) { m.Import("wasi_unstable", "sched_yield") }), `; there is "wasi_snapshot_preview1"."sched_yield", () -> (i32)`},
		{"a letter too many", contract(func(m *wt.Module) { m.Import(abi.Module, "sha5122") }), `"ward"."sha5122": there is no such function` + newest + `; there is "ward"."sha512", (i32, i32, i32) -> () since version 2 of the interface`},
		{"written otherwise", contract(func(m *wt.Module) { m.Import(abi.Module, "gasLeft") }), `; there is "ward"."gas_left", () -> (i64) since version 1 of the interface`},
		{"letters too many", contract(func(m *wt.Module) { m.Import(abi.Module, strings.Repeat("get", 300)) }), newest},
		{"a later version", append(contract(func(m *wt.Module) { m.Import(abi.Module, "not_yet") }), laterSpec...), fmt.Sprintf("custom section: ward_spec: made for version %d of the interface, this release speaks 1 to %d", abi.Version+1, abi.Version)},
		{"another type of a later function", contract(func(m *wt.Module) { m.ImportAs(abi.Module, "exists", i32, i32) }), `import section 0: "ward"."exists": its type is (i32, i32, i32, i32) -> (i32) since version 2 of the interface, not (i32) -> (i32)`},
		{"another type", contract(func(m *wt.Module) { m.ImportAs(abi.Module, "get", i32, i32) }), "its type is (i32, i32, i32, i32, i32, i32) -> (i32) since version 1 of the interface, not (i32) -> (i32)"},
		{"a memory imported", contract(func(m *wt.Module) { m.ImportRaw(abi.Module, "memory", 2, 0, 1) }), "is a memory, only functions can be imported"},
		{"no call", wt.New().Bytes(), "export section: there is no ward_call"},
		{"a call with a parameter", func() []byte {
			m := wt.New()
			m.ExportFunc(abi.ExportCall, m.Func(i32, nil, 0))
			return m.Bytes()
		}(), "ward_call: its type is () -> (), not (i32) -> ()"},
		{"no memory", contract(func(m *wt.Module) { m.NoMemory() }), `there is no memory "memory"`},
		{"a name of ours", contract(func(m *wt.Module) { m.ExportFunc("ward.gas", m.Func(nil, nil, 0)) }), `names that begin with "ward." are the runtime's`},
		{"too much memory", contract(func(m *wt.Module) { m.Pages = vet.MaxPages + 1 }), "memory section 0: starts with 1025 pages, limit 1024"},
		{"too many entries", contract(func(m *wt.Module) { m.Table(0, 0x81, 0x80, 0x04) }), "tables with more than 65536 entries"},
		{"too many locals", contract(func(m *wt.Module) { m.Func(nil, nil, vet.MaxLocals+1) }), "2049 locals, limit 2048"},
		{"too many exports", contract(func(m *wt.Module) {
			f := m.Func(nil, nil, 0)
			for i := range vet.MaxExports {
				m.ExportFunc(strings.Repeat("x", i%200)+string(rune('a'+i/200)), f)
			}
		}), "1026 exports, limit 1024"},
		{"SIMD", contract(nil, wt.Raw(0xfd, 12), wt.Raw(make([]byte, 16)...), wt.Drop), "instruction 0xfd belongs to SIMD, which are not allowed"},
		{"threads", contract(nil, wt.I32(0), wt.Raw(0xfe, 0x10, 2, 0), wt.Drop), "belongs to threads"},
		{"a tail call", contract(nil, wt.Raw(0x12, 0)), "belongs to tail calls"},
		{"exceptions", contract(nil, wt.Raw(0x06, 0x40, 0x0b)), "belongs to exceptions"},
		{"a table that grows", contract(func(m *wt.Module) { m.Table(0, 1) }, wt.NullFunc, wt.I32(1), wt.TableGrow, wt.Drop), "table.grow is not allowed: what it changes can't be put back"},
		{"a stack that does not fit", contract(nil, wt.Drop), "drop: takes any, but the stack is empty"},
		{"blocks too deep", contract(nil, deep(vet.MaxNesting+1)), "blocks more than 2048 deep"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := vet.Module(test.wasm)
			var no *wasm.Error
			if !errors.As(err, &no) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("%v, want %q", err, test.want)
			}
			for _, c := range err.Error() {
				if c < ' ' || c > '~' {
					t.Errorf("%q in the reason", c)
				}
			}
		})
	}
}

// deep is so many blocks inside each other.
func deep(n int) wt.Op {
	return append(bytes.Repeat([]byte{byte(wasm.OpBlock), 0x40}, n), bytes.Repeat([]byte{byte(wasm.OpEnd)}, n)...)
}

// FuzzModule: whatever the bytes, there is an answer.
func FuzzModule(f *testing.F) {
	f.Add(contract(func(m *wt.Module) {
		m.Table(0, 3)
		m.Elements(0, m.Func(nil, nil, 0))
		m.DataAt(8, "data")
	}, wt.I32(0), wt.CallIndirect(0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var no *wasm.Error
		if _, err := vet.Module(b); err != nil && !errors.As(err, &no) {
			t.Errorf("%v", err)
		}
	})
}
