package vm_test

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/wardledger/ward/runtime/abi"
	"github.com/wardledger/ward/runtime/vet"
	"github.com/wardledger/ward/runtime/vm"
	wt "github.com/wardledger/ward/runtime/vm/wasmtest"
)

func TestVetAccepts(t *testing.T) {
	everything := wt.New()
	for _, f := range abi.Table() {
		everything.Import(abi.Module, f.Name)
	}
	for _, f := range abi.WASI() {
		everything.Import(abi.WASIModule, f.Name)
	}
	everything.Export(abi.ExportCall)

	large := small()
	large.Extra = custom("padding", vet.MaxModule-len(large.Bytes())-13)
	if n := len(large.Bytes()); n != vet.MaxModule {
		t.Fatalf("the large module is %d bytes, not %d", n, vet.MaxModule)
	}

	memory := small()
	memory.Pages = vet.MaxPages

	table := wt.New()
	table.Table(1, 0x80, 0x80, 0x04, 0x80, 0x80, 0x04) // 65,536
	table.Export(abi.ExportCall)

	onBoth(t, func(t *testing.T, e *vm.Engine) {
		for _, test := range []struct {
			name   string
			module *wt.Module
		}{
			{"the least", small()},
			{"every function of the tables", everything},
			{"the largest module", large},
			{"the largest memory", memory},
			{"the largest table", table},
		} {
			if err := e.Vet(context.Background(), test.module.Bytes()); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
		}
	})
}

// custom is a custom section of size bytes and its name.
func custom(name string, size int) []byte {
	b := append([]byte{byte(len(name))}, name...)
	b = append(b, make([]byte, size)...)
	n := len(b)
	return append([]byte{0, byte(n) | 0x80, byte(n>>7) | 0x80, byte(n>>14) | 0x80, byte(n >> 21)}, b...)
}

// sectionOf is a section of less than 128 bytes.
func sectionOf(id byte, body ...byte) []byte { return append([]byte{id, byte(len(body))}, body...) }

