package wasmtest

import (
	"encoding/binary"

	"github.com/wardledger/ward/runtime/abi"
)

// Value types of Wasm.
const (
	TypeI32 byte = 0x7f
	TypeI64 byte = 0x7e
	TypeF32 byte = 0x7d
	TypeF64 byte = 0x7c
)

// dataStart is where the first bytes given to Data lie. Below it is room for answers.
const dataStart = 4096

// Module is a module in the making. It has one memory, of one page unless Pages says
// otherwise, exported as "memory".
type Module struct {
	// Pages is the size of the memory; MaxPages, if not 0, is its largest.
	Pages, MaxPages uint32
	// Start, if not nil, is the function that runs when the module is instantiated.
	Start *int
	// Extra are sections as they stand in a module, put at its end.
	Extra []byte

	types, imports, funcs, globals, exports, code, table, elements, data, names [][]byte
	dataEnd                                                                     int32
}

// New returns a module with a memory and nothing else.
func New() *Module {
	return &Module{
		Pages:   1,
		exports: [][]byte{append(name(abi.ExportMemory), 2, 0)},
		dataEnd: dataStart,
	}
}

// Import imports a function of the tables in runtime/abi with the type that they say,
// or without parameters and results if they don't know it. All imports come before the
// first function. It returns the function's index.
func (m *Module) Import(module, function string) int {
	var params, results []byte
	if module == abi.Module {
		for _, f := range abi.Table() {
			if f.Name == function {
				for _, p := range f.Params {
					params = append(params, valueType(p.Type))
				}
				results = valueTypes(f.Results)
			}
		}
	} else {
		for _, f := range abi.WASI() {
			if f.Name == function {
				params, results = valueTypes(f.Params), valueTypes(f.Results)
			}
		}
	}
	return m.ImportAs(module, function, params, results)
}

// ImportAs imports a function with a type of the caller's choice.
func (m *Module) ImportAs(module, function string, params, results []byte) int {
	b := append(append(name(module), name(function)...), 0)
	m.imports = append(m.imports, binary.AppendUvarint(b, uint64(m.functionType(params, results))))
	return len(m.imports) - 1
}

// ImportRaw imports something that is described by raw, its kind first.
func (m *Module) ImportRaw(module, what string, raw ...byte) {
	m.imports = append(m.imports, append(append(name(module), name(what)...), raw...))
}

// Func adds a function with i32 locals after its parameters, and returns its index.
func (m *Module) Func(params, results []byte, locals int, body ...Op) int {
	m.funcs = append(m.funcs, binary.AppendUvarint(nil, uint64(m.functionType(params, results))))
	b := []byte{1}
	b = binary.AppendUvarint(b, uint64(locals))
	b = append(b, TypeI32)
	for _, op := range body {
		b = append(b, op...)
	}
	b = append(b, 0x0b) // end
	m.code = append(m.code, append(binary.AppendUvarint(nil, uint64(len(b))), b...))
	return len(m.imports) + len(m.funcs) - 1
}

// Type returns the index of a function type.
func (m *Module) Type(params, results []byte) int { return m.functionType(params, results) }

// Locals are locals of one type.
type Locals struct {
	N    int
	Type byte
}

// FuncWith adds a function without parameters and results that has locals of several types, and returns its index.
func (m *Module) FuncWith(locals []Locals, body ...Op) int {
	m.funcs = append(m.funcs, binary.AppendUvarint(nil, uint64(m.functionType(nil, nil))))
	b := binary.AppendUvarint(nil, uint64(len(locals)))
	for _, l := range locals {
		b = append(binary.AppendUvarint(b, uint64(l.N)), l.Type)
	}
	b = append(flat(b, body), 0x0b)
	m.code = append(m.code, append(binary.AppendUvarint(nil, uint64(len(b))), b...))
	return len(m.imports) + len(m.funcs) - 1
}

// Export adds a function without parameters and results, exports it and returns its
// index. It has 4 locals.
func (m *Module) Export(as string, body ...Op) int {
	f := m.Func(nil, nil, 4, body...)
	m.ExportFunc(as, f)
	return f
}

// ExportFunc exports a function.
func (m *Module) ExportFunc(as string, f int) {
	m.exports = append(m.exports, binary.AppendUvarint(append(name(as), 0), uint64(f)))
}

// NoMemory takes the export of the memory away.
func (m *Module) NoMemory() { m.exports = m.exports[1:] }

// Global adds a mutable i32 and returns its index.
func (m *Module) Global(v int32) int {
	m.globals = append(m.globals, append(append([]byte{TypeI32, 1}, I32(v)...), 0x0b))
	return len(m.globals) - 1
}

// Table adds a table of functions: its limits as they stand in a module.
func (m *Module) Table(limits ...byte) {
	m.table = append(m.table, append([]byte{0x70}, limits...))
}

// Elements puts functions into the first table from an index on.
func (m *Module) Elements(at int32, functions ...int) {
	b := append(append([]byte{0}, I32(at)...), 0x0b)
	b = binary.AppendUvarint(b, uint64(len(functions)))
	for _, f := range functions {
		b = binary.AppendUvarint(b, uint64(f))
	}
	m.elements = append(m.elements, b)
}

// Data puts bytes into the memory, at an address of their own, and returns address
// and length.
func (m *Module) Data(s string) (at, n int32) {
	at = m.dataEnd
	m.DataAt(at, s)
	m.dataEnd += int32(len(s)+7) &^ 7
	return at, int32(len(s))
}

// DataAt puts bytes into the memory at an address.
func (m *Module) DataAt(at int32, s string) {
	b := append(append([]byte{0}, I32(at)...), 0x0b)
	m.data = append(m.data, append(b, name(s)...))
}

// Name gives a function a name in the section "name".
func (m *Module) Name(f int, as string) {
	m.names = append(m.names, append(binary.AppendUvarint(nil, uint64(f)), name(as)...))
}

// Bytes returns the module.
func (m *Module) Bytes() []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	b = section(b, 1, m.types)
	b = section(b, 2, m.imports)
	b = section(b, 3, m.funcs)
	b = section(b, 4, m.table)
	limits := binary.AppendUvarint([]byte{0}, uint64(m.Pages))
	if m.MaxPages > 0 {
		limits[0] = 1
		limits = binary.AppendUvarint(limits, uint64(m.MaxPages))
	}
	b = section(b, 5, [][]byte{limits})
	b = section(b, 6, m.globals)
	b = section(b, 7, m.exports)
	if m.Start != nil {
		index := binary.AppendUvarint(nil, uint64(*m.Start))
		b = append(append(b, 8, byte(len(index))), index...)
	}
	b = section(b, 9, m.elements)
	b = section(b, 10, m.code)
	b = section(b, 11, m.data)
	if len(m.names) > 0 {
		b = append(append(b, 0), name(string(section(name("name"), 1, m.names)))...)
	}
	return append(b, m.Extra...)
}

func (m *Module) functionType(params, results []byte) int {
	t := append([]byte{0x60}, name(string(params))...)
	t = append(t, name(string(results))...)
	for i, known := range m.types {
		if string(known) == string(t) {
			return i
		}
	}
	m.types = append(m.types, t)
	return len(m.types) - 1
}

// section appends a section of items, unless there are none.
func section(b []byte, id byte, items [][]byte) []byte {
	if len(items) == 0 {
		return b
	}
	body := binary.AppendUvarint(nil, uint64(len(items)))
	for _, item := range items {
		body = append(body, item...)
	}
	return append(binary.AppendUvarint(append(b, id), uint64(len(body))), body...)
}

// name is a length and the bytes.
func name(s string) []byte { return append(binary.AppendUvarint(nil, uint64(len(s))), s...) }

func valueTypes(names []string) []byte {
	var types []byte
	for _, n := range names {
		types = append(types, valueType(n))
	}
	return types
}

func valueType(name string) byte {
	if name == abi.I64 {
		return TypeI64
	}
	return TypeI32
}