func TestVetRefuses(t *testing.T) {
	with := func(change func(m *wt.Module)) []byte {
		m := wt.New()
		change(m)
		m.Export(abi.ExportCall)
		return m.Bytes()
	}
	i32, i64 := []byte{wt.TypeI32}, []byte{wt.TypeI64}
	good := small().Bytes()
	for _, test := range []struct {
		name   string
		wasm   []byte
		reason string
	}{
		{"nothing", nil, "not a WebAssembly module of version 1"},
		{"text", []byte("(module)"), "not a WebAssembly module of version 1"},
		{"a component", []byte("\x00asm\x0d\x00\x01\x00"), "not a WebAssembly module of version 1"},
		{"a header alone", good[:8], "export section: there is no ward_call"},
		{"cut short", good[:len(good)-3], "module, byte 49: a section of 6 bytes, 3 are left"},
		{"an endless number", append(bytes.Clone(good), 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), "module, byte 56: an integer of more than 5 bytes"},
		{"too large", make([]byte, vet.MaxModule+1), "the module is 4194305 bytes, limit 4194304"},
		{"an unknown section", append(bytes.Clone(good), 77, 0), "section 77 is not known"},
		{"unknown module", with(func(m *wt.Module) { m.Import("env", "abort") }), `import section 0: "env"."abort": there is no such function in version ` + strconv.Itoa(abi.Version) + ` of the interface, the newest that this release speaks; it has the modules "ward" and "wasi_snapshot_preview1"`},
		{"unknown function", with(func(m *wt.Module) { m.Import(abi.Module, "transfer") }), `import section 0: "ward"."transfer": there is no such function in version ` + strconv.Itoa(abi.Version) + ` of the interface, the newest that this release speaks`},
		{"unknown WASI function", with(func(m *wt.Module) { m.Import(abi.WASIModule, "sock_open") }), `"sock_open": there is no such function`},
		{"a name that is no text", with(func(m *wt.Module) { m.Import("\xff\n\x1b[2J", strings.Repeat("x", 3000)) }), ""},
		{"a long name", with(func(m *wt.Module) { m.Import("ward", strings.Repeat("é", 3000)) }), "import section 0, byte 25: a name of 6000 bytes, limit 1024"},
		{"wrong parameters", with(func(m *wt.Module) { m.ImportAs(abi.Module, "get", i32, i32) }), `import section 0: "ward"."get": its type is (i32, i32, i32, i32, i32, i32) -> (i32) since version 1 of the interface, not (i32) -> (i32)`},
		{"wrong result", with(func(m *wt.Module) { m.ImportAs(abi.Module, "gas_left", nil, i32) }), `import section 0: "ward"."gas_left": its type is () -> (i64) since version 1 of the interface, not () -> (i32)`},
		{"wrong type of a WASI function", with(func(m *wt.Module) { m.ImportAs(abi.WASIModule, "sched_yield", i64, i32) }), `import section 0: "wasi_snapshot_preview1"."sched_yield": its type is () -> (i32), not (i64) -> (i32)`},
		{"a memory imported", with(func(m *wt.Module) { m.ImportRaw(abi.Module, "memory", 2, 0, 1) }), `import section 0: "ward"."memory" is a memory, only functions can be imported`},
		{"a table imported", with(func(m *wt.Module) { m.ImportRaw(abi.Module, "t", 1, 0x70, 0, 1) }), `import section 0: "ward"."t" is a table, only functions can be imported`},
		{"a global imported", with(func(m *wt.Module) { m.ImportRaw(abi.Module, "g", 3, wt.TypeI32, 0) }), `import section 0: "ward"."g" is a global, only functions can be imported`},
		{"something imported", with(func(m *wt.Module) { m.ImportRaw(abi.Module, "x", 9, 0) }), "import section 0, byte 24: the kind 0x09 is not known"},
		{"no memory exported", with(func(m *wt.Module) { m.NoMemory() }), `export section: there is no memory "memory"`},
		{"a command, not a reactor", func() []byte { m := wt.New(); m.Export("_start"); return m.Bytes() }(), "export section: there is no ward_call"},
		{"a call with a parameter", func() []byte {
			m := wt.New()
			m.ExportFunc(abi.ExportCall, m.Func(i32, nil, 0))
			return m.Bytes()
		}(), "export section: ward_call: its type is () -> (), not (i32) -> ()"},
		{"a start with a result", func() []byte {
			m := small()
			m.ExportFunc(abi.ExportInitialize, m.Func(nil, i64, 0, wt.I64(1)))
			return m.Bytes()
		}(), "export section: _initialize: its type is () -> (), not () -> (i64)"},
		{"too much memory", with(func(m *wt.Module) { m.Pages = 1025 }), "memory section 0: starts with 1025 pages, limit 1024"},
		{"two memories", with(func(m *wt.Module) { m.Extra = nil; m.ImportRaw("ward", "m", 2, 0, 1) }), "only functions"},
		{"a table beyond the bound", with(func(m *wt.Module) { m.Table(0, 0x81, 0x80, 0x04) }), "table section 0: tables with more than 65536 entries"},
		{"tables beyond the bound", with(func(m *wt.Module) { m.Table(0, 0x80, 0x80, 0x04); m.Table(0, 1) }), "table section 1: tables with more than 65536 entries"},
		{"a table that can't hold itself", with(func(m *wt.Module) { m.Table(1, 2, 1) }), "table section 0, byte 25: starts with 2 and may have only 1"},
		{"a table of another form", with(func(m *wt.Module) { m.Table(3, 1, 1) }), "table section 0, byte 22: a shared table belongs to threads, which are not allowed"},
		{"a table of vectors", append(bytes.Clone(good[:8]), sectionOf(4, 1, 0x7b, 0, 1)...), "table section 0, byte 11: v128 is a type of SIMD, which is not allowed"},
		{"a table with an initial value", append(bytes.Clone(good[:8]), sectionOf(4, 1, 0x40, 0, 0x70, 0, 1, 0xd0, 0x70, 0x0b)...), "table section 0, byte 11: a type that is not known"},
		{"types without end", append(bytes.Clone(good[:8]), sectionOf(1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x60, 0, 0)...), "type section, byte 10: 4294967295 types, limit 1048576"},
		{"parameters without end", append(bytes.Clone(good[:8]), sectionOf(1, 1, 0x60, 0xff, 0xff, 0xff, 0xff, 0x0f)...), "type section 0, byte 12: 4294967295 parameters, limit 1000"},
		{"functions without end", append(bytes.Clone(good[:8]), sectionOf(10, 0x8d, 0x8d, 0x8d, 0x30, 2, 0, 0x0b)...), "code section, byte 10: 100877965 functions, limit 1048576"},
		{"locals without end", append(bytes.Clone(good[:8]), sectionOf(10, 1, 8, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 0x0b)...), "code section 0, byte 12: a body without a type"},
		{"elements without end", append(bytes.Clone(good[:8]), sectionOf(9, 1, 1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f)...), "element section 0, byte 13: 4294967295 elements, limit 1048576"},
		{"exports without end", append(bytes.Clone(good[:8]), sectionOf(7, 0xff, 0xff, 0xff, 0xff, 0x0f)...), "export section, byte 10: 4294967295 exports, limit 1048576"},
		{"a name without end", append(bytes.Clone(good[:8]), sectionOf(7, 1, 0xff, 0xff, 0xff, 0xff, 0x0f)...), "export section 0, byte 16: a name of 4294967295 bytes, limit 1024"},
		{"data without end", append(bytes.Clone(good[:8]), sectionOf(11, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f)...), "data section 0, byte 17: 4294967295 bytes are announced, 0 are left"},
		{"shared memory", append(bytes.Clone(good[:8]), sectionOf(5, 1, 3, 1, 1)...), "memory section 0, byte 11: a shared memory belongs to threads, which are not allowed"},
		{"SIMD", small(wt.Raw(0xfd, 12), wt.Raw(make([]byte, 16)...), wt.Drop).Bytes(), "code section 0, byte 54: instruction 0xfd belongs to SIMD, which are not allowed"},
		{"atomics", small(wt.I32(0), wt.Raw(0xfe, 0x10, 2, 0), wt.Drop).Bytes(), "code section 0, byte 56: instruction 0xfe belongs to threads, which are not allowed"},
		{"a tail call", small(wt.Raw(0x12, 0)).Bytes(), "code section 0, byte 54: instruction 0x12 belongs to tail calls, which are not allowed"},
		{"a stack that does not fit", small(wt.Drop).Bytes(), "code section 0, byte 54: drop: takes any, but the stack is empty"},
		{"data that does not fit", with(func(m *wt.Module) { m.DataAt(65536, "x") }), "data section 0: bytes 65536 to 65537, the memory starts with 65536"},
		{"a start that traps", func() []byte { m := small(); m.Export(abi.ExportInitialize, wt.Unreachable); return m.Bytes() }(), "it can't be started: trap: unreachable code was reached"},
		{"a start that exits", func() []byte {
			m := wt.New()
			exit := m.Import(abi.WASIModule, "proc_exit")
			m.Export(abi.ExportInitialize, wt.I32(0), wt.Call(exit))
			m.Export(abi.ExportCall)
			return m.Bytes()
		}(), "it can't be started: the contract exited with code 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var said []string
			for _, e := range []*vm.Engine{engines.compiler(), engines.interpreter()} {
				var no *vm.Refused
				if err := e.Vet(context.Background(), test.wasm); !errors.As(err, &no) {
					t.Fatalf("Vet: %v, want a refusal", err)
				}
				if !strings.Contains(no.Reason, test.reason) {
					t.Errorf("refused because %q, want %q", no.Reason, test.reason)
				}
				for _, c := range no.Reason {
					if c < ' ' || c > '~' {
						t.Errorf("%q is in the reason %q", c, no.Reason)
					}
				}
				said = append(said, no.Reason)
			}
			if said[0] != said[1] {
				t.Errorf("the compiler says %q, the interpreter %q", said[0], said[1])
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	spec := (&abi.Spec{ABI: 1, Name: "locks", Methods: []abi.Method{{Name: "open"}}}).Encode()
	describing := func(result string, before ...wt.Op) []byte {
		m := wt.New()
		ret, log, fail := m.Import(abi.Module, "ret"), m.Import(abi.Module, "log"), m.Import(abi.Module, "fail")
		get := m.Import(abi.Module, "gas_left")
		_, _, _ = log, fail, get
		at, n := m.Data(result)
		body := append(before, wt.I32(at), wt.I32(n), wt.Call(ret))
		m.Export(abi.ExportSpec, body...)
		m.Export(abi.ExportCall)
		return m.Bytes()
	}
	onBoth(t, func(t *testing.T, e *vm.Engine) {
		got, err := e.Describe(context.Background(), describing(string(spec), wt.I32(4096), wt.I32(3), wt.Call(1)))
		if err != nil || !bytes.Equal(got, spec) {
			t.Errorf("Describe = %x, %v; want %x", got, err, spec)
		}
		for _, test := range []struct {
			name   string
			wasm   []byte
			reason string
		}{
			{"no export", small().Bytes(), "no export ward_spec"},
			{"nothing returned", func() []byte { m := small(); m.Export(abi.ExportSpec); return m.Bytes() }(), "what ward_spec returned is not a spec"},
			{"not a spec", describing("\x01"), "what ward_spec returned is not a spec"},
			{"not CBOR", describing("\xff"), "it can't describe itself: ret: the result is not one canonical CBOR item"},
			{"a failure", describing("", wt.I32(5), wt.I32(4096), wt.I32(0), wt.Call(2)), "it can't describe itself: it failed with code 5: "},
			{"another function", describing("", wt.Call(3), wt.Drop), "it can't describe itself: gas_left: only a call may use it, not ward_spec"},
			{"not a module", nil, "not a WebAssembly module"},
		} {
			var no *vm.Refused
			if _, err := e.Describe(context.Background(), test.wasm); !errors.As(err, &no) || !strings.Contains(no.Reason, test.reason) {
				t.Errorf("%s: %v, want a refusal with %q", test.name, err, test.reason)
			}
		}
	})
}
